import { HeadObjectCommand, type HeadObjectCommandOutput, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from "@aws-sdk/client-sqs";
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
 * once more), gone, or not announced, and why.
 */
export type Outcome = "announced" | "already" | "unmarked" | "gone" | { readonly failed: string };

/** An object to announce. */
export interface Candidate extends Published {
  /** Whether it may have been announced before, so that its mark is to be looked for. */
  readonly again: boolean;
}

/** What SQS takes at once. */
const BATCH = 10;

/**
 * Announces objects, and says what became of each, in their order: looks for the marks of those that come again, sends
 * the messages of ten objects at once, sets their marks. A mark follows its message, so that what stops in between is
 * announced twice and not lost.
 */
export async function announceAll(candidates: readonly Candidate[], office: Office): Promise<Outcome[]> {
  const batches: Candidate[][] = [];
  for (let from = 0; from < candidates.length; from += BATCH) batches.push(candidates.slice(from, from + BATCH));
  return (await mapConcurrent(batches, 2, (batch) => announceBatch(batch, office))).flat();
}

async function announceBatch(batch: readonly Candidate[], office: Office): Promise<Outcome[]> {
  const seen = await mapConcurrent(batch, BATCH, (candidate) => look(candidate, office).catch(toFailed));
  const messages = seen.flatMap((result, i) =>
    typeof result === "object" && "text" in result ? { Id: `${i}`, MessageBody: result.text } : [],
  );
  const sent = await send(messages, office);
  return mapConcurrent(seen, BATCH, async (result, i) => {
    if (typeof result !== "object" || "failed" in result) return result;
    const { id, failed = "SQS said nothing of it" } = sent.get(`${i}`) ?? {};
    return id === undefined ? { failed } : mark(batch[i]!, id, office);
  });
}

const toFailed = (error: unknown) => ({ failed: describe(error) });

/** What is to be said about an object, unless it was said, or there is none. */
async function look(candidate: Candidate, office: Office): Promise<{ text: string } | "already" | "gone"> {
  if (candidate.again && (await head(markOf(candidate.key), office))) return "already";
  const object = await head(candidate.key, office);
  return object ? { text: toSqsText(JSON.stringify(messageOf(candidate, object, office.bucket))) } : "gone";
}

/** By the entry's id: the id of a message that SQS took, or why it did not. */
type Sent = Map<string | undefined, { readonly id?: string; readonly failed?: string }>;

async function send(Entries: SendMessageBatchRequestEntry[], { sqs, queueUrl }: Office): Promise<Sent> {
  const sent: Sent = new Map();
  if (Entries.length === 0) return sent;
  try {
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries });
    const { Successful = [], Failed = [] } = await sqs().send(command);
    for (const { Id, MessageId } of Successful) sent.set(Id, { id: MessageId });
    for (const { Id, Code, Message = "" } of Failed) sent.set(Id, { failed: `${Code}: ${Message}` });
  } catch (error) {
    for (const { Id } of Entries) sent.set(Id, toFailed(error));
  }
  return sent;
}

async function mark({ key }: Published, messageId: string, { s3, bucket }: Office): Promise<Outcome> {
  try {
    const Metadata = { "message-id": messageId };
    // Without its length, the SDK warns of each empty body in the log.
    const nothing = { Body: "", ContentLength: 0 };
    await s3().send(new PutObjectCommand({ Bucket: bucket, Key: markOf(key), ...nothing, Metadata }));
    return "announced";
  } catch (error) {
    console.warn(JSON.stringify({ message: "announced, but not marked", key, reason: describe(error) }));
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
  readonly Records: readonly Arrival[];
}

interface Arrival {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: {
    readonly ApproximateReceiveCount: string;
    /** Milliseconds since 1970. */
    readonly ApproximateFirstReceiveTimestamp: string;
  };
}

/** The part of S3's event that is used (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). */
interface S3Event {
  readonly Records?: readonly { readonly s3: { readonly object: { readonly key: string } } }[];
}

/** An arrival that comes for the first time, so soon after the publishing, tells of what nobody can have announced. */
const FRESH_MS = 60_000;

/** Announces what S3 says has arrived; what fails comes again, and ends in the queue of what was given up. */
export const announceArrivals = () => {
  const office = openOffice();
  return async ({ Records }: ArrivalsEvent): Promise<BatchAnswer> => {
    const arrived = Records.map(readArrival);
    // By key: S3 can tell of an object twice.
    const candidates = new Map(arrived.flatMap(({ of = [] }) => of).map((candidate) => [candidate.key, candidate]));
    const outcomes = await announceAll([...candidates.values()], office);
    const failures = new Map([...candidates.keys()].map((key, i) => [key, failureOf(outcomes[i])]));
    const failed = Records.flatMap(({ messageId }, i) => {
      const { unread, of = [] } = arrived[i]!;
      const reason = unread ?? of.map(({ key }) => failures.get(key)).find((failure) => failure !== undefined);
      if (reason === undefined) return [];
      console.error(JSON.stringify({ message: "an arrival could not be announced", messageId, reason }));
      return { itemIdentifier: messageId };
    });
    return { batchItemFailures: failed };
  };
};

/** Why an object was not announced. */
export const failureOf = (outcome: Outcome | undefined): string | undefined =>
  typeof outcome === "object" ? outcome.failed : undefined;

/** The objects that an arrival is of, or why it cannot be read. S3 tests a new notification with an event without records. */
function readArrival({ body, attributes }: Arrival): { of?: Candidate[]; unread?: string } {
  const { ApproximateReceiveCount: count, ApproximateFirstReceiveTimestamp: received } = attributes;
  try {
    const { Records = [] } = JSON.parse(body) as S3Event;
    // Keys come as in a form: percent-encoded, with + for a space.
    const keys = Records.map(({ s3 }) => decodeURIComponent(s3.object.key.replaceAll("+", " ")));
    const of = keys.flatMap((key) => {
      const published = readPublishedKey(key);
      if (!published) return [];
      // By the clocks of AWS, not by the function's: what is taken back from the unannounced counts from 1 again.
      return { ...published, again: Number(count) > 1 || Number(received) - published.submittedAt > FRESH_MS };
    });
    return { of };
  } catch (error) {
    return { unread: describe(error) };
  }
}
