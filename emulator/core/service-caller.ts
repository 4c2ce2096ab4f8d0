import { AwsError } from "./errors";
import { PolicySyntaxError, readPolicy } from "./policy";
import { evaluate, type PolicyRequest } from "./policy-evaluation";

/** An AWS service that acts for a resource: what policies of other resources see of it. */
export interface ServiceCaller {
  /** The service principal, such as `s3.amazonaws.com`. */
  readonly principal: string;
  /** The resource it acts for, such as a bucket's ARN. */
  readonly sourceArn: string;
  /** The account of that resource. */
  readonly sourceAccount: string;
}

const broken = "malformed policy";
const messages = {
  ...{ json: broken, syntax: broken, version: broken, noStatement: broken, noEffect: broken, duplicateSid: broken },
  effect: () => broken,
};

/**
 * Whether a resource policy lets a service do something for the resource it acts for. Nothing is allowed without a
 * policy: a service principal has no identity policy that could (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services).
 */
export const allowsService = (
  policy: string | undefined,
  caller: ServiceCaller,
  action: string,
  resource: string,
): boolean =>
  allows(policy, {
    action,
    resource,
    principal: { kind: "Service", name: caller.principal },
    context: {
      "aws:SourceArn": [caller.sourceArn],
      "aws:SourceAccount": [caller.sourceAccount],
      "aws:PrincipalIsAWSService": ["true"],
      "aws:SecureTransport": ["true"],
    },
  });

/**
 * Whether a resource policy lets another account do something: without one, what an account has is its own
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
 */
export const allowsAccount = (
  policy: string | undefined,
  account: string,
  action: string,
  resource: string,
): boolean => {
  const name = `arn:aws:iam::${account}:root`;
  return allows(policy, {
    action,
    resource,
    principal: { kind: "AWS", name, account },
    context: {
      "aws:PrincipalAccount": [account],
      "aws:PrincipalArn": [name],
      // What SNS calls the caller's account in the policy that topics begin with.
      "aws:SourceOwner": [account],
      "aws:SecureTransport": ["true"],
    },
  });
};

/** The answer to an account that {@link allowsAccount} refuses. */
export const notAuthorized = (code: string, account: string, action: string, resource: string) =>
  new AwsError(
    code,
    `User: arn:aws:iam::${account}:root is not authorized to perform: ${action} on resource: ${resource} because no resource-based policy allows the ${action} action`,
    code === "AccessDeniedException" ? 400 : 403,
  );

function allows(policy: string | undefined, request: PolicyRequest): boolean {
  if (!policy) return false;
  try {
    return evaluate(readPolicy(policy, messages), request) === "Allow";
  } catch (error) {
    if (error instanceof PolicySyntaxError) return false;
    throw error;
  }
}
