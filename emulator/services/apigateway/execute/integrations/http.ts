import { exchangeHttp, type OutgoingRequest } from "../../../../core/gateway/http-exchange";
import { fillPath } from "../../../../core/gateway/path-value";
import { limits } from "../../../../core/limits";
import type { Call, Reply } from "../call";
import type { Overrides } from "../context";
import { misconfigured, unreachable } from "../failures";
import { type BackendAnswer, headerOf, type MappedRequest, mapRequest, withStageVariables } from "../parameters";
import { mappedReply, requestBody } from "./mapping";
import { type Tools, within } from "./tools";

/** HTTP: templates in and out. HTTP_PROXY: the request and the answer pass as they are, with mapped parameters added. */
export async function http(call: Call, tools: Tools): Promise<Reply> {
  const { integration } = call.route!;
  const isProxy = integration.type === "HTTP_PROXY";
  const { body, overrides } = isProxy ? { body: call.body, overrides: undefined } : requestBody(call, tools.templates);
  const mapped = mapRequest(integration.requestParameters, call);
  const url = urlOf(call, mapped, isProxy, overrides);
  const headers: Record<string, string | string[]> = isProxy ? proxiedHeaders(call) : {};
  for (const [name, value] of Object.entries({ ...mapped.headers, ...overrides?.requestOverride.header })) {
    const known = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase());
    if (known) delete headers[known];
    headers[name] = value;
  }
  headers["x-amzn-apigateway-api-id"] = call.api!.id;
  if (headerOf(headers, "user-agent") === undefined) headers["User-Agent"] = `AmazonAPIGateway_${call.api!.id}`;
  if (!isProxy) {
    if (headerOf(headers, "accept") === undefined) headers.Accept = "application/json";
    if (body.length && headerOf(headers, "content-type") === undefined)
      headers["Content-Type"] = call.contentType ?? "application/json";
  }
  const method = integration.httpMethod === "ANY" ? call.method : integration.httpMethod!;
  const answer = await exchange(call, tools, { method, url, headers, body });
  if (!isProxy) return mappedReply(call, tools.templates, answer, String(answer.status), overrides);
  const kept = Object.entries(answer.headers).filter(([name]) => !dropped.has(name.toLowerCase()));
  return { status: answer.status, headers: Object.fromEntries(kept), body: answer.body };
}

/** Headers that belong to the connection between gateway and endpoint. */
const dropped = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "date"]);

const proxiedHeaders = (call: Call): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(call.multiValueHeaders)
      .filter(([name]) => name.toLowerCase() !== "host")
      .map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  );

function urlOf(call: Call, mapped: MappedRequest, isProxy: boolean, overrides: Overrides | undefined): URL {
  const path = { ...mapped.path, ...overrides?.requestOverride.path };
  const text = fillPath(withStageVariables(call.route!.integration.uri ?? "", call), path);
  let url: URL;
  try {
    url = new URL(text ?? "");
  } catch {
    throw misconfigured();
  }
  const query: Record<string, string | string[]> = {
    ...(isProxy ? call.queryParameters?.multi : undefined),
    ...mapped.query,
    ...overrides?.requestOverride.querystring,
  };
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) url.searchParams.append(name, one);
  return url;
}

/** Sends the request and reads the whole answer, within the integration's timeout. */
export async function exchange(call: Call, { host }: Tools, request: OutgoingRequest): Promise<BackendAnswer> {
  const { timeoutInMillis = limits.apiGateway.integrationTimeout.value, tlsConfig } = call.route!.integration;
  const started = host.clock.now();
  const abort = new AbortController();
  const insecure = tlsConfig?.insecureSkipVerification;
  const answer = exchangeHttp({ ...request, signal: abort.signal, insecure }).catch((error: unknown) => {
    call.integration.error = error instanceof Error ? error.message : String(error);
    throw unreachable();
  });
  const result = await within(host.clock, timeoutInMillis, answer, () => abort.abort());
  call.integration.status = result.status;
  call.integration.latency = host.clock.now() - started;
  return result;
}
