import type { GatewayResponse } from "@aws-sdk/client-api-gateway";
import type { Call, Reply } from "./call";
import { defaultGatewayResponse, defaultTemplate, type GatewayFailure } from "./failures";
import { requestValue } from "./parameters";
import type { Templates } from "./templates";

/** The answer to a request that ended at the gateway: the API's own gateway response where it has one. */
export function gatewayReply(call: Call, failure: GatewayFailure, templates: Templates): Reply {
  call.failure = failure;
  const response = responseFor(call.definition?.gatewayResponses, failure);
  const all = Object.entries(response.responseTemplates ?? {});
  const accepted = call.header("accept")?.split(/[,;]/, 1)[0];
  const [type, template] = all.find(([known]) => known === accepted) ?? all[0] ?? ["application/json", defaultTemplate];
  const reply: Reply = {
    status: Number(response.statusCode) || failure.status,
    headers: { "x-amzn-ErrorType": failure.errorType, "Content-Type": type },
    body: bodyOf(call, failure, template, templates),
  };
  for (const [name, expression] of Object.entries(response.responseParameters ?? {})) {
    const value = requestValue(expression, call);
    if (value !== undefined) reply.headers[name.replace(/^gatewayresponse\.header\./, "")] = value;
  }
  return reply;
}

/** The response of this type, else the API's default for 4XX or 5XX, else AWS's own. */
function responseFor(
  set: Record<string, GatewayResponse> | undefined,
  { type, status }: GatewayFailure,
): GatewayResponse {
  const own = set?.[type];
  if (own) return own;
  const fallback = set?.[status >= 500 ? "DEFAULT_5XX" : "DEFAULT_4XX"];
  const base = defaultGatewayResponse(type);
  return { ...base, ...fallback, statusCode: fallback?.statusCode ?? (base.statusCode ? String(status) : undefined) };
}

function bodyOf(call: Call, failure: GatewayFailure, template: string, templates: Templates): string {
  if (template === defaultTemplate) return failure.body ?? JSON.stringify({ message: failure.text });
  // Gateway responses know variables only, no other template language (developer guide, gateway response fields).
  try {
    return templates.render(template, call, call.body.toString()).text;
  } catch {
    return failure.body ?? JSON.stringify({ message: failure.text });
  }
}
