import type { CORSRule } from "@aws-sdk/client-s3";

/** Whether a pattern with at most one `*` fits. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

function ruleFor(
  rules: readonly CORSRule[],
  origin: string,
  method: string,
  headers: readonly string[],
): CORSRule | undefined {
  return rules.find(
    ({ AllowedOrigins = [], AllowedMethods = [], AllowedHeaders = [] }) =>
      AllowedOrigins.some((pattern) => fits(pattern, origin)) &&
      AllowedMethods.includes(method) &&
      headers.every((header) =>
        AllowedHeaders.some((pattern) => fits(pattern.toLowerCase(), header.trim().toLowerCase())),
      ),
  );
}

function answer({ AllowedOrigins = [], AllowedMethods = [], ExposeHeaders, MaxAgeSeconds }: CORSRule, origin: string) {
  const any = AllowedOrigins.includes("*");
  return {
    "access-control-allow-origin": any ? "*" : origin,
    "access-control-allow-methods": AllowedMethods.join(", "),
    ...(!any && { "access-control-allow-credentials": "true" }),
    ...(ExposeHeaders?.length && { "access-control-expose-headers": ExposeHeaders.join(", ") }),
    ...(MaxAgeSeconds !== undefined && { "access-control-max-age": String(MaxAgeSeconds) }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** The headers that an answer to a browser carries; undefined when no rule allows the origin. */
export function corsHeaders(rules: readonly CORSRule[], origin: string, method: string) {
  const rule = ruleFor(rules, origin, method === "HEAD" ? "GET" : method, []) ?? ruleFor(rules, origin, method, []);
  return rule && answer(rule, origin);
}

/** A preflight request, by its headers (lower-case names). */
export interface Preflight {
  readonly origin?: string;
  readonly "access-control-request-method"?: string;
  readonly "access-control-request-headers"?: string;
}

/** Answers a preflight from a bucket's rules: 200 with headers, else 403 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html). */
export function preflight(
  rules: readonly CORSRule[] | undefined,
  request: Preflight,
): { status: 200; headers: Record<string, string> } | { status: 400 | 403; code: string; message: string } {
  const { origin, "access-control-request-method": method, "access-control-request-headers": wanted } = request;
  if (!origin || !method) {
    return { status: 400, code: "BadRequest", message: "Insufficient information. Origin request header needed." };
  }
  if (!rules) {
    return { status: 403, code: "AccessForbidden", message: "CORSResponse: CORS is not enabled for this bucket." };
  }
  const names = wanted ? wanted.split(",") : [];
  const rule = ruleFor(rules, origin, method, names);
  if (!rule) {
    return {
      status: 403,
      code: "AccessForbidden",
      message:
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    };
  }
  return {
    status: 200,
    headers: {
      ...answer(rule, origin),
      ...(wanted && { "access-control-allow-headers": names.map((name) => name.trim().toLowerCase()).join(", ") }),
    },
  };
}
