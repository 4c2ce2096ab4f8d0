import type { InvokeResult } from "../../../../core/bus";
import { AwsError } from "../../../../core/errors";
import { functionOf } from "../../../../core/gateway/authorizer-answer";
import { functionCaller, type GatewayRole, invalidPermissions } from "../../../../core/gateway/caller";
import { namedValues } from "../../../../core/gateway/named-values";
import { limits } from "../../../../core/limits";
import { type Call, isBinaryType, type Reply } from "../call";
import { badGateway, misconfigured, tooLarge } from "../failures";
import { headerOf, mapRequest, withStageVariables } from "../parameters";
import { type Tools, within } from "./tools";

/** What Lambda takes as a synchronous payload, in bytes. */
const payloadLimit = limits.lambda.requestPayload.value;

/** Response headers that the gateway does not let through under their own name (developer guide, known issues). */
const remapped = new Set([
  "authorization",
  "connection",
  "content-length",
  "content-md5",
  "date",
  "expect",
  "host",
  "server",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "www-authenticate",
  "x-amzn-requestid",
]);

const members = new Set(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"]);

/** AWS_PROXY: the whole request is the function's event, and its answer is the response. */
export async function lambdaProxy(call: Call, { host }: Tools): Promise<Reply> {
  const {
    uri = "",
    timeoutInMillis = limits.apiGateway.integrationTimeout.value,
    httpMethod,
  } = call.route!.integration;
  // Lambda is called by POST, whatever the client's method (a GET here gives 500 on AWS, too).
  if (httpMethod !== "POST") throw misconfigured();
  const functionArn = functionOf(withStageVariables(uri, call));
  if (!functionArn) throw misconfigured();
  const payload = eventOf(call);
  if (payload.length > payloadLimit / 4 && Buffer.byteLength(payload) > payloadLimit) throw tooLarge();
  const started = host.clock.now();
  const result = await within(host.clock, timeoutInMillis, invoke(call, { host }, functionArn, payload));
  call.integration.latency = host.clock.now() - started;
  if (result.functionError) {
    call.integration.error = "The Lambda function returned an error";
    throw badGateway();
  }
  return replyOf(call, result.payload);
}

/** Calls the function; what Lambda refuses is a configuration error of the API. */
export async function invoke(
  call: Call,
  { host }: Pick<Tools, "host">,
  functionArn: string,
  payload: string,
): Promise<InvokeResult> {
  const lambda = host.bus.ready("lambda") ?? (await host.bus.to("lambda"));
  try {
    const by = functionCaller(host.bus.access, roleOf(call));
    const result = await lambda.invoke(functionArn, payload, { by, traceId: call.traceId });
    call.integration.status = 200;
    return result;
  } catch (error) {
    throw refused(call, error);
  }
}

/** The failure of the API for what Lambda refused, and what its logs say of it. */
export function refused(call: Call, error: unknown): unknown {
  if (!(error instanceof AwsError)) return error;
  call.integration.status = error.status;
  // The words of AWS (https://repost.aws/knowledge-center/api-gateway-rest-api-lambda-integrations).
  call.integration.error = error.code === "AccessDeniedException" ? invalidPermissions : error.message;
  return misconfigured();
}

/** The role of a request's integration, and the method that it is called for. */
export function roleOf(call: Call): GatewayRole {
  const { credentials } = call.route!.integration;
  const roleArn = credentials && withStageVariables(credentials, call);
  return { roleArn, sourceArn: sourceArn(call), signer: call.signer };
}

/** `arn:aws:execute-api:region:account:api/stage/METHOD/resource/path`, with the resource's path, not the request's. */
function sourceArn(call: Call): string {
  const { region, account } = call.api!.scope;
  const { resource } = call.route!;
  return `arn:aws:execute-api:${region}:${account}:${call.api!.id}/${call.stageName}/${call.method}${resource.path}`;
}

/** The event, version 1.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
function eventOf(call: Call): string {
  const { integration, resource } = call.route!;
  const query = call.queryParameters;
  const isBase64Encoded = call.body.length > 0 && isBinaryType(call.definition!.api.binaryMediaTypes, call.contentType);
  const event = {
    resource: resource.path,
    path: call.path,
    httpMethod: call.method,
    headers: call.headers,
    multiValueHeaders: call.multiValueHeaders,
    queryStringParameters: query?.single ?? null,
    multiValueQueryStringParameters: query?.multi ?? null,
    pathParameters: call.pathParameters,
    stageVariables: call.stage!.variables ?? null,
    requestContext: call.requestContext(),
    body: call.body.length ? call.body.toString(isBase64Encoded ? "base64" : "utf8") : null,
    isBase64Encoded,
  };
  if (integration.requestParameters) {
    const { headers, query: mappedQuery, path } = mapRequest(integration.requestParameters, call);
    const last = (value: string | string[]) => (Array.isArray(value) ? (value.at(-1) ?? "") : value);
    for (const [name, value] of Object.entries(headers)) {
      event.headers = { ...event.headers, [name]: last(value) };
      event.multiValueHeaders = { ...event.multiValueHeaders, [name]: [value].flat() };
    }
    for (const [name, value] of Object.entries(mappedQuery)) {
      event.queryStringParameters = { ...event.queryStringParameters, [name]: last(value) };
      event.multiValueQueryStringParameters = { ...event.multiValueQueryStringParameters, [name]: [value].flat() };
    }
    if (Object.keys(path).length) event.pathParameters = { ...event.pathParameters, ...path };
  }
  return JSON.stringify(event);
}

/** Reads the function's answer; what is no proxy response gives 502. */
function replyOf(call: Call, payload: string): Reply {
  let answer: unknown;
  try {
    answer = JSON.parse(payload);
  } catch {
    answer = undefined;
  }
  const malformed = () => {
    call.integration.error = "Malformed Lambda proxy response";
    return badGateway();
  };
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw malformed();
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded, ...others } = answer as Record<
    string,
    unknown
  >;
  const status = Number(statusCode);
  if (Object.keys(others).some((name) => !members.has(name))) throw malformed();
  if (
    statusCode === undefined ||
    statusCode === null ||
    statusCode === "" ||
    !Number.isInteger(status) ||
    status < 200 ||
    status > 999
  )
    throw malformed();
  if (body !== undefined && body !== null && typeof body !== "string") throw malformed();
  if (isBase64Encoded !== undefined && isBase64Encoded !== null && typeof isBase64Encoded !== "boolean")
    throw malformed();
  const all = collectHeaders(headers, multiValueHeaders);
  if (!all) throw malformed();
  if (headerOf(all, "content-type") === undefined) all["Content-Type"] = "application/json";
  return { status, headers: all, body: bodyOf(call, body ?? "", isBase64Encoded === true) };
}

