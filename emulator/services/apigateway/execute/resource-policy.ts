import type { Authorizer } from "../../../core/access/authorizer";
import { anonymous } from "../../../core/access/identity";
import { deniedOnApi } from "../../../core/gateway/caller";
import { type PolicyDocument, readPolicy } from "../../../core/policy";
import type { ApiDefinition } from "../state";
import type { Call } from "./call";
import { accessDenied } from "./failures";

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

/**
 * Refuses what the policies do not allow: with AWS_IAM those of the signer and of the API together
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html), else that of the API
 * alone.
 */
export function checkAccess(call: Call, policy: PolicyDocument | undefined, access: Authorizer): void {
  const identity = call.signer ?? anonymous;
  const asked = { action: "execute-api:Invoke", resource: call.methodArn, policy };
  const { region } = call.api!.scope;
  const facts = { region, sourceIp: call.sourceIp, userAgent: call.userAgent ?? undefined };
  const denial = access.check(identity, asked, facts);
  if (denial) throw accessDenied(deniedOnApi(identity, denial));
}
