import { randomUUID } from "node:crypto";
import type { Identity as Signer } from "../../../core/access/identity";
import { namedValues, ownValue } from "../../../core/gateway/named-values";
import type { DataPlaneRequest } from "../../../core/service";
import type { Api, ApiDefinition, State, StoredStage } from "../state";
import type { GatewayFailure } from "./failures";
import type { Route } from "./router";

/** What the gateway sends back. Header names keep their case; a list is sent as several lines. */
export interface Reply {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer | string;
}

/** Who the caller was found to be; `$context.identity` beside the source address and user agent. */
export interface Identity {
  accessKey: string | null;
  accountId: string | null;
  caller: string | null;
  user: string | null;
  userArn: string | null;
  apiKey?: string;
  apiKeyId?: string;
}

/** What an authorizer said; becomes `requestContext.authorizer` and `$context.authorizer`. */
export interface Authorization {
  readonly principalId?: string;
  readonly claims?: Readonly<Record<string, string>>;
  /** The function's own context, all values as text. */
  readonly context?: Readonly<Record<string, string>>;
  /** Milliseconds that the authorizer took; 0 from its cache. */
  readonly latency?: number;
  /** The API key that an authorizer gave, where the API takes its keys from authorizers. */
  readonly usageIdentifierKey?: string;
}

const hopByHop = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number) => String(value).padStart(2, "0");

/** One request on its way through the gateway: what the client sent, and what the steps so far found out. */
export class Call {
  readonly requestId = randomUUID();
  /** 16 characters with "=" at the end, as AWS makes them. */
  readonly extendedRequestId = Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64", 0, 11);
  readonly traceId: string;
  readonly method: string;
  readonly sourceIp: string;
  /** Names as the client wrote them, the last value of each. */
  readonly headers = namedValues<string>();
  readonly multiValueHeaders = namedValues<string[]>();

  /** The path behind the stage, still percent-encoded; "/" for the root. */
  path = "/";
  /** `/stage/path` as the client asked for it, or with the base path of a custom domain. */
  fullPath = "/";
  stageName = "";
  body: Buffer = Buffer.alloc(0);

  api?: Api;
  state?: State;
  stage?: StoredStage;
  definition?: ApiDefinition;
  route?: Route;
  pathParameters: Record<string, string> | null = null;
  identity: Identity = { accessKey: null, accountId: null, caller: null, user: null, userArn: null };
  /** Whose policies decide, where the request was signed. */
  signer?: Signer;
  authorization?: Authorization;
  domainName = "";

  /** How the integration went, for logs. */
  integration: { status?: number; latency?: number; requestId?: string; error?: string } = {};
  failure?: GatewayFailure;

  private query?: { single: Record<string, string>; multi: Record<string, string[]> } | null;

