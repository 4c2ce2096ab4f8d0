import type { BatchAnswer } from "../batch-answer";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import { makeDynamo, makeSqs } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { describe } from "../retry";
import { sendAll } from "../send-all";
import { makePoster } from "./clients";
import { deliver } from "./deliver";
import { countOf, variable } from "./environment";
import { writeMetrics } from "./metrics";
import { findReceivers } from "./receivers";
import { type LiveRecord, type Poison, type QueueMessage, type RecordOptions, readMessage } from "./record";

export interface QueueEvent {
  readonly Records: readonly QueueMessage[];
}

/** A part of a broadcast that is split up: some records for one shard of the connections. */
export interface FanOutMessage {
  readonly shard: number;
  /** When the oldest of the records was sent: milliseconds since 1970. */
  readonly sentAt: number;
  readonly records: readonly LiveRecord[];
}

/** Posts what is on the queue to whom it concerns. */
export const broadcast =
  (options: RecordOptions = {}) =>
  () => {
    const dynamodb = makeDynamo();
    const sqs = makeSqs();
    const parallel = countOf("WEBSOCKET_PARALLEL");
    const client = makePoster(variable("WEBSOCKET_ENDPOINT"), parallel);
    const shards = Array.from({ length: countOf("WEBSOCKET_SHARDS") }, (_, shard) => shard);
    const limit = countOf("WEBSOCKET_FAN_OUT_ABOVE");
    const single = variable("WEBSOCKET_FRAMES") === "single";

    return async ({ Records }: QueueEvent, context: LambdaContext): Promise<BatchAnswer> => {
      const deadline = deadlineOf(context);
      const batch = readBatch(Records, options);
      const { records, sources } = batch;
      const again = new Set<string>();
      const table = { dynamodb: dynamodb(), name: variable("WEBSOCKET_TABLE") };
      let counts = {};
      try {
        const receivers = records.length > 0 ? await findReceivers(table, records, shards, limit) : [];
        if (receivers) {
          const poster = { client: client(), table, parallel, single, deadline };
          const { failed, posts, delivered, gone, throttled, givenUp } = await deliver(records, receivers, poster);
          for (const place of failed) for (const messageId of sources[place] ?? []) again.add(messageId);
          counts = { Posts: posts, Delivered: delivered, Gone: gone, Throttled: throttled, GivenUp: givenUp };
        } else {
          const parts = toParts(records, shards, batch.sentAt);
          await sendAll(sqs(), variable("WEBSOCKET_FAN_OUT_QUEUE"), parts);
        }
      } catch (error) {
        console.error(JSON.stringify({ message: "the broadcast failed", reason: describe(error) }));
        for (const messageId of sources.flat()) again.add(messageId);
      }
      // A message that comes again brings its poison again.
      const letters = batch.poison.filter(({ messageId }) => !again.has(messageId));
      const kept = await bury(letters, (texts) => sendAll(sqs(), variable("WEBSOCKET_DEAD_LETTER_QUEUE"), texts));
      for (const { messageId } of letters.filter((letter) => !kept.includes(letter))) again.add(messageId);
      const now = Date.now();
      writeMetrics({
        Records: records.length,
        DeadLetters: kept.length,
        ...counts,
        // A metric takes 100 values.
        ...("Posts" in counts && { Latency: batch.sentAts.slice(0, 100).map((sentAt) => now - sentAt) }),
      });
      return { batchItemFailures: [...again].map((itemIdentifier) => ({ itemIdentifier })) };
    };
  };

type Letter = Poison & { readonly messageId: string; readonly sentAt: number };

/** The records of some messages, each once, and the messages that each came in. */
function readBatch(messages: readonly QueueMessage[], options: RecordOptions) {
  const records: LiveRecord[] = [];
  const sources: string[][] = [];
  const poison: Letter[] = [];
  const placeByKey = new Map<string, number>();
  const sentAts = messages.map(({ attributes }) => Number(attributes?.SentTimestamp) || Date.now());
  messages.forEach((message, i) => {
    const { messageId } = message;
    const read = readMessage(message, options);
    for (const letter of together(read.poison)) poison.push({ ...letter, messageId, sentAt: sentAts[i]! });
    for (const record of read.records) {
      // A callback may give two devices the same id: their subscribers are not the same.
      const key = JSON.stringify([record.id, record.device]);
      const place = placeByKey.get(key);
      if (place !== undefined) sources[place]?.push(messageId);
      else {
        placeByKey.set(key, records.length);
        records.push(record);
        sources.push([messageId]);
      }
    }
  });
  return { records, sources, poison, sentAts, sentAt: Math.min(...sentAts) };
}

/** Letters of one message that are sent one by one. */
const FEW_LETTERS = 100;

/** Poison of one message: an array of half a million numbers must not become as many letters and lines of the log. */
function together(poison: readonly Poison[]): readonly Poison[] {
  const [first] = poison;
  if (!first || poison.length <= FEW_LETTERS) return poison;
  const reason = `${poison.length} elements cannot be broadcast, of which the first: ${first.reason}`;
  return [{ stage: first.stage, reason, text: `[${poison.map(({ text }) => text).join()}]` }];
}

/** Messages for the fan-out queue: for each shard all the records, in as few as hold them. */
function toParts(records: readonly LiveRecord[], shards: readonly number[], sentAt: number): string[] {
  const texts = records.map((record) => toSqsText(JSON.stringify(record)));
  const groups = groupBySize(texts, (text) => Buffer.byteLength(text) + 1, texts.length, MAX_MESSAGE_BYTES - 100);
  return shards.flatMap((shard) =>
    groups.map((group) => `{"shard":${shard},"sentAt":${sentAt},"records":[${group.join(",")}]}`),
  );
}

/**
 * Sends letters to the dead-letter queue; gives those that are there now. One that is too large for a message stays
 * where it is, and the queue's redrive takes it to the same place in the end.
 */
async function bury(letters: readonly Letter[], send: (texts: string[]) => Promise<void>): Promise<Letter[]> {
  const entries = letters
    .map((letter) => ({ letter, text: letterText(letter) }))
    .filter(({ text }) => Buffer.byteLength(text) <= MAX_MESSAGE_BYTES);
  for (const { messageId, stage, index, reason } of letters) {
    console.warn(JSON.stringify({ message: "cannot be broadcast", messageId, stage, index, reason }));
  }
  if (entries.length === 0) return [];
  try {
    await send(entries.map(({ text }) => text));
    return entries.map(({ letter }) => letter);
  } catch (error) {
    console.error(JSON.stringify({ message: "not dead-lettered", reason: describe(error) }));
    return [];
  }
}

/** The letter as JSON; a record stands in it as it was sent. */
function letterText({ stage, reason, messageId, sentAt, index, text }: Letter): string {
  const head = JSON.stringify({ stage, reason, messageId, receivedAt: new Date(sentAt).toISOString(), index });
  const content = stage === "parse" ? `"body":${JSON.stringify(text)}` : `"message":${text}`;
  return toSqsText(`${head.slice(0, -1)},${content}}`);
}
