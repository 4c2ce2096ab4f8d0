import { randomUUID } from "node:crypto";
import type { StoredStage } from "../state";
import type { Served, ServedRoute } from "./served";
import { newMessageId, type Session } from "./session";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number) => String(value).padStart(2, "0");

/** `20/Nov/2026:01:47:03 +0000`, in the format of access logs. */
function logTime(time: number): string {
  const date = new Date(time);
  return `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** What happened on a connection. */
export type Occasion =
  | { readonly type: "CONNECT" }
  | { readonly type: "MESSAGE"; readonly body: string }
  | { readonly type: "DISCONNECT"; readonly code: number; readonly reason: string };

/** One event on its way through the gateway. */
export class GatewayEvent {
  readonly requestId = randomUUID();
  readonly extendedRequestId = newMessageId();
  readonly messageId?: string;
  routeKey: string;
  route?: ServedRoute;
  stage!: StoredStage;
  served!: Served;

  /** Whether $connect has let the client in. */
  wasLetIn = false;
  /** How the integration went, for logs. */
  integration: { status?: number; latency?: number; error?: string } = {};
  /** What the gateway refused with, for logs. */
  error?: { readonly message: string; readonly responseType: string };

  private parsed?: { readonly value: unknown };

  constructor(
    readonly session: Session,
    readonly occasion: Occasion,
    /** Milliseconds since the epoch. */
    readonly started: number,
  ) {
    this.routeKey = `$${occasion.type.toLowerCase()}`;
    if (occasion.type === "MESSAGE") this.messageId = newMessageId();
  }

  get body(): string {
    return this.occasion.type === "MESSAGE" ? this.occasion.body : "";
  }

  /** The message as JSON; undefined where it is none. */
  get json(): unknown {
    if (!this.parsed) {
      let value: unknown;
      try {
        value = JSON.parse(this.body);
      } catch {
        value = undefined;
      }
      this.parsed = { value };
    }
    return this.parsed.value;
  }

  get stageVariables(): Record<string, string> {
    return this.stage.StageVariables ?? {};
  }

  /** The event of a Lambda proxy integration, and the request of an authorizer. */
  lambdaEvent(): Record<string, unknown> {
    const { headers, multiValueHeaders, query, multiValueQuery } = this.session;
    const variables = Object.keys(this.stageVariables).length ? { stageVariables: this.stageVariables } : {};
    const rest = { requestContext: this.requestContext(), isBase64Encoded: false };
    if (this.occasion.type === "MESSAGE") return { ...variables, ...rest, body: this.body };
    if (this.occasion.type === "DISCONNECT") {
      // All that is left of the handshake's headers.
      const few = {
        Host: this.session.header("host") ?? "",
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": "",
      };
      const many = Object.fromEntries(Object.entries(few).map(([name, value]) => [name, [value]]));
      return { headers: few, multiValueHeaders: many, ...variables, ...rest };
    }
    const parameters = Object.keys(query).length
      ? { queryStringParameters: query, multiValueQueryStringParameters: multiValueQuery }
      : {};
    return { headers, multiValueHeaders, ...parameters, ...variables, ...rest };
  }

  requestContext(): Record<string, unknown> {
    const { session, occasion } = this;
    return {
      routeKey: this.routeKey,
      ...(occasion.type === "DISCONNECT"
        ? { disconnectStatusCode: occasion.code, disconnectReason: occasion.reason }
        : {}),
      ...(session.authorizer ? { authorizer: session.authorizer } : {}),
      ...(this.messageId ? { messageId: this.messageId } : {}),
      eventType: occasion.type,
      extendedRequestId: this.extendedRequestId,
      requestTime: logTime(this.started),
      messageDirection: "IN",
      stage: session.stageName,
      connectedAt: session.connectedAt,
      requestTimeEpoch: this.started,
      identity: session.identity,
      requestId: this.requestId,
      domainName: session.domainName,
      connectionId: session.connectionId,
      apiId: session.api.id,
    };
  }

  /** `$context` of templates, mappings and access logs. */
  context(): Record<string, unknown> {
    const { integration } = this;
    return {
      ...this.requestContext(),
      accountId: this.session.api.scope.account,
      deploymentId: this.stage.DeploymentId,
      xrayTraceId: this.session.traceId,
      integrationLatency: integration.latency,
      integrationStatus: integration.status,
      integrationErrorMessage: integration.error,
      integration: {
        status: integration.status,
        integrationStatus: integration.status,
        latency: integration.latency,
        error: integration.error,
      },
      ...(this.error ? { error: { ...this.error, messageString: JSON.stringify(this.error.message) } } : {}),
    };
  }
}
