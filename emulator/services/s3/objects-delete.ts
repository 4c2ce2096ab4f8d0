import type { DeletedObject, _Error as DeleteError } from "@aws-sdk/client-s3";
import { factsOf } from "../../core/access/global-keys";
import { AwsError } from "../../core/errors";
import { lostEntries } from "../../core/faults/partial";
import { limits } from "../../core/limits";
import { chain, verifyDocument } from "./checksums";
import { bucketOf, checkVersionId, type S3, type S3Operations } from "./common";
import { judgeWrite } from "./conditions";
import { accessDenied, internalError, malformedXml } from "./errors";
import { type Origin, originOf } from "./events";
import type { Bucket } from "./model";
import { type Deletion, toDelete } from "./permission";

interface Removal extends Deletion {
  readonly origin: Origin;
}

interface Removed {
  readonly deleteMarker: boolean;
  readonly versionId?: string;
}

/** Deletes one object or version. That there is nothing to delete is no error. */
function remove({ store }: S3, bucket: Bucket, { key, versionId, ifMatch, bypass, origin }: Removal): Removed {
  if (ifMatch !== undefined) judgeWrite(key, store.current(bucket, key), { IfMatch: ifMatch });
  if (versionId === undefined) {
    const marker = store.delete(bucket, key, origin);
    return marker ? { deleteMarker: true, versionId: marker.versionId } : { deleteMarker: false };
  }
  checkVersionId(versionId);
  const version = store.deleteVersion(bucket, key, versionId, origin, { bypass });
  return { deleteMarker: version?.deleteMarker === true, versionId };
}

/** DeleteObject and DeleteObjects. */
export const objectDeletes = (s3: S3): S3Operations => ({
  DeleteObject(input, context) {
    const bucket = bucketOf(s3, input, context);
    const { deleteMarker, versionId } = remove(s3, bucket, {
      key: input.Key ?? "",
      versionId: input.VersionId,
      ifMatch: input.IfMatch,
      bypass: input.BypassGovernanceRetention === true,
      origin: originOf(context),
    });
    return {
      ...(deleteMarker && { DeleteMarker: true }),
      ...(bucket.config.versioning && versionId && { VersionId: versionId }),
    };
  },

  DeleteObjects(input, context) {
    const bucket = bucketOf(s3, input, context);
    return chain(verifyDocument(context.http, true), () => {
      const objects = input.Delete?.Objects ?? [];
      if (objects.length === 0 || objects.length > limits.s3.deletes.value) throw malformedXml();
      const Deleted: DeletedObject[] = [];
      const Errors: DeleteError[] = [];
      const facts = factsOf(context);
      const lost = lostEntries(
        context,
        objects.map(({ Key }) => `arn:aws:s3:::${bucket.name}/${Key}`),
      );
      for (const [index, { Key, VersionId, ETag }] of objects.entries()) {
        const named = { Key, ...(VersionId !== undefined && { VersionId }) };
        const deletion: Deletion = {
          key: Key ?? "",
          versionId: VersionId,
          ifMatch: ETag,
          bypass: input.BypassGovernanceRetention === true,
        };
        try {
          const error = lost.errorOf(index, internalError);
          if (error) throw error;
          const needed = toDelete(s3.store, bucket, deletion, context);
          const denial = s3.authorizer.checkAll(context.identity, needed, facts);
          if (denial) throw accessDenied(context.identity.type === "Anonymous" ? undefined : denial.message);
          const { deleteMarker, versionId } = remove(s3, bucket, { ...deletion, origin: originOf(context) });
          Deleted.push({ ...named, ...(deleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: versionId }) });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          Errors.push({ ...named, Code: error.code, Message: error.message });
        }
      }
      return { ...(!input.Delete?.Quiet && { Deleted }), ...(Errors.length > 0 && { Errors }) };
    });
  },
});
