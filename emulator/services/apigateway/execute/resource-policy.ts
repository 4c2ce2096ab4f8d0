import { type PolicyDocument, PolicySyntaxError, readPolicy } from "../../../core/policy";
import { evaluate } from "../../../core/policy-evaluation";
import type { ApiDefinition } from "../state";
import type { Call } from "./call";
import { accessDenied, misconfigured } from "./failures";

const vpcKey = /^aws:(sourcevpc|sourcevpce|vpcsourceip)$/i;
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

/**
 * The resource policy of a deployed API, ready to ask; undefined when it has none.
 *
 * Not emulated: networks. Conditions on a VPC or its endpoints count as met, because whoever reaches the emulator would
 * have come through them.
 */
export function readResourcePolicy(api: Pick<ApiDefinition["api"], "id" | "policy">): PolicyDocument | undefined {
  if (!api.policy) return undefined;
  const policy = readPolicy(api.policy, messages);
  const statements = policy.statements
    .filter(({ effect, conditions }) => effect === "Allow" || !conditions.some(({ key }) => vpcKey.test(key)))
    .map((statement) => ({
      ...statement,
      conditions: statement.conditions.filter(({ key }) => !vpcKey.test(key)),
      // `execute-api:/stage/GET/path` is short for the ARN in this API (developer guide, resource policies).
      resources: statement.resources?.map((text) =>
        text.replace(/^execute-api:\//, `arn:aws:execute-api:*:*:${api.id}/`),
      ),
    }));
  return { ...policy, statements };
}

/** Refuses what the resource policy does not allow. A signer of the same account needs no Allow, only no Deny. */
export function checkResourcePolicy(call: Call, policy: PolicyDocument): void {
  const { userArn, accountId } = call.identity;
  let answer: "Allow" | "Deny" | undefined;
  try {
    answer = evaluate(policy, {
      action: "execute-api:Invoke",
      resource: call.methodArn,
      principal: userArn
        ? { kind: "AWS", name: userArn, account: accountId ?? undefined }
        : { kind: "AWS", name: "anonymous" },
      context: { "aws:SourceIp": [call.sourceIp], ...(call.userAgent ? { "aws:UserAgent": [call.userAgent] } : {}) },
    });
  } catch (error) {
    if (error instanceof PolicySyntaxError) throw misconfigured();
    throw error;
  }
  const ownAccount = accountId !== null && accountId === call.api!.scope.account;
  if (answer === "Allow" || (answer === undefined && ownAccount)) return;
  const masked = call.methodArn.replace(/:\d{8}(\d{4}):/, ":********$1:");
  const why = answer === "Deny" ? " with an explicit deny" : "";
  throw accessDenied(
    `User: ${userArn ?? "anonymous"} is not authorized to perform: execute-api:Invoke on resource: ${masked}${why}`,
  );
}