function collectHeaders(single: unknown, multi: unknown): Reply["headers"] | undefined {
  const headers: Reply["headers"] = namedValues();
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if ((single ?? undefined) !== undefined && !isMap(single)) return undefined;
  if ((multi ?? undefined) !== undefined && !isMap(multi)) return undefined;
  const put = (name: string, values: string[]) => {
    const shown = remapped.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name;
    for (const known of Object.keys(headers)) {
      if (known.toLowerCase() !== shown.toLowerCase()) continue;
      // The same pair in both maps is sent once (developer guide, output format).
      values = [...new Set([...[headers[known]!].flat(), ...values])];
      delete headers[known];
    }
    headers[shown] = values.length === 1 ? values[0]! : values;
  };
  for (const [name, values] of Object.entries((multi as Record<string, unknown>) ?? {})) {
    if (!Array.isArray(values)) return undefined;
    put(name, values.map(String));
  }
  for (const [name, value] of Object.entries((single as Record<string, unknown>) ?? {})) {
    if (typeof value === "object" && value !== null) return undefined;
    if (value !== null) put(name, [String(value)]);
  }
  return headers;
}

/** Bytes only when the function says so and the first type that the client accepts is a binary one; text otherwise. */
function bodyOf(call: Call, body: string, isBase64Encoded: boolean): Buffer | string {
  if (!isBase64Encoded) return body;
  return isBinaryType(call.definition!.api.binaryMediaTypes, call.header("accept"))
    ? Buffer.from(body, "base64")
    : body;
}
