import { parseArn } from "../arn";
import { matches } from "../policy-patterns";
import type { FaultPlace } from "./options";

/** Where something happens that a fault may act on. */
export interface Place {
  readonly service: string;
  readonly operation: string;
  /** ARNs, or `*` where they are not known. */
  readonly resources: readonly string[];
}

/** Services whose ARNs have no type in front of the name. */
const untyped = new Set(["sqs", "sns", "s3", "execute-api"]);

/**
 * What people call a resource: `readings` of `table/readings/index/by-time`, `ingest` of `function:ingest:live`,
 * `/aws/lambda/ingest` of `log-group:/aws/lambda/ingest:log-stream:x`.
 */
function namesOf(arn: string): string[] {
  const parsed = parseArn(arn);
  if (!parsed) return [arn];
  const { service, resource } = parsed;
  const name = untyped.has(service) ? resource : resource.replace(/^\/?[^:/]*[:/]/, "");
  return [resource, name, name.split(":", 1)[0]!, name.split(/[:/]/, 1)[0]!];
}

/** Whether a resource is meant by an ARN with wildcards, or by a name. */
export const resourceMatches = (wanted: string, arn: string): boolean =>
  wanted === "*" ||
  (wanted.startsWith("arn:") ? matches(wanted, arn) : namesOf(arn).some((name) => matches(wanted, name)));

export const placeMatches = (
  { service, operation, resource }: FaultPlace,
  { service: at, operation: doing, resources }: Place,
): boolean =>
  (service === undefined || service === at) &&
  (operation === undefined || matches(operation, doing)) &&
  (resource === undefined || resources.some((arn) => resourceMatches(resource, arn)));
