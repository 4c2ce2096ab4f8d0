import { PolicySyntaxError, readPolicy } from "./policy";
import { evaluate } from "./policy-evaluation";

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
export function allowsService(
  policy: string | undefined,
  caller: ServiceCaller,
  action: string,
  resource: string,
): boolean {
  if (!policy) return false;
  try {
    const answer = evaluate(readPolicy(policy, messages), {
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
    return answer === "Allow";
  } catch (error) {
    if (error instanceof PolicySyntaxError) return false;
    throw error;
  }
}
