import { randomUUID } from "node:crypto";
import { conflict, invalidParameter, noSuchResource, notFound, revisionMismatch } from "./errors";
import { check, checkQualifier, findFunction } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import type { FunctionRecord, LambdaState } from "./state";

/** A statement of a function's resource policy, in the JSON that GetPolicy shows. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: "*" | { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The resource policy of one qualifier. */
export interface FunctionPolicy {
  revisionId: string;
  readonly statements: Map<string, PolicyStatement>;
  /** As IAM's evaluation reads it: made once, because each invocation by a service asks it. */
  text: string;
}

/** The policy of what an ARN names; undefined where nobody was let in. */
export const policyOf = ({ fn, qualifier = "" }: { fn: FunctionRecord; qualifier?: string }): string | undefined =>
  fn.policies.get(qualifier)?.text;

/** Resource policies: who may invoke a function, version or alias. */
export const permissionOperations = ({ states }: Parts): LambdaOperations => ({
  AddPermission(input, context) {
    check({
      statementId: [input.StatementId, { required: true, length: [1, 100], pattern: /^[a-zA-Z0-9-_]+$/ }],
      action: [input.Action, { required: true, pattern: /^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/ }],
      principal: [input.Principal, { required: true, pattern: /^[^\s]+$/ }],
      sourceAccount: [input.SourceAccount, { pattern: /^\d{12}$/ }],
      sourceArn: [input.SourceArn, { pattern: /^arn:(aws[a-zA-Z0-9-]*):[a-zA-Z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$/ }],
      functionUrlAuthType: [input.FunctionUrlAuthType, { oneOf: ["NONE", "AWS_IAM"] }],
    });
    const { fn, qualifier } = target(states.of(context), input.FunctionName, input.Qualifier);
    if (qualifier === "$LATEST") {
      throw invalidParameter("We currently do not support adding policies for $LATEST.");
    }
    const policy = fn.policies.get(qualifier) ?? { revisionId: randomUUID(), statements: new Map(), text: "" };
    if (input.RevisionId && input.RevisionId !== policy.revisionId) throw revisionMismatch();
    if (policy.statements.has(input.StatementId!)) {
      throw conflict(
        `The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      );
    }
    const equals = {
      ...(input.SourceAccount && { "AWS:SourceAccount": input.SourceAccount }),
      ...(input.PrincipalOrgID && { "aws:PrincipalOrgID": input.PrincipalOrgID }),
      ...(input.EventSourceToken && { "lambda:EventSourceToken": input.EventSourceToken }),
      ...(input.FunctionUrlAuthType && { "lambda:FunctionUrlAuthType": input.FunctionUrlAuthType }),
    };
    const conditions = {
      ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
      ...(input.SourceArn && { ArnLike: { "AWS:SourceArn": input.SourceArn } }),
      ...(input.InvokedViaFunctionUrl !== undefined && {
        Bool: { "lambda:InvokedViaFunctionUrl": String(input.InvokedViaFunctionUrl) },
      }),
    };
    const statement: PolicyStatement = {
      Sid: input.StatementId!,
      Effect: "Allow",
      Principal: principal(input.Principal!),
      Action: input.Action!,
      Resource: qualifier ? `${fn.arn}:${qualifier}` : fn.arn,
      ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
    };
    policy.statements.set(statement.Sid, statement);
    changed(policy);
    fn.policies.set(qualifier, policy);
    return { Statement: JSON.stringify(statement) };
  },

  RemovePermission(input, context) {
    check({ statementId: [input.StatementId, { required: true, length: [1, 100], pattern: /^[a-zA-Z0-9-_.]+$/ }] });
    const { fn, qualifier } = target(states.of(context), input.FunctionName, input.Qualifier);
    const policy = fn.policies.get(qualifier);
    if (!policy) throw notFound("No policy is associated with the given resource.");
    if (input.RevisionId && input.RevisionId !== policy.revisionId) throw revisionMismatch();
    if (!policy.statements.delete(input.StatementId!)) {
      throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
    }
    changed(policy);
    if (policy.statements.size === 0) fn.policies.delete(qualifier);
    return {};
  },

  GetPolicy(input, context) {
    const { fn, qualifier } = target(states.of(context), input.FunctionName, input.Qualifier);
    const policy = fn.policies.get(qualifier);
    if (!policy) throw noSuchResource();
    return { Policy: policy.text, RevisionId: policy.revisionId };
  },
});

function changed(policy: FunctionPolicy): void {
  const Statement = [...policy.statements.values()];
  policy.text = JSON.stringify({ Version: "2012-10-17", Id: "default", Statement });
  policy.revisionId = randomUUID();
}

function target(
  state: LambdaState,
  functionName?: string,
  qualifierParameter?: string,
): { fn: FunctionRecord; qualifier: string } {
  const { fn, qualifier = "" } = findFunction(state, functionName, qualifierParameter);
  if (qualifier) checkQualifier(fn, qualifier);
  return { fn, qualifier };
}

function principal(text: string): PolicyStatement["Principal"] {
  if (text === "*") return text;
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` };
  if (/^arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:.+$/.test(text)) return { AWS: text };
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com|amazon\.com|alexa\.com)(\.cn)?$/.test(text))
    return { Service: text };
  throw invalidParameter("The provided principal was invalid. Please check the principal and try again.");
}
