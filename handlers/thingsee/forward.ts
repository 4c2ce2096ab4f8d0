import { hash } from "node:crypto";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { groupBySize, MAX_MESSAGE_BYTES, toSqsText } from "../batching";
import type { Clients } from "../clients";
import { describe, mapConcurrent } from "../retry";

/** A message on its way to the queues. */
export interface Outgoing {
  /** Its JSON. */
  readonly json: string;
  /** The queues that it goes to. */
  readonly queues: readonly string[];
}

/** Why messages did not reach queues: by their place in the list, then by the queue's URL. */
export type ForwardFailures = Record<number, Record<string, string>>;

const PARALLEL = 8;

/**
 * Sends messages to queues. One SQS message carries a JSON array, all the messages together where they fit 1 MiB:
 * SQS bills by request, and a consumer reads what belongs together at once.
 */
export async function forward(messages: readonly Outgoing[], clients: Clients): Promise<ForwardFailures> {
  const failures: ForwardFailures = {};
  const texts = messages.map(({ json, queues }, index) => ({ text: toSqsText(json), queues, index }));
  const urls = Object.keys(Object.fromEntries(messages.flatMap(({ queues }) => queues.map((url) => [url, true]))));
  const parts = urls.flatMap((url) => {
    const wanted = texts.filter(({ queues }) => queues.includes(url));
    // Two brackets around all, a comma after each.
    const groups = groupBySize(wanted, ({ text }) => Buffer.byteLength(text) + 1, wanted.length, MAX_MESSAGE_BYTES - 2);
    return groups.map((group) => ({ url, group }));
  });
  await mapConcurrent(parts, PARALLEL, async ({ url, group }) => {
    try {
      await send(url, `[${group.map(({ text }) => text).join(",")}]`, clients);
    } catch (error) {
      for (const { index } of group) failures[index] = { ...failures[index], [url]: describe(error) };
    }
  });
  return failures;
}

async function send(url: string, body: string, clients: Clients): Promise<void> {
  const fifo = url.endsWith(".fifo");
  await clients.sqs().send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: body,
      ...(fifo && { MessageGroupId: "thingsee", MessageDeduplicationId: hash("sha256", body) }),
    }),
  );
}
