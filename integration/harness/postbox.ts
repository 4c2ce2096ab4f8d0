import { createHash, randomBytes } from "node:crypto";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { PostboxMessage } from "../../components";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Some bytes that no text has. */
export const binary = (size: number): Buffer => randomBytes(size);

/** Publishes, and reads the answer. */
export async function publish(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { method: "POST", body, headers });
  return { status: answer.status, body: (await answer.json()) as { id?: string; message?: string } };
}

/** Takes all messages that can be received now away from a queue. */
export async function takeAll<Message = PostboxMessage>(sqs: SQSClient, QueueUrl: string): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return all;
    all.push(...Messages.map(({ Body }) => JSON.parse(Body!) as Message));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** How many messages a queue holds, in whatever state. */
export async function depth(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  const states = ["", "NotVisible", "Delayed"] as const;
  return states.reduce((sum, state) => sum + Number(Attributes?.[`ApproximateNumberOfMessages${state}`]), 0);
}

/** The keys of a bucket below a prefix. */
export async function keysIn(s3: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key }) => Key!);
}

/** An object with its bytes. */
export async function read(s3: S3Client, Bucket: string, Key: string) {
  const { Body, ...object } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return { ...object, bytes: Buffer.from(await Body!.transformToByteArray()) };
}
