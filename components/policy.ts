import * as pulumi from "@pulumi/pulumi";

/**
 * One thing that a function may do. As in IAM's policy language:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
 */
export interface PolicyStatement {
  /** What it may do, such as `dynamodb:GetItem`. */
  actions: pulumi.Input<pulumi.Input<string>[]>;
  /** The ARNs that it may do it to. */
  resources: pulumi.Input<pulumi.Input<string>[]>;
  /** When it may; always, when there is no condition. */
  conditions?: pulumi.Input<Record<string, Record<string, pulumi.Input<string>>>>;
}

/** A policy document that allows what the statements say, and nothing else. */
export function allow(statements: readonly PolicyStatement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: statements.map(({ actions, resources, conditions }) => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources,
      ...(conditions && { Condition: conditions }),
    })),
  });
}

/**
 * The trust policy of a role that an AWS service takes. It needs no condition on the account: a role can only be given
 * to a service in its own account (iam:PassRole does not cross accounts).
 */
export function trust(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}
