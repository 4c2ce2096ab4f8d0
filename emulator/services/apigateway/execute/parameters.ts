import { jsonPath } from "../../../core/gateway/json-path";
import { lookUp } from "../../../core/gateway/log-format";
import { namedValues, ownValue } from "../../../core/gateway/named-values";
import type { Call, Reply } from "./call";
import { contextOf } from "./context";

/** The integration's answer, as response mappings read it. */
export interface BackendAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

type Value = string | string[] | undefined;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const asText = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : typeof value === "string" ? value : JSON.stringify(value);

/** A header of a record, whatever case its name has. */
export function headerOf(headers: Record<string, string | string[]>, name: string): string | string[] | undefined {
  const lower = name.toLowerCase();
  for (const [known, value] of Object.entries(headers)) if (known.toLowerCase() === lower) return value;
  return undefined;
}

/**
 * The value of a mapping expression on the request side: `'text'`, `method.request.header.X`, `context.requestId`,
 * `stageVariables.x`, `method.request.body.a.b`.
 */
export function requestValue(expression: string, call: Call): Value {
  const literal = /^'(.*)'$/s.exec(expression);
  if (literal) return literal[1];
  if (expression.startsWith("context.")) return lookUp(contextOf(call), expression.slice(8));
  if (expression.startsWith("stageVariables.")) return ownValue(call.stage?.variables, expression.slice(15));
  if (expression === "method.request.body") return call.body.toString();
  if (expression.startsWith("method.request.body"))
    return asText(jsonPath(parseJson(call.body.toString()), `$${expression.slice(19)}`));
  const [, location, name = ""] = /^method\.request\.([^.]+)\.(.+)$/.exec(expression) ?? [];
  switch (location) {
    case "header":
      return call.header(name.toLowerCase());
    case "multivalueheader":
      return headerOf(call.multiValueHeaders, name);
    case "querystring":
      return call.queryParameters?.single[name];
    case "multivaluequerystring":
      return call.queryParameters?.multi[name];
    case "path":
      return ownValue(call.pathParameters ?? undefined, name);
    default:
      return undefined;
  }
}

/** What `integration.request.*` mappings make of a request. */
export interface MappedRequest {
  readonly headers: Record<string, string | string[]>;
  readonly query: Record<string, string | string[]>;
  readonly path: Record<string, string>;
}

export function mapRequest(mappings: Record<string, string> | undefined, call: Call): MappedRequest {
  const mapped: MappedRequest = { headers: namedValues(), query: namedValues(), path: namedValues() };
  for (const [target, expression] of Object.entries(mappings ?? {})) {
    const [, location, name = ""] = /^integration\.request\.([^.]+)\.(.+)$/.exec(target) ?? [];
    const value = requestValue(expression, call);
    if (value === undefined) continue;
    if (location === "header") mapped.headers[name] = value;
    else if (location === "querystring") mapped.query[name] = value;
    else if (location === "path") mapped.path[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return mapped;
}

/** Sets the headers of `method.response.*` mappings from the integration's answer. */
export function mapResponse(
  mappings: Record<string, string> | undefined,
  call: Call,
  answer: BackendAnswer,
  headers: Reply["headers"],
): void {
  for (const [target, expression] of Object.entries(mappings ?? {})) {
    const name = /^method\.response\.(?:header|multivalueheader)\.(.+)$/.exec(target)?.[1];
    const value = responseValue(expression, call, answer);
    if (name && value !== undefined) headers[name] = value;
  }
}

function responseValue(expression: string, call: Call, { headers, body }: BackendAnswer): Value {
  if (expression === "integration.response.body") return body.toString();
  if (expression.startsWith("integration.response.body."))
    return asText(jsonPath(parseJson(body.toString()), `$${expression.slice(25)}`));
  const [, location, name = ""] = /^integration\.response\.([^.]+)\.(.+)$/.exec(expression) ?? [];
  if (!location) return requestValue(expression, call);
  const value = headerOf(headers, name);
  return location === "header" && Array.isArray(value) ? value.at(-1) : value;
}

/** Replaces `${stageVariables.name}` in an integration's URI or credentials. */
export const withStageVariables = (text: string, call: Call): string =>
  text.includes("${stageVariables.")
    ? text.replace(/\$\{stageVariables\.(\w+)\}/g, (_, name: string) => ownValue(call.stage?.variables, name) ?? "")
    : text;
