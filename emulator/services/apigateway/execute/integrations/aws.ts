import { functionOf } from "../../../../core/gateway/authorizer-answer";
import { awsRequest, serviceOf } from "../../../../core/gateway/aws-request";
import { functionCaller, gatewayCredentials } from "../../../../core/gateway/caller";
import { limits } from "../../../../core/limits";
import type { Call, Reply } from "../call";
import { misconfigured } from "../failures";
import { type BackendAnswer, headerOf, mapRequest, withStageVariables } from "../parameters";
import { exchange } from "./http";
import { invoke, refused, roleOf } from "./lambda-proxy";
import { mappedReply, requestBody } from "./mapping";
import { type Tools, within } from "./tools";

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
    try {
      const by = functionCaller(host.bus.access, roleOf(call));
      await (await host.bus.to("lambda")).invokeAsync(functionArn, body.toString(), by);
    } catch (error) {
      throw refused(call, error);
    }
    call.integration.status = 202;
    return mappedReply(call, templates, { status: 202, headers: {}, body: Buffer.alloc(0) }, undefined, overrides);
  }
  const work = invoke(call, tools, functionArn, body.length ? body.toString() : "{}");
  const result = await within(
    host.clock,
    integration.timeoutInMillis ?? limits.apiGateway.integrationTimeout.value,
    work,
  );
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
  const target = serviceOf(uri);
  if (!target || !integration.credentials) throw misconfigured();
  const { body, overrides } = requestBody(call, templates);
  const mapped = mapRequest(integration.requestParameters, call);
  const override = overrides?.requestOverride;
  const credentials = await gatewayCredentials(host.bus, roleOf(call)).catch((error) => {
    throw refused(call, error);
  });
  const request = awsRequest(
    target,
    {
      method: integration.httpMethod === "ANY" ? call.method : integration.httpMethod!,
      contentType: call.contentType ?? "application/json",
      headers: { ...mapped.headers, ...override?.header },
      query: { ...mapped.query, ...override?.querystring },
      path: { ...mapped.path, ...override?.path },
      body,
    },
    { endpoint: host.endpoint(), credentials, now: host.clock.now(), journal: host.journal },
  );
  if (!request) throw misconfigured();
  const answer = await exchange(call, tools, request);
  const requestId = headerOf(answer.headers, "x-amzn-requestid") ?? headerOf(answer.headers, "x-amz-request-id");
  call.integration.requestId = typeof requestId === "string" ? requestId : undefined;
  return mappedReply(call, templates, answer, String(answer.status), overrides);
}
