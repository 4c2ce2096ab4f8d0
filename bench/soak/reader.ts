import { DeleteObjectCommand, GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { PostboxMessage } from "../../components";

/** Whoever works on what a postbox announces: reads the object, and takes object and message away. */
export interface Reader {
  /** How many publishes it was told of. */
  readonly announced: number;
  /** How many of them had an object of the size that they should have. */
  readonly stored: number;
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Begins to read a postbox's queue. */
export function readPostbox({ sqs, s3 }: { sqs: SQSClient; s3: S3Client }, QueueUrl: string): Reader {
  const seen = new Set<string>();
  let [isStopped, stored] = [false, 0];
  const work = async ({ bucket: Bucket, key: Key, size, requestId }: PostboxMessage) => {
    // SQS delivers at least once.
    if (seen.has(requestId)) return;
    seen.add(requestId);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    if ((await Body!.transformToByteArray()).length === size) stored++;
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  };
  const read = async () => {
    const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
    while (!isStopped) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input));
      await Promise.all(Messages.map(({ Body }) => work(JSON.parse(Body!) as PostboxMessage)));
      const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
      if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  };
  const done = read();
  done.catch(() => {});
  return {
    get announced() {
      return seen.size;
    },
    get stored() {
      return stored;
    },
    async stop() {
      isStopped = true;
      await done;
    },
  };
}
