import { Compile, parse } from "velocityjs";
import { jsonPath } from "./json-path";
import { ownValue } from "./named-values";

interface MethodCall {
  property: string;
  context: unknown;
  params: unknown[];
}

const asText = (value: unknown) => (value === undefined || value === null ? "" : String(value));

/** The methods of Java's String, List and Map that templates use and JavaScript names differently. */
const methods: Record<string, (target: unknown, params: unknown[]) => unknown> = {
  length: (target) => (typeof target === "string" ? target.length : undefined),
  size: (target) =>
    Array.isArray(target)
      ? target.length
      : typeof target === "object" && target
        ? Object.keys(target).length
        : undefined,
  isEmpty: (target) =>
    typeof target === "string" || Array.isArray(target) ? target.length === 0 : Object.keys(target ?? {}).length === 0,
  contains: (target, [part]) =>
    typeof target === "string" ? target.includes(asText(part)) : Array.isArray(target) && target.includes(part),
  containsKey: (target, [key]) => typeof target === "object" && target !== null && Object.hasOwn(target, asText(key)),
  containsValue: (target, [value]) =>
    typeof target === "object" && target !== null && Object.values(target).includes(value),
  values: (target: unknown) => Object.values(target ?? {}),
  equals: (target, [other]) => target === other,
  equalsIgnoreCase: (target, [other]) => asText(target).toLowerCase() === asText(other).toLowerCase(),
  matches: (target, [pattern]) => new RegExp(`^(?:${asText(pattern)})$`).test(asText(target)),
  replace: (target, [from, to]) => asText(target).replaceAll(asText(from), () => asText(to)),
  replaceAll: (target, [from, to]) => asText(target).replace(new RegExp(asText(from), "g"), asText(to)),
  replaceFirst: (target, [from, to]) => asText(target).replace(new RegExp(asText(from)), asText(to)),
  split: (target, [by]) => asText(target).split(new RegExp(asText(by))),
  toString: (target: unknown) => asText(target),
};

const onlyText = new Set(["replace", "replaceAll", "replaceFirst", "split", "matches", "equalsIgnoreCase"]);

const javaMethods = {
  uid: "java",
  match: ({ property, context }: MethodCall) =>
    Object.hasOwn(methods, property) &&
    (!onlyText.has(property) || typeof context === "string") &&
    !(typeof context === "object" && context !== null && Object.hasOwn(context, property)),
  resolve: ({ property, context, params }: MethodCall) => methods[property]!(context, params),
};

/** `$util` of mapping templates. */
const util = {
  /** Like Java's StringEscapeUtils: quotes, slashes, controls and everything beyond ASCII. */
  escapeJavaScript: (text: unknown) =>
    asText(text).replace(/[^ -~]|['"\\/]/g, (char) => {
      const short = {
        "'": "\\'",
        '"': '\\"',
        "\\": "\\\\",
        "/": "\\/",
        "\b": "\\b",
        "\n": "\\n",
        "\t": "\\t",
        "\f": "\\f",
        "\r": "\\r",
      }[char];
      return short ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    }),
  parseJson: (text: unknown): unknown => JSON.parse(asText(text)),
  urlEncode: (text: unknown) =>
    encodeURIComponent(asText(text))
      .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", "+"),
  urlDecode: (text: unknown) => decodeURIComponent(asText(text).replaceAll("+", " ")),
  base64Encode: (text: unknown) => Buffer.from(asText(text)).toString("base64"),
  base64Decode: (text: unknown) => Buffer.from(asText(text), "base64").toString(),
};

/** What a template reads beside its payload. */
export interface TemplateScope {
  /** `$context`; templates may write to the objects in it. */
  readonly context: Record<string, unknown>;
  readonly stageVariables: Readonly<Record<string, string>>;
  /** `$input.params()`. */
  readonly parameters: Readonly<Record<"path" | "querystring" | "header", Readonly<Record<string, string>>>>;
}

/** Renders mapping templates (VTL); keeps what it parsed, because a deployment's templates do not change. */
export class TemplateEngine {
  private readonly parsed = new Map<string, ReturnType<typeof parse>>();

  /**
   * @param body `$input.body` and what `$input.json` and `$input.path` read.
   * @throws Error when the template or what it calls fails; the caller answers 500.
   */
  render(template: string, body: string, { context, stageVariables, parameters }: TemplateScope): string {
    let ast = this.parsed.get(template);
    if (!ast) {
      ast = parse(template);
      this.parsed.set(template, ast);
    }
    const scope = { input: inputOf(body, parameters), context, stageVariables: { ...stageVariables }, util };
    return new Compile(ast, { escape: false, customMethodHandlers: [javaMethods] }).render(scope, undefined, true);
  }
}

/** `$input`: the payload and the request's parameters. */
function inputOf(body: string, parameters: TemplateScope["parameters"]) {
  let parsed: unknown;
  let isParsed = false;
  const json = () => {
    if (!isParsed) {
      isParsed = true;
      try {
        parsed = JSON.parse(body);
      } catch {
        parsed = body === "" ? undefined : body;
      }
    }
    return parsed;
  };
  const params = (name?: string) => {
    if (name === undefined) return structuredClone(parameters);
    const { path, querystring, header } = parameters;
    const lower = name.toLowerCase();
    // One name is looked for in the path, then the query string, then the headers (mapping template reference).
    return (
      ownValue(path, name) ??
      ownValue(querystring, name) ??
      Object.entries(header).find(([key]) => key.toLowerCase() === lower)?.[1] ??
      ""
    );
  };
  return {
    body,
    params,
    path: (path: string) => structuredClone(jsonPath(json(), path)),
    json: (path: string) => {
      const found = jsonPath(json(), path);
      return found === undefined ? '""' : JSON.stringify(found);
    },
  };
}
