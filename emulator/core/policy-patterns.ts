import { parseArn } from "./arn";

/** The values of a condition key. */
export type Values = (key: string) => readonly string[] | undefined;

/** In patterns, these stand for a `*` and a `?` that are no wildcards. No policy may hold control characters. */
const literal: Readonly<Record<string, string>> = { "*": "\u0001", "?": "\u0002" };

const isSame = (wanted: string | undefined, given: string | undefined): boolean =>
  wanted === given || (wanted !== undefined && literal[given ?? ""] === wanted);

/**
 * Whether `text` matches a pattern with `*` and `?`. Walks both once and goes back to the last `*` only, so that no
 * pattern of a policy, however long its row of stars, takes long.
 */
export function matches(pattern: string, text: string, ignoreCase = false): boolean {
  if (pattern === "*") return true;
  if (ignoreCase) {
    // Policies may have thousands of actions, nearly all of other services: the first letter tells.
    const begins = (pattern.charCodeAt(0) | 32) === (text.charCodeAt(0) | 32);
    if (!begins && pattern[0] !== "*" && pattern[0] !== "?") return false;
    return matches(pattern.toLowerCase(), text.toLowerCase());
  }
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < text.length; ) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === "?" || isSame(pattern[at], text[i]))) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** ARNs match part by part: a `*` does not reach over a colon, except in the resource. */
export function arnMatches(pattern: string, text: string): boolean {
  if (pattern === "*" || pattern === text) return true;
  const [wanted, given] = [parseArn(pattern), parseArn(text)];
  if (!wanted || !given) return matches(pattern, text);
  return (["partition", "service", "region", "account", "resource"] as const).every((part) =>
    matches(wanted[part], given[part]),
  );
}

/**
 * Whether a statement's resource takes in an ARN. One with less than six parts is completed with stars
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
 */
export function resourceMatches(pattern: string, text: string): boolean {
  const missing = pattern.startsWith("arn:") ? 6 - pattern.split(":").length : 0;
  return arnMatches(missing > 0 ? pattern + ":*".repeat(missing) : pattern, text);
}

/** `${aws:username}`, or with what stands for it where it has no value: `${aws:PrincipalTag/team, 'none'}`. */
const variable = /\$\{([^}]*)\}/g;
const withDefault = /^([^,]+?)\s*(?:,\s*'([^']*)')?\s*$/;

/**
 * Puts values in the place of policy variables; undefined where one has none: it is like nothing then
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value).
 *
 * @param isPattern whether wildcards of the text count; those that come with a value, or as `${*}`, do not.
 */
export function fill(text: string, values: Values, isPattern: boolean): string | undefined {
  if (!text.includes("${")) return text;
  let isComplete = true;
  const filled = text.replace(variable, (_, inner: string) => {
    const value = /^[*?$]$/.test(inner) ? inner : resolve(inner, values);
    isComplete &&= value !== undefined;
    return isPattern ? (value ?? "").replace(/[*?]/g, (wildcard) => literal[wildcard]!) : (value ?? "");
  });
  return isComplete ? filled : undefined;
}

function resolve(inner: string, values: Values): string | undefined {
  const [, key = "", fallback] = withDefault.exec(inner) ?? [];
  const found = values(key.trim());
  // Keys that may have several values are no variables.
  return found?.length === 1 ? found[0] : fallback;
}
