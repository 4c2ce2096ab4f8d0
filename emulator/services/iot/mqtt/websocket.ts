import { STATUS_CODES } from "node:http";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Access } from "../../../core/access/access";
import { AwsError } from "../../../core/errors";
import { SignatureProblem, SignatureVerifier, type Signer } from "../../../core/gateway/signer";
import { hangUp } from "../../../core/hang-up";
import type { Host, UpgradeRequest } from "../../../core/service";
import type { Store } from "../store";
import { packetLimit } from "../topics";
import type { Hubs } from "./hubs";

/**
 * MQTT over WebSocket at `/mqtt`, with a version 4 signature in the query string
 * (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws). Account and region are the signer's, and
 * the signer's IAM policies are asked at each step, also when they change meanwhile.
 */
export class WebSocketDoor {
  private readonly signatures: SignatureVerifier;
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: packetLimit,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has("mqtt") ? "mqtt" : false),
  });

  constructor(
    private readonly host: Host,
    private readonly store: Store,
    private readonly hubs: Hubs,
  ) {
    this.signatures = new SignatureVerifier(host, { service: "iotdevicegateway", isTokenUnsigned: true });
  }

  /** Answers a handshake; gives the status. */
  async upgrade({ message, socket, head, path, query }: UpgradeRequest): Promise<number> {
    const { headers } = message;
    const request = { method: "GET", path, query, headers, body: Buffer.alloc(0) };
    const region = /X-Amz-Credential=[^&]*?(?:%2F|\/)\d{8}(?:%2F|\/)([a-z0-9-]+)/i.exec(query)?.[1] ?? "us-east-1";
    let signer: Signer;
    try {
      signer = await this.signatures.verify(request, "000000000000");
    } catch (error) {
      // A session that has expired is an error of STS.
      if (error instanceof SignatureProblem || error instanceof AwsError) return refuse(socket, error.message);
      throw error;
    }
    const scope = { account: signer.accountId, region };
    const sourceIp = (message.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
    const facts = { region, sourceIp, userAgent: headers["user-agent"], referer: headers.referer };
    const may = (access: Access) => !this.host.bus.access.check(signer.identity, access, facts);
    this.sockets.handleUpgrade(message, socket, head, (opened) => {
      opened.on("error", () => opened.terminate());
      const stream = createWebSocketStream(opened);
      this.hubs.connect(this.store.region(scope), {
        stream,
        identity: { kind: "iam", userId: signer.caller, may },
        sourceIp,
      });
    });
    return 101;
  }

  /** Ends every connection, those that have sent nothing yet, too. */
  clear(): void {
    for (const socket of this.sockets.clients) socket.terminate();
    this.signatures.clear();
  }
}

function refuse(socket: UpgradeRequest["socket"], problem: string): number {
  const body = JSON.stringify({ message: problem.split("\n")[0], traceId: "" });
  const lines = [
    `HTTP/1.1 403 ${STATUS_CODES[403]}`,
    "Content-Type: application/json",
    "x-amzn-ErrorType: ForbiddenException",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  hangUp(socket, `${lines.join("\r\n")}\r\n\r\n${body}`);
  return 403;
}
