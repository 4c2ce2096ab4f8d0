import { AwsError } from "../../../core/errors";
import { functionOf, readObject } from "../../../core/gateway/authorizer-answer";
import { awsRequest, serviceOf } from "../../../core/gateway/aws-request";
import { gatewayCredentials } from "../../../core/gateway/caller";
import { withDeadline } from "../../../core/gateway/deadline";
import { exchangeHttp, type OutgoingRequest } from "../../../core/gateway/http-exchange";
import { fillPath } from "../../../core/gateway/path-value";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import type { GatewayEvent } from "./event";
import { withStageVariables } from "./expressions";
import { misconfigured, timedOut } from "./failures";
import { invoke, lambdaProxy, roleOf } from "./lambda";
import { mappedRequest, requestBody, responseBody } from "./mapping";

/** What came of an event. */
export interface Outcome {
  /** HTTP status: decides on a handshake, and shows in access logs. */
  readonly status: number;
  /** What a route response sends back. */
  readonly body: string;
  /** The subprotocol that a handshake is answered with. */
  readonly protocol?: string;
}

/** Runs the integration of the event's route. */
export function integrate(event: GatewayEvent, host: Host): Promise<Outcome> | Outcome {
  const { integration } = event.route!;
  switch (integration?.IntegrationType) {
    case "AWS_PROXY":
      return lambdaProxy(event, host);
    case "AWS":
      return aws(event, host);
    case "HTTP":
    case "HTTP_PROXY":
      return http(event, host);
    case "MOCK":
      return mock(event);
    default:
      throw misconfigured();
  }
}

/** The request template gives the status, `{"statusCode": 200}`, and the integration response the answer. */
function mock(event: GatewayEvent): Outcome {
  const status = Number(/"?statusCode"?\s*:\s*"?(\d{3})"?/.exec(requestBody(event))?.[1]);
  if (!status) throw misconfigured();
  event.integration.status = status;
  return { status, body: responseBody(event, String(status), "{}") };
}

async function http(event: GatewayEvent, host: Host): Promise<Outcome> {
  const integration = event.route!.integration!;
  const isProxy = integration.IntegrationType === "HTTP_PROXY";
  const body = Buffer.from(isProxy ? event.body : requestBody(event));
  const { headers, query, path } = mappedRequest(event);
  const uri = withStageVariables(integration.IntegrationUri ?? "", event);
  let url: URL;
  try {
    url = new URL(fillPath(uri, path) ?? "");
  } catch {
    throw misconfigured();
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const { api } = event.session;
  const all = {
    "Content-Type": "application/json",
    "User-Agent": `AmazonAPIGateway_${api.id}`,
    "x-amzn-apigateway-api-id": api.id,
    ...headers,
  };
  const method = integration.IntegrationMethod === "ANY" ? "POST" : integration.IntegrationMethod!;
  const answer = await exchange(event, host, { method, url, headers: all, body });
  const text = answer.body.toString();
  return { status: answer.status, body: isProxy ? text : responseBody(event, String(answer.status), text) };
}

function aws(event: GatewayEvent, host: Host): Promise<Outcome> {
  const uri = withStageVariables(event.route!.integration!.IntegrationUri ?? "", event);
  const functionArn = functionOf(uri);
  return functionArn ? lambda(event, host, functionArn) : service(event, host, uri);
}

/** A function that gets what the template makes, and whose error message selects the response. */
async function lambda(event: GatewayEvent, host: Host, functionArn: string): Promise<Outcome> {
  const { payload, functionError } = await invoke(event, host, functionArn, requestBody(event) || "{}");
  let message: string | undefined;
  if (functionError) {
    message = String(readObject(payload)?.errorMessage ?? "");
    event.integration.error = message;
  }
  return { status: functionError ? 502 : 200, body: responseBody(event, message, payload) };
}

/** An action or a path of a service, called with the integration's role. */
async function service(event: GatewayEvent, host: Host, uri: string): Promise<Outcome> {
  const integration = event.route!.integration!;
  const target = serviceOf(uri);
  if (!target || !integration.CredentialsArn) throw misconfigured();
  const credentials = await gatewayCredentials(host.bus, roleOf(event)).catch((error) => {
    if (!(error instanceof AwsError)) throw error;
    event.integration.error = error.message;
    throw misconfigured();
  });
  const request = awsRequest(
    target,
    {
      method: integration.IntegrationMethod === "ANY" ? "POST" : integration.IntegrationMethod!,
      contentType: "application/json",
      ...mappedRequest(event),
      body: Buffer.from(requestBody(event)),
    },
    { endpoint: host.endpoint(), credentials, now: host.clock.now(), journal: host.journal },
  );
  if (!request) throw misconfigured();
  const { status, body } = await exchange(event, host, request);
  return { status, body: responseBody(event, String(status), body.toString()) };
}

async function exchange(event: GatewayEvent, { clock }: Host, request: OutgoingRequest) {
  const { TimeoutInMillis = limits.apiGateway.integrationTimeout.value } = event.route!.integration!;
  const started = clock.now();
  const abort = new AbortController();
  const answer = exchangeHttp({ ...request, signal: abort.signal }).catch((error: unknown) => {
    event.integration.error = error instanceof Error ? error.message : String(error);
    throw misconfigured();
  });
  const result = await withDeadline(clock, TimeoutInMillis, answer, () => {
    abort.abort();
    return timedOut();
  });
  event.integration.status = result.status;
  event.integration.latency = clock.now() - started;
  return result;
}
