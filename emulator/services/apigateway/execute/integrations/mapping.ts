import type { Integration, IntegrationResponse } from "@aws-sdk/client-api-gateway";
import { namedValues } from "../../../../core/gateway/named-values";
import { type Call, isBinaryType, type Reply } from "../call";
import type { Overrides } from "../context";
import { misconfigured, unsupportedMediaType } from "../failures";
import { type BackendAnswer, headerOf, mapResponse } from "../parameters";
import type { Templates } from "../templates";

const plainType = (type: string | undefined) => (type ?? "application/json").split(";", 1)[0]!.trim().toLowerCase();

/** The text of bytes, with U+FFFD where they are not UTF-8: what happens to binary data that is taken for text. */
const textOf = (bytes: Buffer) => bytes.toString("utf8");

/**
 * The body for the integration: passed through or made by a mapping template, by content type and
 * `passthroughBehavior`, converted as `contentHandling` says.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
export function requestBody(call: Call, templates: Templates): { body: Buffer; overrides?: Overrides } {
  const { integration } = call.route!;
  const type = plainType(call.contentType);
  const isBinary = isBinaryType(call.definition!.api.binaryMediaTypes, call.contentType);
  const template = templateFor(integration, type);
  const { contentHandling } = integration;
  if (template === undefined) {
    if (contentHandling === "CONVERT_TO_BINARY") return { body: isBinary ? call.body : fromBase64(call.body) };
    if (isBinary && contentHandling === "CONVERT_TO_TEXT") return { body: Buffer.from(call.body.toString("base64")) };
    return { body: isBinary ? call.body : Buffer.from(textOf(call.body)) };
  }
  // Templates work on text: bytes reach them only as Base64.
  if (isBinary && contentHandling !== "CONVERT_TO_TEXT") throw misconfigured();
  const { text, ...overrides } = render(
    templates,
    template,
    call,
    isBinary ? call.body.toString("base64") : textOf(call.body),
  );
  return {
    body: contentHandling === "CONVERT_TO_BINARY" ? fromBase64(Buffer.from(text)) : Buffer.from(text),
    overrides,
  };
}

function templateFor({ requestTemplates, passthroughBehavior }: Integration, type: string): string | undefined {
  const templates = requestTemplates ?? {};
  for (const [known, template] of Object.entries(templates)) if (plainType(known) === type) return template ?? "";
  const passes =
    passthroughBehavior === "NEVER"
      ? false
      : passthroughBehavior === "WHEN_NO_TEMPLATES"
        ? Object.keys(templates).length === 0
        : true;
  if (!passes) throw unsupportedMediaType();
  return undefined;
}

function render(templates: Templates, template: string, call: Call, body: string) {
  try {
    return templates.render(template, call, body);
  } catch {
    // AWS answers 500 to a template that fails; its log line is execution logging, which is not emulated.
    throw misconfigured();
  }
}

function fromBase64(text: Buffer): Buffer {
  // A Lambda function that returns Base64 answers with a JSON string, which AWS decodes as well.
  const compact = text.toString("latin1").replace(/\s|^"|"\s*$/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) throw misconfigured();
  return Buffer.from(compact, "base64");
}

/**
 * The response that the integration's answer is turned into.
 *
 * @param pattern what selection patterns are matched with: the status, or the error message of a function; undefined
 *   when a function did not fail, which takes the default.
 * @param overrides what the request's template set.
 */
export function mappedReply(
  call: Call,
  templates: Templates,
  answer: BackendAnswer,
  pattern: string | undefined,
  overrides?: Overrides,
): Reply {
  const response = select(call.route!.integration, pattern);
  if (!response || !call.route!.method.methodResponses?.[response.statusCode ?? ""]) throw misconfigured();
  const reply: Reply = {
    status: Number(response.statusCode),
    headers: { "Content-Type": "application/json" },
    body: "",
  };
  const template = responseTemplate(response, call);
  const binaryTypes = call.definition!.api.binaryMediaTypes;
  let made: Overrides | undefined;
  if (template) {
    const isBinary = isBinaryType(binaryTypes, String(headerOf(answer.headers, "content-type") ?? ""));
    const asBase64 = isBinary && response.contentHandling === "CONVERT_TO_TEXT";
    const rendered = render(
      templates,
      template[1],
      call,
      asBase64 ? answer.body.toString("base64") : textOf(answer.body),
    );
    made = rendered;
    reply.headers["Content-Type"] = template[0];
    reply.body =
      response.contentHandling === "CONVERT_TO_BINARY" ? fromBase64(Buffer.from(rendered.text)) : rendered.text;
  } else {
    reply.body = passedThrough(call, response, answer);
  }
  setHeaders(reply.headers, mapped(response, call, answer));
  for (const { responseOverride } of [overrides, made].flatMap((set) => set ?? [])) {
    setHeaders(reply.headers, responseOverride.header);
    if (responseOverride.status !== undefined) reply.status = Number(responseOverride.status) || reply.status;
  }
  return reply;
}

function mapped(response: IntegrationResponse, call: Call, answer: BackendAnswer): Reply["headers"] {
  const headers: Reply["headers"] = namedValues();
  mapResponse(response.responseParameters, call, answer, headers);
  return headers;
}

function setHeaders(headers: Reply["headers"], added: Record<string, string | string[]>): void {
  for (const [name, value] of Object.entries(added)) {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === name.toLowerCase()) delete headers[known];
    headers[name] = Array.isArray(value) ? value : String(value);
  }
}

function select({ integrationResponses }: Integration, pattern: string | undefined): IntegrationResponse | undefined {
  const responses = Object.values(integrationResponses ?? {});
  const chosen =
    pattern === undefined
      ? undefined
      : responses.find(
          ({ selectionPattern }) => selectionPattern && new RegExp(`^(?:${selectionPattern})$`, "s").test(pattern),
        );
  return chosen ?? responses.find(({ selectionPattern }) => !selectionPattern);
}

/** The template for what the client accepts, else the JSON one, else the first; an empty one passes the body through. */
function responseTemplate({ responseTemplates }: IntegrationResponse, call: Call): [string, string] | undefined {
  const accepted = plainType(call.header("accept")?.split(",", 1)[0]);
  const all = Object.entries(responseTemplates ?? {});
  const found = all.find(([type]) => type === accepted) ?? all.find(([type]) => type === "application/json") ?? all[0];
  return found?.[1] ? found : undefined;
}

/**
 * The answer's body by its own type, by the first type that the client accepts, and by `contentHandling`: the second
 * table of https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
function passedThrough(call: Call, { contentHandling }: IntegrationResponse, { body, headers }: BackendAnswer) {
  const binaryTypes = call.definition!.api.binaryMediaTypes;
  const isBinary = isBinaryType(binaryTypes, String(headerOf(headers, "content-type") ?? ""));
  const wantsBinary =
    contentHandling === "CONVERT_TO_BINARY" ||
    (contentHandling !== "CONVERT_TO_TEXT" && isBinaryType(binaryTypes, call.header("accept")));
  if (wantsBinary) return isBinary ? body : fromBase64(body);
  return isBinary ? body.toString("base64") : textOf(body);
}
