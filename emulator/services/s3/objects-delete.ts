import type { DeletedObject, _Error as DeleteError } from "@aws-sdk/client-s3";
import { AwsError } from "../../core/errors";
import { bucketOf, checkVersionId, type S3, type S3Operations } from "./access";
import { chain, verifyDocument } from "./checksums";
import { judgeWrite } from "./conditions";
import { refuseDenied } from "./denied";
import { malformedXml } from "./errors";
import { type Origin, originOf } from "./events";
import type { Bucket } from "./model";

interface Removal {
  readonly key: string;
  readonly versionId?: string;
  readonly ifMatch?: string;
  readonly bypass: boolean;
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
    refuseDenied(bucket, "s3:DeleteObject", input.Key ?? "", context);
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
      if (objects.length === 0 || objects.length > 1000) throw malformedXml();
      const Deleted: DeletedObject[] = [];
      const Errors: DeleteError[] = [];
      for (const { Key, VersionId, ETag } of objects) {
        const named = { Key, ...(VersionId !== undefined && { VersionId }) };
        try {
          const { deleteMarker, versionId } = remove(s3, bucket, {
            key: Key ?? "",
            versionId: VersionId,
            ifMatch: ETag,
            bypass: input.BypassGovernanceRetention === true,
            origin: originOf(context),
          });
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
