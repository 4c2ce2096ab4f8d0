import { hash } from "node:crypto";
import type { AccessControlPolicy, Grant, Grantee, Owner, Permission } from "@aws-sdk/client-s3";
import { accessDenied, aclsNotSupported, invalidArgument, malformedXml } from "./errors";
import type { Bucket } from "./model";

/** The canonical user id of an account. S3 gives no display names any more (since November 2025). */
export const ownerOf = (account: string): Owner => ({ ID: hash("sha256", `canonical user of ${account}`, "hex") });

export interface AclInput {
  readonly ACL?: string;
  readonly GrantFullControl?: string;
  readonly GrantRead?: string;
  readonly GrantReadACP?: string;
  readonly GrantWrite?: string;
  readonly GrantWriteACP?: string;
}

const group = (name: string): Grantee => ({ Type: "Group", URI: `http://acs.amazonaws.com/groups/${name}` });
const everyone = group("global/AllUsers");
const authenticated = group("global/AuthenticatedUsers");
const logDelivery = group("s3/LogDelivery");

/** What each canned ACL grants beside FULL_CONTROL to the owner (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl). */
const canned: Record<string, readonly [Grantee, Permission][]> = {
  private: [],
  "public-read": [[everyone, "READ"]],
  "public-read-write": [
    [everyone, "READ"],
    [everyone, "WRITE"],
  ],
  "aws-exec-read": [],
  "authenticated-read": [[authenticated, "READ"]],
  "bucket-owner-read": [],
  "bucket-owner-full-control": [],
  "log-delivery-write": [
    [logDelivery, "WRITE"],
    [logDelivery, "READ_ACP"],
  ],
};

const granteeOf = (owner: Owner): Grantee => ({ Type: "CanonicalUser", ...owner });

/** The grants where nobody set any. */
export const defaultGrants = (account: string): Grant[] => [
  { Grantee: granteeOf(ownerOf(account)), Permission: "FULL_CONTROL" },
];

/**
 * The grants that headers ask for; undefined when they ask for none or for what is so anyway.
 *
 * @throws AccessControlListNotSupported where ACLs are disabled, AccessDenied where public ones are blocked.
 */
export function grantsFor(bucket: Bucket, input: AclInput): Grant[] | undefined {
  const byHeader = grantsOfHeaders(input);
  if (input.ACL === undefined && byHeader.length === 0) return undefined;
  if (input.ACL !== undefined && byHeader.length > 0) {
    throw invalidArgument("Specifying both Canned ACLs and Header Grants is not allowed", "x-amz-acl", input.ACL);
  }
  if (input.ACL !== undefined && !Object.hasOwn(canned, input.ACL)) {
    throw invalidArgument("", "x-amz-acl", input.ACL);
  }
  if (bucket.config.ownership === "BucketOwnerEnforced") {
    // The one ACL that says what holds anyway (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html).
    if (input.ACL === "bucket-owner-full-control") return undefined;
    throw aclsNotSupported();
  }
  const grants =
    input.ACL === undefined
      ? byHeader
      : [
          ...defaultGrants(bucket.account),
          ...canned[input.ACL]!.map(([Grantee, Permission]) => ({ Grantee, Permission })),
        ];
  return unblocked(bucket, grants);
}

/** Grants of a PutBucketAcl or PutObjectAcl request: by headers or by document. */
export function requestedGrants(
  bucket: Bucket,
  input: AclInput & { AccessControlPolicy?: AccessControlPolicy },
): Grant[] {
  const document = input.AccessControlPolicy;
  if (!document?.Grants) {
    const byHeader = grantsFor(bucket, input);
    if (byHeader || input.ACL) return byHeader ?? defaultGrants(bucket.account);
    throw malformedXml();
  }
  if (bucket.config.ownership === "BucketOwnerEnforced") throw aclsNotSupported();
  for (const { Grantee, Permission } of document.Grants) {
    if (!Permission || !Grantee || !(Grantee.ID ?? Grantee.URI ?? Grantee.EmailAddress)) throw malformedXml();
  }
  return unblocked(bucket, document.Grants);
}

function unblocked(bucket: Bucket, grants: Grant[]): Grant[] {
  const isPublic = grants.some(({ Grantee }) => Grantee?.URI === everyone.URI || Grantee?.URI === authenticated.URI);
  if (isPublic && bucket.config.publicAccessBlock?.BlockPublicAcls) throw accessDenied();
  return grants;
}

function grantsOfHeaders(input: AclInput): Grant[] {
  const permissions: readonly [string | undefined, Permission][] = [
    [input.GrantFullControl, "FULL_CONTROL"],
    [input.GrantRead, "READ"],
    [input.GrantReadACP, "READ_ACP"],
    [input.GrantWrite, "WRITE"],
    [input.GrantWriteACP, "WRITE_ACP"],
  ];
  return permissions.flatMap(([header, Permission]) =>
    header ? header.split(",").map((text) => ({ Grantee: granteeOfHeader(text.trim()), Permission })) : [],
  );
}

/** `id="..."`, `uri="..."` or `emailAddress="..."`. */
function granteeOfHeader(text: string): Grantee {
  const [, kind, value] = /^(id|uri|emailAddress)\s*=\s*"?([^"]*)"?$/i.exec(text) ?? [];
  if (kind?.toLowerCase() === "id") return { Type: "CanonicalUser", ID: value };
  if (kind?.toLowerCase() === "uri") return { Type: "Group", URI: value };
  if (kind) return { Type: "AmazonCustomerByEmail", EmailAddress: value };
  throw invalidArgument("Argument format not recognized", "x-amz-grant", text);
}
