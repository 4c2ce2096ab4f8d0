import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type ApiAnswer, answer } from "../api-answer";
import { makeS3 } from "../clients";
import { describe } from "../retry";
import { variable } from "./environment";
import { publishedKey } from "./keys";
import { ANNOTATIONS, PRINCIPAL, toMetadata } from "./message";

/** What was sent, before it is stored. */
export interface Publication {
  /** The id that the publisher gets. */
  readonly requestId: string;
  readonly body: Buffer;
  readonly contentType: string;
  /** The `id` of the principal that publishes; null where everyone may. */
  readonly principal: string | null;
  /** The request's headers by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What becomes of a publication: notes for the consumers, or a refusal. */
export type Verdict =
  | { readonly annotations: Readonly<Record<string, string>> }
  | { readonly reject: { readonly statusCode: number; readonly message: string } };

/**
 * Sees each publication before it is stored. Return nothing to take it, `{ annotations }` to take it with notes that
 * consumers get, or `{ reject: { statusCode, message } }` to refuse it with a status from 400 to 499.
 */
export type OnPublish = (publication: Publication) => Verdict | undefined | Promise<Verdict | undefined>;

/** The part of API Gateway's proxy event that is used. */
export interface PublishEvent {
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
  readonly headers: Readonly<Record<string, string | undefined>> | null;
  readonly requestContext: {
    readonly requestId: string;
    readonly requestTimeEpoch: number;
    readonly authorizer?: { readonly principalId?: string };
  };
}

/**
 * What a callback answered, when it is a verdict.
 *
 * @throws when it is not understood: the body is not stored
 */
function readVerdict(answered: unknown): Verdict {
  if (answered === undefined || answered === null) return { annotations: {} };
  const { annotations, reject } = answered as Partial<Record<"annotations" | "reject", Record<string, unknown> | null>>;
  if (reject) {
    const { statusCode, message } = reject;
    const isRefusal = Number.isInteger(statusCode) && Number(statusCode) >= 400 && Number(statusCode) < 500;
    if (isRefusal && typeof message === "string") return { reject: { statusCode: Number(statusCode), message } };
    throw new Error("onPublish must reject with a status of 400 to 499 and a message");
  }
  const notes = typeof annotations === "object" && annotations ? Object.entries(annotations) : [[null, null]];
  if (notes.every(([, note]) => typeof note === "string")) return { annotations: Object.fromEntries(notes) };
  throw new Error("onPublish must return nothing, { annotations } with texts, or { reject: { statusCode, message } }");
}

/** With the principal's 1,000 characters below the 2 KB of metadata that S3 takes. */
const MAX_ANNOTATIONS = 900;

/** The function behind POST with `mode: "lambda"`: asks the callback, stores the body, answers with the id. */
export const receivePublications =
  ({ onPublish }: { onPublish?: OnPublish } = {}) =>
  () => {
    const s3 = makeS3();
    return async (event: PublishEvent): Promise<ApiAnswer> => {
      const { requestId, requestTimeEpoch, authorizer } = event.requestContext;
      const headers = lowerCased(event.headers);
      const contentType = headers["content-type"] ?? "application/json";
      const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
      if (body.length === 0) return answer(400, { message: "The body is empty; send what is to be published" });
      if (!event.isBase64Encoded) {
        if (!isText(contentType)) return answer(415, { message: notText(contentType) });
        // API Gateway puts it in the place of what is not UTF-8.
        if (event.body?.includes("\ufffd")) return answer(400, { message: "The body is not UTF-8, or holds U+FFFD" });
      }
      const principal = authorizer?.principalId ?? null;
      // A copy, so that a callback which changes the bytes does not change what is stored.
      const verdict = readVerdict(
        await onPublish?.({ requestId, body: Buffer.from(body), contentType, principal, headers }),
      );
      if ("reject" in verdict) return answer(verdict.reject.statusCode, { message: verdict.reject.message });
      const annotations = Object.keys(verdict.annotations).length > 0 ? JSON.stringify(verdict.annotations) : "";
      const notes = toMetadata(annotations);
      if (notes.length > MAX_ANNOTATIONS) {
        throw new Error(`onPublish's annotations take ${notes.length} characters; S3 has room for ${MAX_ANNOTATIONS}`);
      }
      try {
        await s3().send(
          new PutObjectCommand({
            Bucket: variable("POSTBOX_BUCKET"),
            Key: publishedKey(requestTimeEpoch, requestId),
            Body: body,
            // A client can choose the id of its request: never over another object.
            IfNoneMatch: "*",
            ContentType: contentType,
            Metadata: {
              ...(principal !== null && { [PRINCIPAL]: toMetadata(principal) }),
              ...(notes && { [ANNOTATIONS]: notes }),
            },
          }),
        );
      } catch (error) {
        if ((error as Error).name === "PreconditionFailed") {
          return answer(409, { message: "A request with this id was stored already" });
        }
        console.error(JSON.stringify({ message: "a publication was not stored", requestId, reason: describe(error) }));
        return answer(503, { message: "The body could not be stored; send it again" });
      }
      return answer(200, { id: requestId });
    };
  };

const lowerCased = (headers: PublishEvent["headers"]): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value ?? ""]));

/** API Gateway hands bodies whose type is none of `binaryMediaTypes` over as text, which breaks any other bytes. */
const isText = (contentType: string): boolean =>
  /^(text\/|application\/(json|xml|x-www-form-urlencoded|x-ndjson|javascript|yaml)\b|[\w.-]+\/[\w.-]+\+(json|xml)\b)/i.test(
    contentType.trim(),
  );

const notText = (contentType: string): string =>
  `${contentType.split(";", 1)[0]} is not taken here: it is neither a text type nor one of the API's binary media types`;
