import { functionOf } from "../../../../core/gateway/authorizer-answer";
import { sign } from "../../../../core/gateway/sigv4";
import type { Call, Reply } from "../call";
import { misconfigured } from "../failures";
import { type BackendAnswer, headerOf, mapRequest, withStageVariables } from "../parameters";
import { exchange } from "./http";
import { invoke, sourceArn } from "./lambda-proxy";
import { mappedReply, requestBody } from "./mapping";
import { type Tools, within } from "./tools";

/** Prefixes of X-Amz-Target for services that take actions as JSON, and their protocol versions. */
const jsonServices: Record<string, readonly [target: string, version: "1.0" | "1.1"]> = {
  dynamodb: ["DynamoDB_20120810", "1.0"],
  kinesis: ["Kinesis_20131202", "1.1"],
  firehose: ["Firehose_20150804", "1.1"],
  logs: ["Logs_20140328", "1.1"],
  states: ["AWSStepFunctions", "1.0"],
  events: ["AWSEvents", "1.1"],
  ssm: ["AmazonSSM", "1.1"],
  "cognito-idp": ["AWSCognitoIdentityProviderService", "1.1"],
};

/** AWS: an action or a path of a service, with templates in and out; Lambda functions get the mapped body as their event. */
export function aws(call: Call, tools: Tools): Promise<Reply> {
  const uri = withStageVariables(call.route!.integration.uri ?? "", call);
  const functionArn = functionOf(uri);
  return functionArn ? lambda(call, tools, functionArn) : service(call, tools, uri);
}

async function lambda(call: Call, tools: Tools, functionArn: string): Promise<Reply> {
  const { host, templates } = tools;
  const { integration } = call.route!;
  const { body, overrides } = requestBody(call, templates);
  const started = host.clock.now();
  const mapped = mapRequest(integration.requestParameters, call).headers;
  const type = overrides?.requestOverride.header["X-Amz-Invocation-Type"] ?? headerOf(mapped, "x-amz-invocation-type");
  if (type === "Event") {
    const principal = {
      principal: "apigateway.amazonaws.com",
      sourceArn: sourceArn(call),
      sourceAccount: call.api!.scope.account,
    };
    await (await host.bus.to("lambda")).invokeAsync(functionArn, body.toString(), principal).catch(() => {
      throw misconfigured();
    });
    call.integration.status = 202;
    return mappedReply(call, templates, { status: 202, headers: {}, body: Buffer.alloc(0) }, undefined, overrides);
  }
  const work = invoke(call, tools, functionArn, body.length ? body.toString() : "{}");
  const result = await within(host.clock, integration.timeoutInMillis ?? 29_000, work);
  call.integration.latency = host.clock.now() - started;
  const answer: BackendAnswer = {
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(result.payload),
  };
  return mappedReply(call, templates, answer, result.functionError && errorMessage(result.payload), overrides);
}

/** A failed function is matched by the error message in its answer. */
function errorMessage(payload: string): string {
  try {
    const { errorMessage = "" } = JSON.parse(payload) as { errorMessage?: string };
    return errorMessage;
  } catch {
    return payload;
  }
}

/** Sends the request to the emulator's own endpoint, signed with the credentials of the integration's role. */
async function service(call: Call, tools: Tools, uri: string): Promise<Reply> {
  const { host, templates } = tools;
  const { integration } = call.route!;
  const match = /^arn:[\w-]+:apigateway:([\w-]+):([\w.-]+):(path|action)\/(.*)$/s.exec(uri);
  if (!match || !integration.credentials) throw misconfigured();
  const [, region = "", target = "", kind, rest = ""] = match;
  const name = target.split(".").at(-1)!;
  const { body, overrides } = requestBody(call, templates);
  const mapped = mapRequest(integration.requestParameters, call);
  const path = { ...mapped.path, ...overrides?.requestOverride.path };
  const filled = rest.replace(/\{(\w+)\+?\}/g, (whole, part: string) => path[part] ?? whole);
  const url = new URL(kind === "path" ? `${host.endpoint()}/${filled.replace(/^\//, "")}` : host.endpoint());
  const headers: Record<string, string> = { Accept: "application/json" };
  const setHeader = (header: string, value: string | string[]) => {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === header.toLowerCase()) delete headers[known];
    headers[header] = Array.isArray(value) ? value.join(",") : value;
  };
  setHeader("Content-Type", call.contentType ?? "application/json");
  const json = kind === "action" ? jsonServices[name] : undefined;
  if (json) {
    setHeader("X-Amz-Target", `${json[0]}.${filled}`);
    setHeader("Content-Type", `application/x-amz-json-${json[1]}`);
  } else if (kind === "action") {
    url.searchParams.set("Action", filled);
  }
  for (const [header, value] of Object.entries({ ...mapped.headers, ...overrides?.requestOverride.header }))
    setHeader(header, value);
  for (const [parameter, value] of Object.entries({ ...mapped.query, ...overrides?.requestOverride.querystring }))
    for (const one of [value].flat()) url.searchParams.append(parameter, one);

  const method = integration.httpMethod === "ANY" ? call.method : integration.httpMethod!;
  const role = withStageVariables(integration.credentials, call);
  const credentials = await (await host.bus.to("sts")).roleCredentials(role, "BackplaneAssumeRoleSession").catch(() => {
    throw misconfigured();
  });
  Object.assign(
    headers,
    sign({ method, url, headers, body }, credentials, { region, service: name, now: host.clock.now() }),
  );
  const answer = await exchange(call, tools, { method, url, headers, body });
  const requestId = headerOf(answer.headers, "x-amzn-requestid") ?? headerOf(answer.headers, "x-amz-request-id");
  call.integration.requestId = typeof requestId === "string" ? requestId : undefined;
  return mappedReply(call, templates, answer, String(answer.status), overrides);
}
