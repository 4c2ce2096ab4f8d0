import type { Access } from "./access";
import type { Refusal } from "./decide";

/** A statement of a policy, as JSON has it. */
export interface SuggestedStatement {
  readonly Effect: "Allow";
  readonly Principal?: { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  /** Left out in a trust policy. */
  readonly Resource?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Something that was not allowed, and what would allow it. */
export interface Denial {
  /** Milliseconds since the epoch, on the emulator's clock. */
  readonly time: number;
  /** ARN of the caller, or a service such as `apigateway.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** AWS's words. */
  readonly message: string;
  /** Where {@link statement} would have to stand: an ARN of a role, user or resource, or words for it. */
  readonly place: string;
  /** Left out where a Deny statement refuses it: no statement would help. */
  readonly statement?: SuggestedStatement;
}

/** The sentence that AWS answers with (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html). */
export function denialMessage(principal: string, access: Access, { explicit, by }: Refusal): string {
  const { resource } = access;
  // SQS writes its actions in small letters.
  const action = access.action.startsWith("sqs:") ? access.action.toLowerCase() : access.action;
  // No policy helps here: a role is handed on in its own account only.
  if (action === "iam:PassRole" && by === "resource-based policy") return "Cross-account pass role is not allowed.";
  const sentence = `User: ${principal} is not authorized to perform: ${action}`;
  // STS does not say why a role may not be assumed.
  if (/^sts:(AssumeRole|TagSession|SetSourceIdentity)/.test(action)) return `${sentence} on resource: ${resource}`;
  const article = by.startsWith("identity") ? "an" : "a";
  const why = explicit ? `with an explicit deny in ${article} ${by}` : `because no ${by} allows the ${action} action`;
  const shown = access.shown ?? shownOf(action, resource);
  return shown === undefined ? `${sentence} ${why}` : `${sentence} on resource: ${shown} ${why}`;
}

/** Some services name no resource where an action knows none, and others say `*`; S3 puts its own into quotation marks. */
function shownOf(action: string, resource: string): string | undefined {
  if (resource === "*") return /^(dynamodb|kinesis|lambda|sqs):/.test(action) ? resource : undefined;
  return action.startsWith("s3:") ? `"${resource}"` : resource;
}
