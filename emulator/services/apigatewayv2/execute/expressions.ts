import { jsonPath } from "../../../core/gateway/json-path";
import { lookUp } from "../../../core/gateway/log-format";
import type { GatewayEvent } from "./event";

const asText = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : typeof value === "object" ? JSON.stringify(value) : String(value);

/** A header or query value of the handshake; names of headers have no case. */
function parameter({ session }: GatewayEvent, place: string, name: string): string | undefined {
  if (place === "header") return session.header(name.toLowerCase());
  if (place === "querystring") return session.query[name];
  return undefined;
}

/** The value of `request.body.action`, `request.header.x`, `context.routeKey` or `stageVariables.x`. */
function variable(path: string, event: GatewayEvent): string | undefined {
  if (path === "request.body") return event.body;
  if (path.startsWith("request.body.")) return asText(jsonPath(event.json, `$.${path.slice(13)}`));
  if (path.startsWith("context.")) return lookUp(event.context(), path.slice(8));
  if (path.startsWith("stageVariables.")) return lookUp(event.stageVariables, path.slice(15));
  const [, place = "", name = ""] = /^request\.([^.]+)\.(.+)$/.exec(path) ?? [];
  return parameter(event, place, name);
}

const placeholder = /\\\$|\$\{([^}]+)\}|\$((?:request|context|stageVariables)\.[\w.[\]'-]+)/g;

/**
 * The value of a selection expression: `$request.body.action`, `${request.body.a}-${request.body.b}`, or plain text
 * (`\$default`). Undefined where a value that it asks for is not there.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
 */
export function select(expression: string, event: GatewayEvent): string | undefined {
  let isMissing = false;
  const text = expression.replace(placeholder, (whole, braced?: string, plain?: string) => {
    if (whole === "\\$") return "$";
    const value = variable((braced ?? plain)!, event);
    if (value === undefined) isMissing = true;
    return value ?? "";
  });
  return isMissing ? undefined : text;
}

/**
 * The value of a mapping expression: `'text'`, `route.request.header.X`, `route.request.body.a`, `context.connectionId`,
 * `stageVariables.x`.
 */
export function mapped(expression: string, event: GatewayEvent): string | undefined {
  const literal = /^'(.*)'$/s.exec(expression);
  return literal ? literal[1] : variable(expression.replace(/^route\./, ""), event);
}

/** Replaces `${stageVariables.name}` in a URI or a role. */
export const withStageVariables = (text: string, { stageVariables }: GatewayEvent): string =>
  text.replace(/\$\{stageVariables\.(\w+)\}/g, (_, name: string) => stageVariables[name] ?? "");
