import { HeadObjectCommand, type HeadObjectCommandOutput, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { BatchAnswer } from "../batch-answer";
import { toSqsText } from "../batching";
import { makeS3, makeSqs } from "../clients";
import { describe, mapConcurrent } from "../retry";
import { variable } from "./environment";
import { markOf, type Published, readPublishedKey } from "./keys";
import { ANNOTATIONS, fromMetadata, type PostboxMessage, PRINCIPAL } from "./message";

/** Where objects are, and where they are announced. */
export interface Office {
  readonly s3: () => S3Client;
  readonly sqs: () => SQSClient;
  readonly bucket: string;
  readonly queueUrl: string;
}

/** To be called inside a handler factory. */
export const openOffice = (): Office => ({
  s3: makeS3(),
  sqs: makeSqs(),
  bucket: variable("POSTBOX_BUCKET"),
  queueUrl: variable("POSTBOX_QUEUE"),
});

/**
 * What became of an object: announced just now, announced before, announced without a mark (so that it will be announced
 * once more), or gone.
 */
export type Outcome = "announced" | "already" | "unmarked" | "gone";

/**
 * Announces an object, if it was not: looks for its mark, sends the message, sets the mark. The mark follows the
 * message, so that what stops in between is announced twice and not lost.
 *
 * @throws what S3 or SQS threw, before the message was sent
 */
export async function announce(published: Published, office: Office): Promise<Outcome> {
  const { s3, sqs, bucket, queueUrl } = office;
  const mark = markOf(published.key);
  if (await head(mark, office)) return "already";
  const object = await head(published.key, office);
  if (!object) return "gone";
  const message = toSqsText(JSON.stringify(messageOf(published, object, bucket)));
  const { MessageId = "" } = await sqs().send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: message }));
  try {
    await s3().send(
      new PutObjectCommand({ Bucket: bucket, Key: mark, Body: "", Metadata: { "message-id": MessageId } }),
    );
    return "announced";
  } catch (error) {
    console.warn(JSON.stringify({ message: "announced, but not marked", key: published.key, reason: describe(error) }));
    return "unmarked";
  }
}

/** An object's attributes; undefined where there is none. Needs `s3:ListBucket`, or S3 says 403 instead of 404. */
async function head(key: string, { s3, bucket }: Office): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await s3().send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404) return undefined;
    throw error;
  }
}

function messageOf(
  { key, submittedAt, requestId }: Published,
  { ContentLength: size, ContentType = "application/octet-stream", Metadata = {} }: HeadObjectCommandOutput,
  bucket: string,
): PostboxMessage {
  if (size === undefined) throw new Error("S3 told no size");
  const principal = Metadata[PRINCIPAL];
  const annotations = Metadata[ANNOTATIONS];
  return {
    ...{ bucket, key, submittedAt: new Date(submittedAt).toISOString(), size },
    ...{ contentType: ContentType, requestId, principal: principal ? fromMetadata(principal) : null },
    ...(annotations && { annotations: JSON.parse(fromMetadata(annotations)) as Record<string, string> }),
  };
}

/** The part of an SQS event that is used. */
export interface ArrivalsEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

/** The part of S3's event that is used (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). */
interface S3Event {
  readonly Records?: readonly { readonly s3: { readonly object: { readonly key: string } } }[];
}

/** Announces what S3 says has arrived; what fails comes again, and ends in the queue of what was given up. */
export const announceArrivals = () => {
  const office = openOffice();
  return async ({ Records }: ArrivalsEvent): Promise<BatchAnswer> => {
    const failed = await mapConcurrent(Records, 10, async ({ messageId, body }) => {
      try {
        for (const published of arrivedIn(body)) await announce(published, office);
        return [];
      } catch (error) {
        console.error(
          JSON.stringify({ message: "an arrival could not be announced", messageId, reason: describe(error) }),
        );
        return [{ itemIdentifier: messageId }];
      }
    });
    return { batchItemFailures: failed.flat() };
  };
};

/** S3 tests a new notification with an event without records. */
function arrivedIn(body: string): Published[] {
  const { Records = [] } = JSON.parse(body) as S3Event;
  // Keys come as in a form: percent-encoded, with + for a space.
  const keys = Records.map(({ s3 }) => decodeURIComponent(s3.object.key.replaceAll("+", " ")));
  return keys.flatMap((key) => readPublishedKey(key) ?? []);
}
