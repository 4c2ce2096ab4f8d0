import { randomBytes, randomUUID } from "node:crypto";
import { namedValues } from "../../../core/gateway/named-values";
import type { UpgradeRequest } from "../../../core/service";
import type { Api } from "../state";

/** An id as API Gateway makes them: 15 letters and "=". */
export const newMessageId = () => `${randomBytes(11).toString("base64url")}=`;

/** Headers that belong to the line between client and gateway, and are not passed on. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What is known of a connection from its handshake, and holds for all its events. */
export class Session {
  readonly connectionId = newMessageId();
  /** Names as the client wrote them, the last value of each. */
  readonly headers = namedValues<string>();
  readonly multiValueHeaders = namedValues<string[]>();
  readonly query = namedValues<string>();
  readonly multiValueQuery = namedValues<string[]>();
  readonly sourceIp: string;
  readonly userAgent?: string;
  readonly traceId: string;

  api!: Api;
  stageName = "";
  domainName = "";
  /** The signer of an AWS_IAM route. */
  signer?: Readonly<Record<string, string>>;
  /** What the authorizer said; passed on with every event. */
  authorizer?: Readonly<Record<string, unknown>>;

  constructor(
    readonly request: UpgradeRequest,
    /** Milliseconds since the epoch. */
    readonly connectedAt: number,
  ) {
    const { rawHeaders, headers, socket } = request.message;
    this.sourceIp = (socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
    this.userAgent = headers["user-agent"];
    for (let i = 0; i < rawHeaders.length; i += 2) this.addHeader(rawHeaders[i]!, rawHeaders[i + 1]!);
    const seconds = Math.floor(connectedAt / 1000).toString(16);
    this.traceId = `Root=1-${seconds.padStart(8, "0")}-${randomUUID().replaceAll("-", "").slice(0, 24)}`;
    this.setHeader("X-Amzn-Trace-Id", this.traceId);
    this.setHeader("X-Forwarded-For", [this.header("x-forwarded-for"), this.sourceIp].filter(Boolean).join(", "));
    this.setHeader("X-Forwarded-Port", String(socket.localPort ?? 80));
    this.setHeader("X-Forwarded-Proto", "http");
    for (const [name, value] of new URLSearchParams(request.query)) {
      this.query[name] = value;
      const values = this.multiValueQuery[name];
      if (values) values.push(value);
      else this.multiValueQuery[name] = [value];
    }
  }

  /** A header of the handshake by its lower-case name. */
  header(name: string): string | undefined {
    const { headers } = this.request.message;
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    return Array.isArray(value) ? value.join(",") : value;
  }

  /** `identity` of event contexts. */
  get identity(): Record<string, unknown> {
    return {
      ...this.signer,
      ...(this.userAgent === undefined ? {} : { userAgent: this.userAgent }),
      sourceIp: this.sourceIp,
    };
  }

  /** `arn:aws:execute-api:region:account:api/stage/$connect`: what permissions and policies speak of. */
  arnOf(routeKey: string): string {
    return executeArn(this, routeKey);
  }

  private addHeader(name: string, value: string): void {
    if (hopByHop.has(name.toLowerCase())) return;
    this.headers[name] = value;
    const values = this.multiValueHeaders[name];
    if (values) values.push(value);
    else this.multiValueHeaders[name] = [value];
  }

  /** Sets a header of the gateway's own over the client's, whatever case that one has. */
  private setHeader(name: string, value: string): void {
    for (const known of Object.keys(this.headers)) {
      if (known.toLowerCase() !== name.toLowerCase()) continue;
      delete this.headers[known];
      delete this.multiValueHeaders[known];
    }
    this.headers[name] = value;
    this.multiValueHeaders[name] = [value];
  }
}

/** The ARN of what is behind a stage: `arn:aws:execute-api:region:account:api/stage/rest`. */
export function executeArn({ api, stageName }: Pick<Session, "api" | "stageName">, rest: string): string {
  const { region, account } = api.scope;
  return `arn:aws:execute-api:${region}:${account}:${api.id}/${stageName}/${rest}`;
}
