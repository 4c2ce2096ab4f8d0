import { type Access, type Accesses, passRole, requestTags, resourceTags } from "../access/access";
import type { Context } from "../service";

type Keys = NonNullable<Access["conditions"]>;
type Tags = Readonly<Record<string, string>> | undefined;

/** A call to the control plane of API Gateway, as policies see it: a method on a path. */
export interface ControlCall {
  readonly method: string;
  /** Such as `/restapis/abc123/stages/prod`. */
  readonly path: string;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Reads method and path of a call. What a tag is for stays encoded, as AWS's own ARNs have it. */
export function controlCall({ http }: Context): ControlCall {
  const path = http.url.split("?", 1)[0]!.replace(/^\/v2\//, "/");
  return { method: http.method, path: path.startsWith("/tags/") ? path : decoded(path) };
}

/** The ARN of something in API Gateway, by its path; it has no account. */
export const controlArn = ({ region }: Pick<Context, "region">, path: string): string =>
  `arn:aws:apigateway:${region}::${path}`;

/** The path of an ARN. */
export const pathOf = (arn: string | undefined): string => arn?.split("::")[1] ?? "";

/** Permission for a method on a path: the actions of API Gateway are HTTP's. */
export const permission = (action: string, path: string, context: Context, conditions: Keys): Access => ({
  action: `apigateway:${action}`,
  resource: controlArn(context, path),
  // The owner is in no ARN.
  owner: context.account,
  conditions,
});

/**
 * What is made with tags needs permission for these, too, on a path of all that may be made there: with PUT for REST APIs,
 * with POST for the others, which is what AWS's denials name.
 */
export function tagsOfNew({ method, path }: { method: "PUT" | "POST"; path: string }, tags: Tags, context: Context) {
  if (!tags || Object.keys(tags).length === 0) return [];
  const arn = encodeURIComponent(controlArn(context, `${path}/`));
  return [permission(method, `/tags/${arn}*`, context, requestTags(tags))];
}

/** Permission to hand a role to API Gateway; `arn:aws:iam::*:user/*` stands for the caller's own credentials. */
export const passToGateway = (arn: string | undefined): readonly Access[] =>
  arn?.includes(":role/") ? passRole(arn, "apigateway.amazonaws.com") : [];

/** The condition keys of what is at a path, with its tags and those of the API that it belongs to. */
export const keysAt = (tags: readonly Tags[], more: Keys = {}): Keys => ({
  ...resourceTags(tags.flatMap((one) => Object.entries(one ?? {}))),
  ...more,
});

/** Values of a condition key; none where there is nothing to see. */
export const values = (...given: readonly unknown[]): readonly string[] | undefined => {
  const known = given.flatMap((one) => (one === undefined || one === null ? [] : [String(one)]));
  return known.length > 0 ? known : undefined;
};

/** What every operation of a table needs, by its address. */
export const byAddress = (
  operations: object,
  access: (input: object, context: Context) => Accesses,
): Record<string, typeof access> => Object.fromEntries(Object.keys(operations).map((name) => [name, access]));
