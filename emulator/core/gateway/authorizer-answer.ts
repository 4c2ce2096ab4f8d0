import { type PolicyDocument, PolicySyntaxError, readPolicy } from "../policy";
import { namedValues } from "./named-values";

/** What the function of a Lambda authorizer decided. */
export interface AuthorizerAnswer {
  readonly principalId: string;
  readonly policy: PolicyDocument;
  /** The function's own context, all values as text. */
  readonly context: Readonly<Record<string, string>>;
  /** The API key that it gave, for APIs that take their keys from authorizers. */
  readonly usageIdentifierKey?: string;
}

const mistake = "malformed policy";
const messages = {
  json: mistake,
  syntax: mistake,
  version: mistake,
  noStatement: mistake,
  noEffect: mistake,
  effect: () => mistake,
  duplicateSid: mistake,
};

/** The JSON object in a function's payload, or undefined where there is none. */
export function readObject(payload: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(payload) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a policy answer: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 *
 * Undefined for whatever is no such answer; API Gateway takes that for a wrong configuration.
 */
export function readAuthorizerAnswer(answer: Record<string, unknown> | undefined): AuthorizerAnswer | undefined {
  const { principalId, policyDocument, context = {}, usageIdentifierKey } = answer ?? {};
  if (typeof principalId !== "string" || typeof policyDocument !== "object" || policyDocument === null)
    return undefined;
  if (typeof context !== "object" || Array.isArray(context)) return undefined;
  const values = namedValues<string>();
  for (const [name, value] of Object.entries(context ?? {})) {
    // Lists and objects are refused; the rest arrives as text.
    if (typeof value === "object" && value !== null) return undefined;
    values[name] = String(value);
  }
  try {
    return {
      principalId,
      policy: readPolicy(JSON.stringify(policyDocument), messages),
      context: values,
      usageIdentifierKey: typeof usageIdentifierKey === "string" ? usageIdentifierKey : undefined,
    };
  } catch (error) {
    if (error instanceof PolicySyntaxError) return undefined;
    throw error;
  }
}

/** The function in `arn:aws:apigateway:region:lambda:path/2015-03-31/functions/<arn>/invocations`. */
export const functionOf = (uri: string): string | undefined => /\/functions\/(.+)\/invocations$/.exec(uri)?.[1];
