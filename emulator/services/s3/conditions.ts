import { noSuchKey, notImplementedHeader, preconditionFailed } from "./errors";
import type { StoredObject } from "./model";

/** The conditions of a read (RFC 9110, section 13), under the names of GetObject's input. */
export interface ReadConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly IfModifiedSince?: Date;
  readonly IfUnmodifiedSince?: Date;
}

/** Whether a list of entity tags (with or without quotes) or `*` names the object. */
const names = (header: string, etag: string): boolean =>
  header
    .split(",")
    .map((tag) => tag.trim())
    .some((tag) => tag === "*" || tag.replace(/^(?:W\/)?"?|"$/g, "") === etag);

/** HTTP dates have whole seconds. */
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

/** Judges a read: "modified" to answer in full, "same" for 304; throws 412. */
export function judgeRead(
  { etag, modified }: Pick<StoredObject, "etag" | "modified">,
  { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince }: ReadConditions,
  now: number,
): "modified" | "same" {
  if (IfMatch !== undefined) {
    if (!names(IfMatch, etag)) throw preconditionFailed("If-Match");
  } else if (IfUnmodifiedSince && seconds(modified) > seconds(IfUnmodifiedSince.getTime())) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  if (IfNoneMatch !== undefined) return names(IfNoneMatch, etag) ? "same" : "modified";
  // A date in the future is no valid condition (RFC 9110, 13.1.3).
  if (IfModifiedSince && IfModifiedSince.getTime() <= now && seconds(modified) <= seconds(IfModifiedSince.getTime())) {
    return "same";
  }
  return "modified";
}

/** Judges the source of a copy: there a 304 is a 412 too. */
export function judgeCopySource(source: StoredObject, conditions: ReadConditions, now: number): void {
  const judged = judgeRead(source, conditions, now);
  if (judged === "same") {
    throw preconditionFailed(
      conditions.IfNoneMatch !== undefined ? "x-amz-copy-source-If-None-Match" : "x-amz-copy-source-If-Modified-Since",
    );
  }
}

/**
 * Judges a conditional write against the current object
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
 */
export function judgeWrite(
  key: string,
  current: StoredObject | undefined,
  { IfMatch, IfNoneMatch }: { readonly IfMatch?: string; readonly IfNoneMatch?: string },
): void {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== "*") {
      throw notImplementedHeader(
        "If-None-Match",
        "We don't accept the provided value of If-None-Match header for this API",
      );
    }
    if (current) throw preconditionFailed("If-None-Match");
  }
  if (IfMatch === undefined) return;
  if (!current) throw noSuchKey(key);
  if (!names(IfMatch, current.etag)) throw preconditionFailed("If-Match");
}
