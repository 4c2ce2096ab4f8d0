import type { PolicyDocument } from "../policy";
import type { Context, InputOf, OperationName } from "../service";

/** One thing that a call does, as policies name it. */
export interface Access {
  /** For example `sqs:SendMessage`; what an operation needs may have another name than the operation. */
  readonly action: string;
  /** ARN, or `*` where the action knows no resources. */
  readonly resource: string;
  /** How the sentence of a denial names the resource, where not by its ARN: IAM says `role worker`. */
  readonly shown?: string;
  /**
   * Condition keys of the service, `aws:ResourceTag/…`, `aws:RequestTag/…` and `aws:TagKeys`. Only read when a policy has
   * conditions: a getter, where they cost something.
   */
  readonly conditions?: Readonly<Record<string, readonly string[] | undefined>>;
  /** The policy of the resource itself, as JSON or read, where it has one. */
  readonly policy?: string | PolicyDocument;
  /** The account that has the resource, where its ARN names none (S3). @default the ARN's, else the caller's */
  readonly owner?: string;
  /** Whether the policy of the resource has to allow it even in its own account, as the trust policies of roles. */
  readonly policyRequired?: boolean;
}

/** What a call needs: one or several permissions, all of them, or none (`public`, as signing in to a user pool). */
export type Accesses = Access | readonly Access[] | "public";

/**
 * What each operation of a service needs, by the service authorization reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/). An entry never throws: what an input lacks
 * leaves a wider resource, and the operation refuses it afterwards.
 */
export type AccessTable<Sdk> = {
  readonly [Name in OperationName<Sdk> & string]?: (input: InputOf<Sdk, Name>, context: Context) => Accesses;
};

/** Tags as requests write them: an object, or a list. */
export type RequestTags =
  | Readonly<Record<string, string | undefined>>
  | readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[];

/** The condition keys of tags that a request sets, or of those whose keys it takes away. */
export function requestTags(
  tags: RequestTags | undefined,
  removed: readonly string[] = [],
): Record<string, readonly string[]> {
  const entries = Array.isArray(tags)
    ? tags.map(({ Key, Value }): [string, string | undefined] => [Key ?? "", Value])
    : Object.entries(tags ?? {});
  if (entries.length + removed.length === 0) return {};
  return {
    "aws:TagKeys": [...entries.map(([key]) => key), ...removed],
    ...Object.fromEntries(entries.map(([key, value]) => [`aws:RequestTag/${key}`, [value ?? ""]])),
  };
}

/** The condition keys of tags that a resource has. */
export const resourceTags = (
  tags: Iterable<readonly [key: string, value: string]> | undefined,
): Record<string, readonly string[]> =>
  Object.fromEntries([...(tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, [value]]));

/** Permission to hand a role to a service. */
export const passRole = (roleArn: string | undefined, service: string): readonly Access[] =>
  roleArn ? [{ action: "iam:PassRole", resource: roleArn, conditions: { "iam:PassedToService": [service] } }] : [];
