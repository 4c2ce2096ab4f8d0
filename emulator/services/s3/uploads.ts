import { noSuchUpload } from "./errors";
import type { Bucket, Upload } from "./model";

/** The upload that a request names by key and id. */
export function uploadOf(bucket: Bucket, key: string | undefined, id: string | undefined): Upload {
  const upload = bucket.uploads.get(key ?? "")?.find((candidate) => candidate.id === id);
  if (!upload) throw noSuchUpload(id ?? "");
  return upload;
}

/** Ends an upload; its parts are gone with it. */
export function removeUpload(bucket: Bucket, upload: Upload): void {
  const rest = (bucket.uploads.get(upload.key) ?? []).filter((other) => other !== upload);
  if (rest.length > 0) bucket.uploads.set(upload.key, rest);
  else bucket.uploads.delete(upload.key);
}