  constructor(
    readonly request: DataPlaneRequest,
    /** The emulator's time at the start. */
    readonly started: number,
  ) {
    const { message } = request;
    this.method = request.method;
    this.sourceIp = (message.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
    const raw = message.rawHeaders;
    for (let i = 0; i < raw.length; i += 2) this.addHeader(raw[i]!, raw[i + 1]!);
    this.traceId =
      this.header("x-amzn-trace-id") ?? `Root=1-${hex(started)}-${this.requestId.replaceAll("-", "").slice(0, 24)}`;
    this.setHeader("X-Amzn-Trace-Id", this.traceId);
    const forwarded = this.header("x-forwarded-for");
    this.setHeader("X-Forwarded-For", forwarded ? `${forwarded}, ${this.sourceIp}` : this.sourceIp);
    this.setHeader("X-Forwarded-Port", String(message.socket.localPort ?? 80));
    this.setHeader("X-Forwarded-Proto", "http");
  }

  /** A request header by its lower-case name. */
  header(name: string): string | undefined {
    const value = ownValue(this.request.message.headers, name);
    return Array.isArray(value) ? value.join(",") : value;
  }

  /** The query string, decoded; null when there is none, as events show it. */
  get queryParameters(): { single: Record<string, string>; multi: Record<string, string[]> } | null {
    if (this.query !== undefined) return this.query;
    if (!this.request.query) {
      this.query = null;
      return null;
    }
    const single = namedValues<string>();
    const multi = namedValues<string[]>();
    for (const [name, value] of new URLSearchParams(this.request.query)) {
      single[name] = value;
      const values = multi[name];
      if (values) values.push(value);
      else multi[name] = [value];
    }
    this.query = { single, multi };
    return this.query;
  }

  get contentType(): string | undefined {
    return this.header("content-type");
  }

  get userAgent(): string | null {
    return this.header("user-agent") ?? null;
  }

  /** `20/Nov/2026:01:47:03 +0000`, in the format of access logs. */
  get requestTime(): string {
    const date = new Date(this.started);
    return `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
  }

  /** `arn:aws:execute-api:region:account:api/stage/METHOD/path`: what permissions and policies speak of. */
  get methodArn(): string {
    const { region, account } = this.api!.scope;
    return `arn:aws:execute-api:${region}:${account}:${this.api!.id}/${this.stageName}/${this.method}${this.path}`;
  }

  /** `requestContext` of Lambda events. */
  requestContext(): Record<string, unknown> {
    const { resource } = this.route!;
    const { id } = this.api!;
    return {
      resourceId: resource.id,
      ...(this.authorization ? { authorizer: this.authorizerContext() } : {}),
      resourcePath: resource.path,
      httpMethod: this.method,
      extendedRequestId: this.extendedRequestId,
      requestTime: this.requestTime,
      path: this.fullPath,
      accountId: this.api!.scope.account,
      protocol: "HTTP/1.1",
      stage: this.stageName,
      domainPrefix: this.domainName.split(".")[0],
      requestTimeEpoch: this.started,
      requestId: this.requestId,
      identity: this.fullIdentity(),
      domainName: this.domainName,
      deploymentId: this.stage!.deploymentId,
      apiId: id,
    };
  }

  fullIdentity(): Record<string, unknown> {
    return {
      cognitoIdentityPoolId: null,
      cognitoIdentityId: null,
      principalOrgId: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      ...this.identity,
      sourceIp: this.sourceIp,
      userAgent: this.userAgent,
    };
  }

  authorizerContext(): Record<string, unknown> {
    const { principalId, claims, context, latency } = this.authorization ?? {};
    if (claims) return { claims };
    return { ...context, principalId, integrationLatency: latency ?? 0 };
  }

  private addHeader(name: string, value: string): void {
    // The fields of HTTP/2 that make up its request line begin with a colon.
    if (name.startsWith(":") || hopByHop.has(name.toLowerCase())) return;
    this.headers[name] = value;
    const values = this.multiValueHeaders[name];
    if (values) values.push(value);
    else this.multiValueHeaders[name] = [value];
  }

  /** Sets a header of the gateway's own over the client's, whatever case that one has. */
  private setHeader(name: string, value: string): void {
    const lower = name.toLowerCase();
    if (this.request.message.headers[lower] !== undefined) {
      for (const known of Object.keys(this.headers)) {
        if (known.toLowerCase() !== lower) continue;
        delete this.headers[known];
        delete this.multiValueHeaders[known];
      }
    }
    this.headers[name] = value;
    this.multiValueHeaders[name] = [value];
  }
}

const hex = (time: number) =>
  Math.floor(time / 1000)
    .toString(16)
    .padStart(8, "0");

/** Whether a content type is one of the API's binary media types; `*` stands for any part. */
export function isBinaryType(
  binaryMediaTypes: readonly string[] | undefined,
  contentType: string | undefined,
): boolean {
  if (!binaryMediaTypes?.length) return false;
  if (binaryMediaTypes.includes("*/*")) return true;
  if (!contentType) return false;
  const [type, subtype] = contentType.split(/[,;]/, 1)[0]!.trim().toLowerCase().split("/");
  return binaryMediaTypes.some((known) => {
    const [knownType, knownSubtype] = known.toLowerCase().split(";", 1)[0]!.split("/");
    return (knownType === "*" || knownType === type) && (knownSubtype === "*" || knownSubtype === subtype);
  });
}
