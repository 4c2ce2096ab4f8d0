import { limits } from "../../core/limits";
import {
  type GrammarMessages,
  type PolicyDocument,
  PolicySyntaxError,
  type Principals,
  readPolicy,
} from "../../core/policy";
import { malformedPolicy } from "./errors";

const messages: GrammarMessages = {
  json: "Policies must be valid JSON and the first byte must be '{'",
  syntax: "Unknown field or wrong type in the policy",
  version: "The policy must contain a valid version string",
  noStatement: "Missing required field Statement",
  noEffect: "Missing required field Effect",
  effect: (effect) => `Invalid effect: ${effect}`,
  duplicateSid: "Duplicate Sid in the policy",
};

/** S3 keeps policies of up to 20 KB. */
const largest = limits.s3.bucketPolicy.value;

/** Reads a bucket policy: it names principals, actions of S3 and resources of this bucket. */
export function readBucketPolicy(text: string, bucket: string): PolicyDocument {
  if (!text.trimStart().startsWith("{")) throw malformedPolicy(messages.json);
  if (Buffer.byteLength(text) > largest) {
    throw malformedPolicy("The policy is too large. The maximum size is 20 KB.");
  }
  let policy: PolicyDocument;
  try {
    policy = readPolicy(text, messages);
  } catch (error) {
    if (error instanceof PolicySyntaxError) throw malformedPolicy(error.message);
    throw error;
  }
  const arn = `arn:aws:s3:::${bucket}`;
  for (const statement of policy.statements) {
    const actions = statement.actions ?? statement.notActions;
    const resources = statement.resources ?? statement.notResources;
    if (!statement.principals && !statement.notPrincipals) throw malformedPolicy("Missing required field Principal");
    if (!actions?.length) throw malformedPolicy("Missing required field Action");
    if (!resources?.length) throw malformedPolicy("Missing required field Resource");
    if (!actions.every((action) => action === "*" || /^s3(-[a-z-]+)?:/i.test(action))) {
      throw malformedPolicy("Policy has invalid action");
    }
    const belongs = (resource: string) =>
      resource === arn || resource.startsWith(`${arn}/`) || /^(arn:aws:s3:::)?\*/.test(resource);
    if (!resources.every(belongs)) throw malformedPolicy("Policy has invalid resource");
  }
  return policy;
}

const isEveryone = (principals: Principals | undefined) => principals?.AWS?.includes("*") === true;

/** Condition keys that bind a statement to somebody known (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status). */
const binding =
  /^(aws:(SourceIp|SourceArn|SourceVpc|SourceVpce|SourceOwner|SourceAccount|PrincipalOrgID|PrincipalArn|PrincipalAccount|userid)|s3:(x-amz-server-side-encryption-aws-kms-key-id|DataAccessPointArn|DataAccessPointAccount))$/i;

/** Whether a policy lets just anybody in, as GetBucketPolicyStatus judges it. */
export function isPublic(policy: PolicyDocument): boolean {
  return policy.statements.some(
    ({ effect, principals, notPrincipals, conditions }) =>
      effect === "Allow" &&
      (isEveryone(principals) || notPrincipals !== undefined) &&
      !conditions.some(
        ({ key, values }) => binding.test(key) && !values.some((value) => value === "*" || value === "0.0.0.0/0"),
      ),
  );
}
