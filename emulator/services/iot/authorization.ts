import type { AuthInfo, AuthResult } from "@aws-sdk/client-iot";
import { evaluate, type PolicyRequest } from "../../core/policy-evaluation";
import { check } from "./checks";
import { invalidRequest, principalNotFound } from "./errors";
import { connectionValues, effectivePolicies } from "./mqtt/authorize";
import { findPolicy } from "./policies";
import type { Policy } from "./state";
import type { IotOperations, Store } from "./store";

const actions: Record<string, string> = {
  CONNECT: "iot:Connect",
  PUBLISH: "iot:Publish",
  RECEIVE: "iot:Receive",
  SUBSCRIBE: "iot:Subscribe",
};

type ConnectionValues = Pick<PolicyRequest, "context" | "variables">;

/** What policies say to one action on one resource. */
function decide(policies: readonly Policy[], authInfo: AuthInfo, values: ConnectionValues): AuthResult {
  const request = { action: actions[authInfo.actionType!]!, resource: authInfo.resources![0]!, ...values };
  const saying = (answer: "Allow" | "Deny") =>
    policies
      .filter((policy) => evaluate(policy.versions.get(policy.defaultVersion)!.document, request) === answer)
      .map(({ name, arn }) => ({ policyName: name, policyArn: arn }));
  const [denying, allowing] = [saying("Deny"), saying("Allow")];
  const isAllowed = denying.length === 0 && allowing.length > 0;
  return {
    authInfo,
    allowed: { policies: allowing },
    denied: {
      explicitDeny: { policies: denying },
      implicitDeny: { policies: [] },
    },
    authDecision: isAllowed ? "ALLOWED" : denying.length > 0 ? "EXPLICIT_DENY" : "IMPLICIT_DENY",
    missingContextValues: [],
  };
}

/** What a certificate may do, without a device that tries it. Not emulated: Cognito identities. */
export function authorizationOperations(store: Store): IotOperations {
  return {
    TestAuthorization(input, context) {
      const { principal, authInfos, clientId = "", policyNamesToAdd = [], policyNamesToSkip = [] } = input;
      check({
        principal: [principal, { required: true }],
        authInfos: [authInfos, { required: true, length: [1, 10] }],
      });
      const region = store.region(context);
      const certificate = region.certificateOf(principal!);
      if (!certificate) throw principalNotFound(principal!);
      for (const { actionType, resources } of authInfos!) {
        check({
          "authInfos.actionType": [actionType, { required: true, oneOf: Object.keys(actions) }],
          "authInfos.resources": [resources, { required: true, length: [1, 200] }],
        });
      }
      const skipped = new Set(policyNamesToSkip);
      const added = policyNamesToAdd.map((name) => findPolicy(region, name));
      if (added.some(({ name }) => skipped.has(name)))
        throw invalidRequest("A policy cannot be both in policyNamesToAdd and in policyNamesToSkip");
      const own = effectivePolicies(region, certificate, clientId).filter(({ name }) => !skipped.has(name));
      const policies = [...new Set([...own, ...added])];
      const values = connectionValues(region, certificate, clientId);
      return {
        authResults: authInfos!.flatMap(({ actionType, resources }) =>
          resources!.map((resource) => decide(policies, { actionType, resources: [resource] }, values)),
        ),
      };
    },
  };
}
