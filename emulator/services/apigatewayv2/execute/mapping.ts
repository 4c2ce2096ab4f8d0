import { jsonPath } from "../../../core/gateway/json-path";
import type { GatewayEvent } from "./event";
import { mapped, select } from "./expressions";
import { misconfigured, unsupportedMediaType } from "./failures";

/** What `integration.request.*` mappings make of an event. */
export function mappedRequest(event: GatewayEvent) {
  const result = { headers: {}, query: {}, path: {} } as Record<"headers" | "query" | "path", Record<string, string>>;
  const places = { header: result.headers, querystring: result.query, path: result.path };
  for (const [target, expression] of Object.entries(event.route!.integration!.RequestParameters ?? {})) {
    const [, place = "", name = ""] = /^integration\.request\.([^.]+)\.(.+)$/.exec(target) ?? [];
    const value = mapped(expression, event);
    if (value !== undefined && Object.hasOwn(places, place)) places[place as keyof typeof places][name] = value;
  }
  return result;
}

/**
 * The body for the integration: made by the template that the template selection expression names, or the message as it
 * is where there is none and `PassthroughBehavior` lets it through.
 */
export function requestBody(event: GatewayEvent): string {
  const { RequestTemplates: templates = {}, PassthroughBehavior, ...integration } = event.route!.integration!;
  const template = chosen(templates, integration.TemplateSelectionExpression, event);
  if (template !== undefined) return render(event, template, event.body);
  const isRefused =
    PassthroughBehavior === "NEVER" ||
    (PassthroughBehavior === "WHEN_NO_TEMPLATES" && Object.keys(templates).length > 0);
  if (isRefused) throw unsupportedMediaType();
  return event.body;
}

/**
 * The answer made of the integration's: by the integration response that its key selects, through its template. Without
 * an integration response the answer passes as it is.
 *
 * @param key what response keys are matched with: a status, or a function's error message; undefined takes the default.
 */
export function responseBody(event: GatewayEvent, key: string | undefined, body: string): string {
  const responses = Object.values(event.route!.integration!.responses);
  const byKey = responses.find(({ IntegrationResponseKey: pattern = "" }) => {
    const source = /^\/(.+)\/$/s.exec(pattern)?.[1];
    return key !== undefined && source !== undefined && new RegExp(`^(?:${source})$`, "s").test(key);
  });
  const response = byKey ?? responses.find(({ IntegrationResponseKey }) => IntegrationResponseKey === "$default");
  if (!response) return body;
  const template = chosenForResponse(
    response.ResponseTemplates ?? {},
    response.TemplateSelectionExpression,
    event,
    body,
  );
  return template === undefined ? body : render(event, template, body);
}

type Templates = Readonly<Record<string, string>>;

function chosen(templates: Templates, expression: string | undefined, event: GatewayEvent): string | undefined {
  const key = expression === undefined ? "$default" : select(expression, event);
  if (key !== undefined && Object.hasOwn(templates, key)) return templates[key];
  return Object.hasOwn(templates, "$default") ? templates.$default : undefined;
}

/** Expressions on the response side read the answer, too: `${integration.response.body.kind}`. */
function chosenForResponse(templates: Templates, expression: string | undefined, event: GatewayEvent, body: string) {
  const filled = expression?.replace(/\$\{?integration\.response\.body\.([\w.[\]'-]+)\}?/g, (_, path: string) => {
    const value = jsonPath(parsed(body), `$.${path}`);
    return value === undefined || value === null ? "" : String(value);
  });
  return chosen(templates, filled, event);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function render(event: GatewayEvent, template: string, body: string): string {
  const { query, headers } = event.session;
  const isHandshake = event.occasion.type === "CONNECT";
  try {
    return event.served.templates.render(template, body, {
      context: event.context(),
      stageVariables: event.stageVariables,
      parameters: { path: {}, querystring: isHandshake ? query : {}, header: isHandshake ? headers : {} },
    });
  } catch {
    // AWS answers 500 to a template that fails.
    throw misconfigured();
  }
}
