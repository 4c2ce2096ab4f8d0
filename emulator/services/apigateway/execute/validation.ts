import { ownValue } from "../../../core/gateway/named-values";
import type { Call } from "./call";
import { badBody, badParameters } from "./failures";

/** Refuses requests that the method's request validator refuses: missing parameters first, then the body. */
export function validateRequest(call: Call): void {
  const { validator, required, models, integration } = call.route!;
  if (!validator) return;
  if (validator.validateRequestParameters) {
    const missing = required.filter(({ location, name }) => isMissing(call, location, name)).map(({ name }) => name);
    if (missing.length) throw badParameters(missing);
  }
  if (!validator.validateRequestBody || !Object.keys(models).length) return;
  const type = (call.contentType ?? "application/json").split(";", 1)[0]!.trim().toLowerCase();
  if (!Object.hasOwn(models, type)) {
    // A body of a type without a model goes through, unless the integration takes no other types (passthrough NEVER).
    if (integration.passthroughBehavior === "NEVER") throw badBody([`No model for content type ${type}`]);
    return;
  }
  const validate = models[type];
  if (!validate) return;
  let value: unknown;
  try {
    value = JSON.parse(call.body.toString() || "null");
  } catch {
    throw badBody(["Unable to parse body as JSON"]);
  }
  const problems = validate(value);
  if (problems.length) throw badBody(problems);
}

function isMissing(call: Call, location: string, name: string): boolean {
  switch (location) {
    case "header":
    case "multivalueheader":
      return !call.header(name.toLowerCase());
    case "querystring":
    case "multivaluequerystring":
      return ownValue(call.queryParameters?.single, name) === undefined;
    default:
      return !ownValue(call.pathParameters ?? undefined, name);
  }
}
