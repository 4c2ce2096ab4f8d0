import type { ObjectLockRetention } from "@aws-sdk/client-s3";
import type { Context } from "../../core/service";
import { defaultGrants, ownerOf, requestedGrants } from "./acl";
import { chain, verifyDocument } from "./checksums";
import { bucketOf, objectOf, type S3, type S3Operations, shownVersion } from "./common";
import { accessDenied, invalidArgument, invalidRequest, malformedXml, noObjectLock } from "./errors";
import { originOf } from "./events";
import type { Attributes, Bucket, StoredObject } from "./model";
import { checkedTags } from "./tags";

interface ObjectInput {
  readonly Bucket?: string;
  readonly Key?: string;
  readonly VersionId?: string;
  readonly ExpectedBucketOwner?: string;
}

/** Puts a changed copy in the place of a version: stored objects themselves never change. */
export function amend(bucket: Bucket, object: StoredObject, changes: Partial<Attributes>): void {
  const versions = bucket.objects.get(object.key) ?? [];
  versions[versions.indexOf(object)] = { ...object, ...changes };
}

/** Tags, ACL and lock of an object, which change without a new version. */
export function objectProperties(s3: S3): S3Operations {
  const find = (input: ObjectInput, context: Context) => {
    const bucket = bucketOf(s3, input, context);
    return { bucket, object: objectOf(bucket, input.Key ?? "", input.VersionId, context.http.method) };
  };
  const lockable = (input: ObjectInput, context: Context) => {
    const found = find(input, context);
    if (!found.bucket.config.objectLock) throw invalidRequest("Bucket is missing Object Lock Configuration");
    return found;
  };

  return {
    GetObjectTagging(input, context) {
      const { bucket, object } = find(input, context);
      return { TagSet: [...object.tags], ...shownVersion(bucket, object) };
    },
    PutObjectTagging(input, context) {
      return chain(verifyDocument(context.http), () => {
        const { bucket, object } = find(input, context);
        amend(bucket, object, { tags: checkedTags(input.Tagging?.TagSet ?? [], "Object") });
        s3.store.tell({ name: "ObjectTagging:Put", bucket, version: object, origin: originOf(context) });
        return shownVersion(bucket, object);
      });
    },
    DeleteObjectTagging(input, context) {
      const { bucket, object } = find(input, context);
      amend(bucket, object, { tags: [] });
      s3.store.tell({ name: "ObjectTagging:Delete", bucket, version: object, origin: originOf(context) });
      return shownVersion(bucket, object);
    },

    GetObjectAcl(input, context) {
      const { bucket, object } = find(input, context);
      return { Owner: ownerOf(bucket.account), Grants: [...(object.grants ?? defaultGrants(bucket.account))] };
    },
    PutObjectAcl(input, context) {
      return chain(verifyDocument(context.http), () => {
        const { bucket, object } = find(input, context);
        amend(bucket, object, { grants: requestedGrants(bucket, input) });
        s3.store.tell({ name: "ObjectAcl:Put", bucket, version: object, origin: originOf(context) });
        return {};
      });
    },

    GetObjectRetention(input, context) {
      const { object } = lockable(input, context);
      if (!object.retention) throw noObjectLock();
      return { Retention: object.retention };
    },
    PutObjectRetention(input, context) {
      return chain(verifyDocument(context.http), () => {
        const { bucket, object } = lockable(input, context);
        const wanted = checkedRetention(input.Retention, s3.now());
        if (weakens(object.retention, wanted, s3.now(), input.BypassGovernanceRetention === true)) {
          throw accessDenied("Access Denied because object protected by object lock.");
        }
        amend(bucket, object, { retention: wanted });
        return {};
      });
    },

    GetObjectLegalHold(input, context) {
      const { object } = lockable(input, context);
      if (!object.legalHold) throw noObjectLock();
      return { LegalHold: { Status: object.legalHold } };
    },
    PutObjectLegalHold(input, context) {
      return chain(verifyDocument(context.http), () => {
        const { bucket, object } = lockable(input, context);
        const status = input.LegalHold?.Status;
        if (status !== "ON" && status !== "OFF") throw malformedXml();
        amend(bucket, object, { legalHold: status });
        return {};
      });
    },
  };
}

function checkedRetention(retention: ObjectLockRetention | undefined, now: number): ObjectLockRetention | undefined {
  const { Mode, RetainUntilDate } = retention ?? {};
  if (!Mode && !RetainUntilDate) return undefined;
  if ((Mode !== "GOVERNANCE" && Mode !== "COMPLIANCE") || !RetainUntilDate) throw malformedXml();
  if (RetainUntilDate.getTime() <= now) {
    throw invalidArgument("The retain until date must be in the future!", "RetainUntilDate");
  }
  return { Mode, RetainUntilDate };
}

/** A lock may grow, but shrink only in GOVERNANCE mode by somebody who bypasses it. */
function weakens(
  old: ObjectLockRetention | undefined,
  wanted: ObjectLockRetention | undefined,
  now: number,
  bypass: boolean,
): boolean {
  const until = old?.RetainUntilDate?.getTime() ?? 0;
  if (!old || until <= now) return false;
  const shorter = (wanted?.RetainUntilDate?.getTime() ?? 0) < until;
  const softer = old.Mode === "COMPLIANCE" && wanted?.Mode !== "COMPLIANCE";
  return (shorter || softer) && !(bypass && old.Mode === "GOVERNANCE");
}
