import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Ports } from "../../../core/bus";
import { AwsError } from "../../../core/errors";
import { ConnectionDropped } from "../../../core/faults/call";
import type { Host } from "../../../core/service";
import { forbidden, invalidRequest, notFound, payloadTooLarge } from "../errors";
import type { Certificate, Region } from "../state";
import { payloadLimit } from "../topics";
import { deviceMessage } from "./arrival";
import { Permissions } from "./authorize";

/** A device that shows its certificate. */
interface Device {
  readonly region: Region;
  readonly certificate: Certificate;
  readonly sourceIp: string;
}

/** Whether bytes begin a request of a device to publish; one that is signed is none, whatever its sender shows. */
export function isPublish(head: Buffer): boolean {
  const text = head.toString("latin1");
  return text.startsWith("POST /topics/") && !/^(authorization|x-amz-date):/im.test(text);
}

/**
 * HTTPS publishing with a client certificate: `POST /topics/<topic>?qos=1`
 * (https://docs.aws.amazon.com/iot/latest/developerguide/http.html). Policies are asked for `iot:Publish`, not for
 * `iot:Connect`; there is no client id.
 */
export class HttpsDoor {
  private readonly devices = new WeakMap<object, Device>();
  private readonly server = createServer((request, response) => {
    this.answer(request).then(
      () => reply(response, 200, { message: "OK" }),
      (error: unknown) => {
        if (error instanceof ConnectionDropped) return void request.socket.destroy();
        const known = error instanceof AwsError ? error : undefined;
        if (!known && !request.destroyed) this.host.report(error, "HTTPS publish");
        reply(response, known?.status ?? 500, { message: known?.message ?? "InternalFailure" }, known?.code);
      },
    );
  });

  constructor(
    private readonly port: Pick<Ports["iot"], "publish">,
    private readonly host: Pick<Host, "report" | "journal">,
  ) {}

  /** Takes over a connection whose first request is there to be read. */
  accept(socket: TLSSocket, device: Device): void {
    this.devices.set(socket, device);
    this.server.emit("connection", socket);
    socket.resume();
  }

  private async answer(request: IncomingMessage): Promise<void> {
    const { region, certificate, sourceIp } = this.devices.get(request.socket)!;
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const encoded = /^\/topics\/(.+)$/.exec(path)?.[1];
    if (request.method !== "POST" || encoded === undefined) throw notFound(`${request.method} ${path} does not exist`);
    const topic = decode(encoded);
    const options = new URLSearchParams(query);
    const qos = options.get("qos") ?? "0";
    if (qos !== "0" && qos !== "1") throw invalidRequest(`Invalid qos: ${qos}; use 0 or 1`);
    const retain = options.get("retain") === "true";
    const permissions = new Permissions(region, { kind: "certificate", certificate }, "", sourceIp);
    const payload = await read(request);
    if (!permissions.allows("Publish", topic) || (retain && !permissions.allows("RetainPublish", topic)))
      throw forbidden();
    const message = { topic, payload, qos: qos === "1" ? 1 : 0, retain, principal: certificate.id, sourceIp } as const;
    const publish = () => this.port.publish(region.scope, message);
    const faulty = region.faults.active ? region.faults.call(region.publishing(topic)) : undefined;
    await this.host.journal.step(
      () => deviceMessage(region, topic),
      () => (faulty ? faulty.run(publish) : publish()),
    );
  }
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw invalidRequest("Invalid topic: its percent encoding is broken");
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // What is left unread of a body that is too large must not take the connection away before the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > payloadLimit) throw payloadTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, status: number, body: object, code?: string): void {
  const headers = { "content-type": "application/json", ...(code !== undefined && { "x-amzn-errortype": code }) };
  response.writeHead(status, headers).end(JSON.stringify({ ...body, traceId: randomUUID() }));
}
