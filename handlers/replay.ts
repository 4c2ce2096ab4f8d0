import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

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

/** How a queue of letters is worked through. */
export interface Replay {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  /** Milliseconds since 1970: no letter is taken after this. */
  readonly deadline: number;
  /** Takes letters the way of messages; gives why each still fails, undefined for those that got through. */
  readonly work: (letters: readonly Message[]) => Promise<(string | undefined)[]>;
  /** Told of each letter that is deleted. */
  readonly discarded?: (letter: Message) => Promise<void>;
}

/** SQS hides a letter this long while it is worked on: the longest that a function can run. */
const HIDDEN_SECONDS = 900;
const BATCH = 10;
const REPORTED = 20;

/** Works letters off: one is deleted when all of it got through, and becomes visible again when not. */
export async function replayQueue(event: ReplayEvent | null, replay: Replay): Promise<ReplayReport> {
  const max = event?.max ?? 1000;
  if (!Number.isInteger(max) || max < 1) throw new Error("max must be a whole number of 1 or more");
  const failed: Message[] = [];
  const failures: ReplayReport["failures"] = [];
  let replayed = 0;
  try {
    while (replayed + failed.length < max && Date.now() < replay.deadline) {
      const letters = await receive(replay, Math.min(BATCH, max - replayed - failed.length));
      if (letters.length === 0) break;
      const reasons = await replay.work(letters);
      const done = letters.filter((_, i) => reasons[i] === undefined);
      const kept = await discard(done, replay);
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
    await release(failed, replay);
  }
  return { replayed, stillFailing: failed.length, remaining: await count(replay), failures };
}

async function receive({ sqs, queueUrl }: Replay, most: number): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: most,
      VisibilityTimeout: HIDDEN_SECONDS,
      MessageSystemAttributeNames: ["SentTimestamp"],
      // A long poll asks all of SQS's servers; a short one may find nothing though there is something.
      WaitTimeSeconds: 1,
    }),
  );
  return Messages;
}

const entriesOf = (letters: readonly Message[]) =>
  letters.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));

/** Gives the letters that SQS did not delete: they come back, and need all that they stand for. */
async function discard(letters: readonly Message[], { sqs, queueUrl, discarded }: Replay): Promise<readonly Message[]> {
  if (letters.length === 0) return [];
  const { Failed = [] } = await sqs.send(
    new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entriesOf(letters) }),
  );
  const kept = letters.filter((_, i) => Failed.some(({ Id }) => Id === String(i)));
  for (const letter of letters) if (!kept.includes(letter)) await discarded?.(letter);
  return kept;
}

/** Makes letters visible at once; they would come back by themselves when their time is over. */
async function release(letters: readonly Message[], { sqs, queueUrl }: Replay): Promise<void> {
  for (let i = 0; i < letters.length; i += BATCH) {
    const Entries = entriesOf(letters.slice(i, i + BATCH)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

async function count({ sqs, queueUrl }: Replay): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
}
