import type { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { BatchAnswer } from "../batch-answer";
import { makeS3 } from "../clients";
import { deadlineOf, inTime, type LambdaContext } from "../deadline";
import { describe, mapConcurrent } from "../retry";
import type { PostboxMessage } from "./message";

/** A published object on its way to a consumer. */
export interface PostboxItem extends PostboxMessage {
  /** The body as it was published. It is open only as long as the callback runs. */
  readonly body: Readable;
  /** How often the message has come by now: 1 at first. */
  readonly receiveCount: number;
}

/**
 * Takes a published object. What it throws brings this message again, and after `maxReceiveCount` times to the error
 * queue; so does a callback that is not done shortly before the function's timeout. A message can come twice: do the same again, or tell it by its `key`.
 */
export type OnPostboxMessage = (item: PostboxItem, context: LambdaContext) => unknown;

/** The part of an SQS event that is used. */
export interface ConsumerEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly attributes: { readonly ApproximateReceiveCount: string };
  }[];
}

/** Runs a callback for each message of a batch, all at a time, with the object's body; those that fail come again. */
export const consumeMessages =
  ({ onMessage }: { onMessage: OnPostboxMessage }) =>
  () => {
    const s3 = makeS3();
    return async ({ Records }: ConsumerEvent, context: LambdaContext): Promise<BatchAnswer> => {
      const deadline = deadlineOf(context);
      const failed = await mapConcurrent(Records, Records.length, async ({ messageId, body: text, attributes }) => {
        let key: string | undefined;
        let body: Readable | undefined;
        try {
          const message = JSON.parse(text) as PostboxMessage;
          key = message.key;
          const { Body } = await s3().send(new GetObjectCommand({ Bucket: message.bucket, Key: key }));
          body = Body as Readable;
          // A callback that leaves the body alone must not fall over a connection that breaks.
          body.on("error", () => {});
          const item = { ...message, body, receiveCount: Number(attributes.ApproximateReceiveCount) };
          await inTime(onMessage(item, context), deadline, "the callback");
          return [];
        } catch (error) {
          const reason = describe(error);
          console.error(JSON.stringify({ message: "a message was not consumed", messageId, key, reason }));
          return [{ itemIdentifier: messageId }];
        } finally {
          body?.destroy();
        }
      });
      return { batchItemFailures: failed.flat() };
    };
  };
