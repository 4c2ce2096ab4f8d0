import type { Grant, Permission } from "@aws-sdk/client-s3";
import type { Identity } from "../../core/access/identity";
import { readResourcePolicy } from "../../core/access/resource-policy";
import type { PolicyDocument, Principals, Statement } from "../../core/policy";
import { ownerOf } from "./acl";
import type { Bucket, Version } from "./model";
import { isPublic } from "./policy";

/** What a permission of an ACL allows (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping). */
const bucketActions: Partial<Record<Permission, readonly string[]>> = {
  READ: ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
  READ_ACP: ["s3:GetBucketAcl"],
  WRITE_ACP: ["s3:PutBucketAcl"],
};
const contentActions: Partial<Record<Permission, readonly string[]>> = { WRITE: ["s3:PutObject"] };
const objectActions: Partial<Record<Permission, readonly string[]>> = {
  READ: ["s3:GetObject", "s3:GetObjectVersion"],
  READ_ACP: ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
  WRITE_ACP: ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
};

const granted = (actions: Partial<Record<Permission, readonly string[]>>, permission: Permission | undefined) =>
  permission === "FULL_CONTROL" ? Object.values(actions).flat() : (permission && actions[permission]) || [];

/**
 * The policy of a bucket as it counts for a caller: with what ACLs grant, and without what Block Public Access takes
 * away (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html). Mostly that is
 * the text alone.
 *
 * @param object the object that it is about, whose own ACL counts.
 */
export function policyFor(
  bucket: Bucket,
  object: Version | undefined,
  identity: Identity,
): string | PolicyDocument | undefined {
  const { policy, grants, ownership, publicAccessBlock } = bucket.config;
  const own = object?.deleteMarker ? undefined : object?.grants;
  const hasAcl = (grants !== undefined || own !== undefined) && ownership !== "BucketOwnerEnforced";
  const isRestricted =
    policy !== undefined && publicAccessBlock?.RestrictPublicBuckets === true && identity.account !== bucket.account;
  if (!hasAcl && !isRestricted) return policy;
  const read = readResourcePolicy(policy);
  const written = read?.statements ?? [];
  return {
    version: "2012-10-17",
    statements: [
      ...(isRestricted && read && isPublic(read) ? written.filter(({ effect }) => effect === "Deny") : written),
      ...(hasAcl ? statementsOf(bucket, object?.key, grants ?? [], own ?? [], identity) : []),
    ],
  };
}

function statementsOf(
  bucket: Bucket,
  key: string | undefined,
  grants: readonly Grant[],
  own: readonly Grant[],
  identity: Identity,
): Statement[] {
  const ignoresPublic = bucket.config.publicAccessBlock?.IgnorePublicAcls === true;
  const arn = `arn:aws:s3:::${bucket.name}`;
  const allow = (
    list: readonly Grant[],
    resource: string,
    actions: Partial<Record<Permission, readonly string[]>>,
  ): Statement[] =>
    list.flatMap((grant) => {
      const principals = principalsOf(grant, identity, ignoresPublic);
      if (!principals) return [];
      const allowed = granted(actions, grant.Permission);
      return { effect: "Allow", principals, actions: allowed, resources: [resource], conditions: [] };
    });
  return [
    ...allow(grants, arn, bucketActions),
    ...allow(grants, `${arn}/*`, contentActions),
    ...(key === undefined ? [] : allow(own, `${arn}/${key}`, objectActions)),
  ];
}

/** Whom a grant speaks of, if the caller is among them. */
function principalsOf({ Grantee }: Grant, identity: Identity, ignoresPublic: boolean): Principals | undefined {
  const account: Principals = { AWS: [identity.account] };
  if (Grantee?.ID !== undefined) return Grantee.ID === ownerOf(identity.account).ID ? account : undefined;
  if (ignoresPublic) return undefined;
  if (Grantee?.URI?.endsWith("/global/AllUsers")) return { AWS: ["*"] };
  return Grantee?.URI?.endsWith("/global/AuthenticatedUsers") && identity.type !== "Anonymous" ? account : undefined;
}
