import type { InvokeResult } from "../../../core/bus";
import { AwsError } from "../../../core/errors";
import { functionOf, readObject } from "../../../core/gateway/authorizer-answer";
import { functionCaller, type GatewayRole, invalidPermissions } from "../../../core/gateway/caller";
import { withDeadline } from "../../../core/gateway/deadline";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import type { GatewayEvent } from "./event";
import { withStageVariables } from "./expressions";
import { badGateway, misconfigured, timedOut } from "./failures";
import type { Outcome } from "./integrate";

/** AWS_PROXY: the event as it is goes to the function, and its answer is the response. */
export async function lambdaProxy(event: GatewayEvent, host: Host): Promise<Outcome> {
  const functionArn = functionOf(withStageVariables(event.route!.integration!.IntegrationUri ?? "", event));
  if (!functionArn) throw misconfigured();
  const { payload, functionError } = await invoke(event, host, functionArn, JSON.stringify(event.lambdaEvent()));
  if (functionError) {
    event.integration.error = "The Lambda function returned an error";
    throw badGateway();
  }
  const { statusCode, headers, multiValueHeaders, body } = readObject(payload) ?? {};
  const status = Number(statusCode ?? Number.NaN);
  const isText = body === undefined || body === null || typeof body === "string";
  if (!Number.isInteger(status) || status < 100 || status > 599 || !isText) {
    event.integration.error = "Malformed Lambda proxy response";
    throw badGateway();
  }
  return { status, body: body ?? "", protocol: protocolOf(headers) ?? protocolOf(multiValueHeaders) };
}

/** Whether a name can stand in `Sec-WebSocket-Protocol` (RFC 6455, 4.1: an HTTP token). */
export const isToken = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text);

/** The value of `Sec-WebSocket-Protocol` in the function's headers, whatever case it wrote the name in. */
function protocolOf(headers: unknown): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== "sec-websocket-protocol") continue;
    const [text] = [value as unknown].flat();
    if (typeof text === "string" && isToken(text)) return text;
  }
  return undefined;
}

/** The role of an event's integration, and the route that it is called for. */
export function roleOf(event: GatewayEvent): GatewayRole {
  const { CredentialsArn } = event.route!.integration!;
  const roleArn = CredentialsArn && withStageVariables(CredentialsArn, event);
  return { roleArn, sourceArn: event.session.arnOf(event.routeKey) };
}

/** Calls a function; what Lambda refuses is a configuration error of the API. */
export async function invoke(
  event: GatewayEvent,
  { bus, clock }: Host,
  functionArn: string,
  payload: string,
): Promise<InvokeResult> {
  const { session, integration } = event;
  const started = clock.now();
  const lambda = bus.ready("lambda") ?? (await bus.to("lambda"));
  try {
    const { TimeoutInMillis = limits.apiGateway.integrationTimeout.value } = event.route!.integration!;
    const by = functionCaller(bus.access, roleOf(event));
    const work = lambda.invoke(functionArn, payload, { by, traceId: session.traceId });
    const result = await withDeadline(clock, TimeoutInMillis, work, timedOut);
    integration.status = 200;
    integration.latency = clock.now() - started;
    return result;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    integration.status = error.status;
    integration.error = error.code === "AccessDeniedException" ? invalidPermissions : error.message;
    // Lambda's own throttling and failures are a bad gateway; all else is the API's set-up.
    throw error.status === 429 || error.status >= 500 ? badGateway() : misconfigured();
  }
}
