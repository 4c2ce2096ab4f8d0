import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import type { Clients } from "../clients";
import { type Backoff, fullJitter, mapConcurrent, sleep } from "../retry";

/** Where a message could not go on. */
export type Stage = "parse" | "validate" | "onMessage" | "store" | "forward" | "archive";

/** What went wrong with one message, or with a whole body. */
export interface DeadLetter {
  readonly stage: Stage;
  /** Why, in words. */
  readonly reason: string;
  /** The API Gateway request that brought it. */
  readonly requestId: string;
  /** When it came: ISO 8601. */
  readonly receivedAt: string;
  /** Its place in the request's array. Absent when the letter holds a whole body. */
  readonly index?: number;
  /** The queues that did not get it, when that is the only thing missing. */
  readonly queues?: string[];
}

/** The letter's content, as text: the JSON of one message, or a whole body of any form. */
export type Content = { readonly message: string } | { readonly body: string };

/** A letter that is too large for SQS stands in S3, and the queue holds the rest of it and this. */
export interface Pointer {
  readonly s3: { readonly bucket: string; readonly key: string };
}

/** Where dead letters go. */
export interface DeadLetterOffice {
  readonly clients: Clients;
  readonly queueUrl: string;
  /** The bucket for letters above 1 MiB. */
  readonly bucket: string;
}

const BATCH = 10;
const PARALLEL = 8;
const BACKOFF: Backoff = { baseMs: 50, capMs: 1_000, attempts: 5 };
/** SQS counts bodies only here, as letters have no attributes; some room is left for what it may add. */
const BYTES = MAX_MESSAGE_BYTES - 1024;

/** The letter as JSON. The message stands in it digit by digit as it was sent, not parsed and printed again. */
function letterText(letter: DeadLetter, content: Content): string {
  const head = JSON.stringify(letter).slice(0, -1);
  const tail = "message" in content ? `"message":${content.message}` : `"body":${JSON.stringify(content.body)}`;
  return toSqsText(`${head},${tail}}`);
}

/** Sends letters. Throws when one of them could not be kept. */
export async function sendDeadLetters(
  letters: readonly { letter: DeadLetter; content: Content }[],
  office: DeadLetterOffice,
): Promise<void> {
  const entries = await mapConcurrent(letters, PARALLEL, async ({ letter, content }, i) => {
    const text = letterText(letter, content);
    const body = Buffer.byteLength(text) <= BYTES ? text : await keepInS3(letter, text, i, office);
    return { Id: String(i), MessageBody: body };
  });
  const batches = groupBySize(entries, ({ MessageBody }) => Buffer.byteLength(MessageBody), BATCH, BYTES);
  await mapConcurrent(batches, PARALLEL, (batch) => sendBatch(batch, office));
}

async function keepInS3(
  letter: DeadLetter,
  text: string,
  i: number,
  { clients, bucket }: DeadLetterOffice,
): Promise<string> {
  const key = `dead-letters/${letter.receivedAt.slice(0, 10)}/${letter.requestId}/${letter.stage}-${letter.index ?? "body"}-${i}.json`;
  await clients
    .s3()
    .send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json" }));
  return JSON.stringify({ ...letter, s3: { bucket, key } } satisfies DeadLetter & Pointer);
}

/** The SDK repeats calls that fail; this repeats the entries that failed inside calls that went well. */
async function sendBatch(
  batch: { Id: string; MessageBody: string }[],
  { clients, queueUrl }: DeadLetterOffice,
): Promise<void> {
  let rest = batch;
  for (let attempt = 0; ; attempt++) {
    const { Failed = [] } = await clients
      .sqs()
      .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: rest }));
    if (Failed.length === 0) return;
    const transient = Failed.every(({ SenderFault }) => !SenderFault);
    if (!transient || attempt + 1 >= BACKOFF.attempts) throw new Error(`SQS refused it: ${Failed[0]?.Code}`);
    rest = rest.filter(({ Id }) => Failed.some((failed) => failed.Id === Id));
    await sleep(fullJitter(BACKOFF, attempt));
  }
}

/** A letter's text as {@link sendDeadLetters} made it, fetched from S3 when it stands there. Throws when it is none. */
export async function readDeadLetter(body: string, { clients, bucket }: DeadLetterOffice): Promise<string> {
  const key = pointerKey(body, bucket);
  if (!key) return body;
  const { Body } = await clients.s3().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? "";
}

/** Removes what stands in S3 for a letter that is done with. */
export async function discardDeadLetter(body: string, { clients, bucket }: DeadLetterOffice): Promise<void> {
  const key = pointerKey(body, bucket);
  if (key) await clients.s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

/** Only the own bucket is looked into, whatever the message says. */
function pointerKey(body: string, bucket: string): string | undefined {
  const { s3 } = JSON.parse(body) as Partial<Pointer>;
  return s3?.bucket === bucket ? s3.key : undefined;
}
