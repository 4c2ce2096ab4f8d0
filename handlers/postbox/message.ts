/** What the queue says about a published object. */
export interface PostboxMessage {
  readonly bucket: string;
  /** Where the body is; no two publishes share one: tell messages that come twice by it. */
  readonly key: string;
  /** When it was published, in ISO 8601. */
  readonly submittedAt: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly contentType: string;
  /** The id that the publisher got as its answer. */
  readonly requestId: string;
  /** The `id` of the principal that published it; null where everyone may. */
  readonly principal: string | null;
  /** What `onPublish` noted, with `mode: "lambda"`. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Names of the object's metadata. */
export const PRINCIPAL = "principal";
export const ANNOTATIONS = "annotations";

/** Metadata holds ASCII (S3 user guide: Working with object metadata): this is a text as metadata may hold it. */
export const toMetadata = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Reads {@link toMetadata}; what was written by others comes as it is. */
export function fromMetadata(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
