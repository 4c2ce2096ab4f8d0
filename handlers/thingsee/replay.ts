import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { makeClients } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { describe } from "../retry";
import { archive } from "./archive";
import { type Elements, exactValue, parseBody } from "./body";
import { type DeadLetter, type DeadLetterOffice, discardDeadLetter, readDeadLetter } from "./dead-letter";
import { readEnvironment } from "./environment";
import type { OnMessage } from "./message";
import { type Path, processElements, type Received } from "./process";

export interface ReplayEvent {
  /** Dead letters to take at most. @default 1000 */
  readonly max?: number;
}

export interface ReplayReport {
  /** Letters whose messages are where they belong now; they are deleted. */
  readonly replayed: number;
  /** Letters that failed again; they are back in the dead-letter queue. */
  readonly stillFailing: number;
  /** Letters in the dead-letter queue afterwards, as SQS estimates it. */
  readonly remaining: number;
  /** Why letters failed again; the first 20. */
  readonly failures: { readonly messageId: string; readonly reason: string }[];
}

/** SQS hides a letter this long while it is worked on: the longest that a function can run. */
const HIDDEN_SECONDS = 900;
const BATCH = 10;
const REPORTED = 20;

/**
 * Takes dead letters the same way that messages take, with their first receive time, so that nothing is stored twice.
 * A letter is deleted when all of it got through, and becomes visible again when not.
 */
export const replayDeadLetters =
  ({ onMessage }: { onMessage?: OnMessage } = {}) =>
  () => {
    const clients = makeClients();
    const { table, ttlDays, queues, archiveBucket, deadLetterQueue, deadLetterBucket } = readEnvironment();
    const office = { clients, queueUrl: deadLetterQueue, bucket: deadLetterBucket };

    return async (event: ReplayEvent | null, context: LambdaContext): Promise<ReplayReport> => {
      const max = event?.max ?? 1000;
      if (!Number.isInteger(max) || max < 1) throw new Error("max must be a whole number of 1 or more");
      const path = { clients, table, ttlDays, queues, onMessage, deadline: deadlineOf(context) };
      const failed: Message[] = [];
      const failures: ReplayReport["failures"] = [];
      let replayed = 0;
      try {
        while (replayed + failed.length < max && Date.now() < path.deadline) {
          const letters = await receive(office, Math.min(BATCH, max - replayed - failed.length));
          if (letters.length === 0) break;
          const reasons = await replayLetters(letters, path, office, archiveBucket);
          const done = letters.filter((_, i) => reasons[i] === undefined);
          const kept = await discard(done, office);
          replayed += done.length - kept.length;
          for (const letter of kept) reasons[letters.indexOf(letter)] = "SQS did not delete it";
          letters.forEach((letter, i) => {
            const reason = reasons[i];
            if (reason === undefined) return;
            failed.push(letter);
            if (failures.length < REPORTED) failures.push({ messageId: letter.MessageId ?? "", reason });
          });
        }
      } finally {
        await release(failed, office);
      }
      return { replayed, stillFailing: failed.length, remaining: await count(office), failures };
    };
  };

async function receive({ clients, queueUrl }: DeadLetterOffice, count: number): Promise<Message[]> {
  const { Messages = [] } = await clients.sqs().send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: count,
      VisibilityTimeout: HIDDEN_SECONDS,
      // A long poll asks all of SQS's servers; a short one may find nothing though there is something.
      WaitTimeSeconds: 1,
    }),
  );
  return Messages;
}

/** Why each letter still fails; undefined for those that got through. */
async function replayLetters(
  letters: readonly Message[],
  path: Path,
  office: DeadLetterOffice,
  archiveBucket: string,
): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = letters.map(() => undefined);
  const work: { element: Received; letter: number }[] = [];
  for (const [i, { Body = "" }] of letters.entries()) {
    try {
      const letter = await open(Body, office);
      if (letter.stage === "archive") {
        await archive(letter.elements.texts(), letter, { clients: path.clients, bucket: archiveBucket });
      } else {
        const receivedAt = Date.parse(letter.receivedAt);
        const { requestId, queues: missingQueues } = letter;
        for (const element of letter.elements.part(0, letter.elements.count)) {
          work.push({ element: { ...element, requestId, receivedAt, missingQueues }, letter: i });
        }
      }
    } catch (error) {
      reasons[i] = describe(error);
    }
  }
  const failures = await processElements(
    work.map(({ element }) => element),
    path,
  );
  failures.forEach((failure, i) => {
    if (failure) reasons[work[i]!.letter] ??= `${failure.stage}: ${failure.reason}`;
  });
  return reasons;
}

/** A letter with its messages. Throws when it is none, or its body still is not JSON. */
async function open(body: string, office: DeadLetterOffice): Promise<DeadLetter & { elements: Elements }> {
  const text = await readDeadLetter(body, office);
  const letter = exactValue(text, JSON.parse(text)) as DeadLetter & { message?: unknown; body?: string };
  if (Number.isNaN(Date.parse(letter.receivedAt)) || typeof letter.requestId !== "string") {
    throw new Error("not a dead letter of this component");
  }
  if (letter.body === undefined) {
    const element = { index: 0, value: letter.message };
    return { ...letter, elements: { count: 1, part: () => [element], texts: () => [JSON.stringify(letter.message)] } };
  }
  const elements = parseBody(letter.body);
  if ("problem" in elements) throw new Error(elements.problem);
  return { ...letter, elements };
}

const entriesOf = (letters: readonly Message[]) =>
  letters.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));

/** Gives the letters that SQS did not delete: they come back, and need what they have in S3. */
async function discard(letters: readonly Message[], office: DeadLetterOffice): Promise<readonly Message[]> {
  if (letters.length === 0) return [];
  const { Failed = [] } = await office.clients
    .sqs()
    .send(new DeleteMessageBatchCommand({ QueueUrl: office.queueUrl, Entries: entriesOf(letters) }));
  const kept = letters.filter((_, i) => Failed.some(({ Id }) => Id === String(i)));
  for (const letter of letters) if (!kept.includes(letter)) await discardDeadLetter(letter.Body ?? "", office);
  return kept;
}

/** Makes letters visible at once; they would come back by themselves when their time is over. */
async function release(letters: readonly Message[], { clients, queueUrl }: DeadLetterOffice): Promise<void> {
  for (let i = 0; i < letters.length; i += BATCH) {
    const Entries = entriesOf(letters.slice(i, i + BATCH)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await clients.sqs().send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

async function count({ clients, queueUrl }: DeadLetterOffice): Promise<number> {
  const { Attributes } = await clients
    .sqs()
    .send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }));
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
}
