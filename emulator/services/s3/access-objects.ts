import type * as Sdk from "@aws-sdk/client-s3";
import type { Access, Accesses, AccessTable } from "../../core/access/access";
import type { Context, InputOf } from "../../core/service";
import type { AttributeInput } from "./attributes";
import type { S3 } from "./common";
import type { Bucket } from "./model";
import { type CopySourceInput, parseCopySource } from "./objects-write";
import { findVersion, type Keys, one, permission, tagKeys, toBypass, toDelete } from "./permission";

interface ObjectInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string;
}

type WriteInput = ObjectInput & AttributeInput;
type Input<Name extends string> = InputOf<typeof Sdk, Name>;

const isAclGiven = (input: AttributeInput) =>
  (input.ACL ?? input.GrantFullControl ?? input.GrantRead ?? input.GrantReadACP ?? input.GrantWriteACP) !== undefined;

/**
 * What operations on objects need
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html#using-with-s3-policy-actions-related-to-objects).
 */
export function objectAccess({ store, now }: S3): AccessTable<typeof Sdk> {
  /** Of a bucket that is not there is nothing to protect: the operation says so. */
  const at =
    <Given extends ObjectInput>(needs: (bucket: Bucket, input: Given, context: Context) => Accesses) =>
    (input: Given, context: Context): Accesses => {
      const bucket = store.find(input.Bucket ?? "");
      return bucket ? needs(bucket, input, context) : "public";
    };
  /** For an object that is there. Who may not list a bucket does not learn that there is none (API reference: GetObject). */
  const existing = (
    bucket: Bucket,
    { Key: key = "", VersionId: versionId }: ObjectInput,
    context: Context,
    actions: readonly string[],
    more?: () => Keys,
  ): Access[] => {
    const version = findVersion(bucket, key, versionId);
    const conditions = () => ({ "s3:versionid": one(versionId), ...more?.() });
    const needed = actions.map((action) => permission(action, bucket, context, { key, version, conditions }));
    return version && !version.deleteMarker ? needed : [...needed, permission("ListBucket", bucket, context)];
  };
  /** Actions have other names where a request names a version: GetObjectVersionTagging for GetObjectTagging. */
  const named = (actions: readonly string[], { VersionId }: ObjectInput) =>
    VersionId === undefined ? actions : actions.map((action) => action.replace("Object", "ObjectVersion"));
  const reading = (...actions: string[]) =>
    at((bucket, input, context) => existing(bucket, input, context, named(actions, input)));
  /** Retention and legal hold know no other names for versions. */
  const locking = (action: string) => at((bucket, input, context) => existing(bucket, input, context, [action]));

  const write = (bucket: Bucket, input: WriteInput, context: Context, creates: boolean): Access[] => {
    const conditions = () => ({ ...writeKeys(input, now()), "s3:ObjectCreationOperation": [String(creates)] });
    const on = (action: string) => permission(action, bucket, context, { key: input.Key ?? "", conditions });
    return [
      on("PutObject"),
      ...(isAclGiven(input) ? [on("PutObjectAcl")] : []),
      ...(input.Tagging ? [on("PutObjectTagging")] : []),
      ...(input.ObjectLockMode || input.ObjectLockRetainUntilDate ? [on("PutObjectRetention")] : []),
      ...(input.ObjectLockLegalHoldStatus ? [on("PutObjectLegalHold")] : []),
    ];
  };
  const source = ({ CopySource = "" }: CopySourceInput, context: Context) => {
    const { bucket: name = "", key = "", versionId } = parseCopySource(CopySource) ?? {};
    const bucket = store.find(name);
    if (!bucket) return { read: () => [], hasTags: false };
    const input = { Key: key, VersionId: versionId };
    const version = findVersion(bucket, key, versionId);
    return {
      read: (action: string) => existing(bucket, input, context, named([action], input)),
      hasTags: !!version && !version.deleteMarker && version.tags.length > 0,
    };
  };
  /** A part, or all of them, of an object whose properties its first request has set. */
  const part = (creates: boolean) => at((bucket, { Key }, context) => write(bucket, { Key }, context, creates));
  const onUpload = (action: string) =>
    at((bucket, { Key: key = "" }, context) => permission(action, bucket, context, { key }));

  return {
    GetObject: reading("GetObject"),
    HeadObject: reading("GetObject"),
    GetObjectAttributes: reading("GetObject", "GetObjectAttributes"),
    GetObjectTagging: reading("GetObjectTagging"),
    PutObjectTagging: at((bucket, input: Input<"PutObjectTagging">, context) =>
      existing(bucket, input, context, named(["PutObjectTagging"], input), () =>
        requestedTags(input.Tagging?.TagSet ?? []),
      ),
    ),
    DeleteObjectTagging: reading("DeleteObjectTagging"),
    GetObjectAcl: reading("GetObjectAcl"),
    PutObjectAcl: reading("PutObjectAcl"),
    GetObjectRetention: locking("GetObjectRetention"),
    PutObjectRetention: at((bucket, input: Input<"PutObjectRetention">, context) => {
      const { Key: key = "", VersionId, Retention, BypassGovernanceRetention: bypass } = input;
      return [
        ...existing(bucket, input, context, ["PutObjectRetention"], () =>
          lockKeys(Retention?.Mode, Retention?.RetainUntilDate, now()),
        ),
        ...(bypass ? toBypass(store, bucket, key, findVersion(bucket, key, VersionId), context) : []),
      ];
    }),
    GetObjectLegalHold: locking("GetObjectLegalHold"),
    PutObjectLegalHold: at((bucket, input: Input<"PutObjectLegalHold">, context) =>
      existing(bucket, input, context, ["PutObjectLegalHold"], () => ({
        "s3:object-lock-legal-hold": one(input.LegalHold?.Status),
      })),
    ),

    PutObject: at((bucket, input: WriteInput, context) => write(bucket, input, context, true)),
    CopyObject: at((bucket, input: Input<"CopyObject">, context) => {
      const { read, hasTags } = source(input, context);
      const copiesTags = hasTags && input.TaggingDirective !== "REPLACE";
      const key = input.Key ?? "";
      return [
        ...read("GetObject"),
        ...(copiesTags ? read("GetObjectTagging") : []),
        ...write(bucket, input, context, true),
        ...(copiesTags && !input.Tagging ? [permission("PutObjectTagging", bucket, context, { key })] : []),
      ];
    }),
    DeleteObject: at((bucket, input: Input<"DeleteObject">, context) => {
      const { Key: key = "", VersionId: versionId, IfMatch: ifMatch, BypassGovernanceRetention: bypass } = input;
      return toDelete(store, bucket, { key, versionId, ifMatch, bypass: bypass === true }, context);
    }),
    // Each key is judged by itself: what may not be deleted is in the answer.
    DeleteObjects: () => "public",

    CreateMultipartUpload: at((bucket, input: WriteInput, context) => write(bucket, input, context, false)),
    UploadPart: part(false),
    UploadPartCopy: at((bucket, input: Input<"UploadPartCopy">, context) => [
      ...source(input, context).read("GetObject"),
      ...write(bucket, { Key: input.Key }, context, false),
    ]),
    CompleteMultipartUpload: part(true),
    AbortMultipartUpload: onUpload("AbortMultipartUpload"),
    ListParts: onUpload("ListMultipartUploadParts"),
  };
}

/** The keys of what a write says about the object. */
function writeKeys({ Tagging, ObjectLockMode, ObjectLockRetainUntilDate, ...input }: WriteInput, now: number): Keys {
  const tags = [...new URLSearchParams(Tagging ?? "")].map(([Key, Value]) => ({ Key, Value }));
  return {
    ...requestedTags(tags),
    ...lockKeys(ObjectLockMode, ObjectLockRetainUntilDate, now),
    "s3:object-lock-legal-hold": one(input.ObjectLockLegalHoldStatus),
  };
}

const requestedTags = (tags: readonly Sdk.Tag[]): Keys => ({
  ...tagKeys("RequestObjectTag", tags),
  "s3:RequestObjectTagKeys": tags.length > 0 ? tags.map(({ Key = "" }) => Key) : undefined,
});

function lockKeys(mode: string | undefined, until: Date | undefined, now: number): Keys {
  const days = until && Math.ceil((until.getTime() - now) / 86_400_000);
  return {
    "s3:object-lock-mode": one(mode),
    "s3:object-lock-retain-until-date": one(until?.toISOString()),
    "s3:object-lock-remaining-retention-days": one(days?.toString()),
  };
}
