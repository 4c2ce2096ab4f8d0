import type { Tag } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import { invalidArgument, invalidTag, tooManyTags } from "./errors";

/** Letters, digits, spaces and `+ - = . _ : / @` (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html). */
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Checks a set of tags: at most 10 on an object, 50 on a bucket. */
export function checkedTags(tags: readonly Tag[], what: "Object" | "Bucket"): readonly Tag[] {
  const { value: limit } = what === "Object" ? limits.s3.objectTags : limits.s3.bucketTags;
  if (tags.length > limit) throw tooManyTags(what, limit);
  const seen = new Set<string>();
  for (const { Key = "", Value = "" } of tags) {
    if (Key === "" || Key.length > limits.s3.tagKey.value || !allowed.test(Key)) {
      throw invalidTag("The TagKey you have provided is invalid", Key);
    }
    if (Value.length > limits.s3.tagValue.value || !allowed.test(Value)) {
      throw invalidTag("The TagValue you have provided is invalid", Key);
    }
    if (Key.startsWith("aws:")) throw invalidTag("System tags cannot be added/updated by requester", Key);
    if (seen.has(Key)) throw invalidTag("Cannot provide multiple Tags with the same key", Key);
    seen.add(Key);
  }
  return tags;
}

/** Reads the `x-amz-tagging` header, which is written like a query string. */
export function tagsOfHeader(header: string | undefined): readonly Tag[] {
  if (!header) return [];
  const tags = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }));
  if (tags.some(({ Key }) => Key === "")) {
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      "x-amz-tagging",
      header,
    );
  }
  return checkedTags(tags, "Object");
}
