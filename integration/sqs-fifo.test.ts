import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let sqs: SQSClient;
let QueueUrl: string;
beforeAll(() => {
  sqs = new SQSClient(settings(emulator.current));
});
const create = async (QueueName: string, more: Record<string, string> = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: "true", ...more } }))).QueueUrl!;
beforeEach(async () => {
  await emulator.current.reset();
  QueueUrl = await create("q.fifo", { ContentBasedDeduplication: "true" });
});

const send = (MessageBody: string, MessageGroupId = "g", more: Partial<SendMessageCommandInput> = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId, ...more }));
const receive = async (MaxNumberOfMessages = 10, more: Partial<ReceiveMessageCommandInput> = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages, ...more }))).Messages ?? [];
const bodies = async (max?: number) => (await receive(max)).map(({ Body }) => Body);
const remove = (ReceiptHandle?: string) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const advance = (duration: string) => emulator.current.clock.advance(duration);

describe("SQS FIFO queues", () => {
  it("delivers a group in order and nothing of it while one of its messages is in flight", async () => {
    for (const body of ["1", "2", "3"]) await send(body);
    await send("other", "h");
    const [one, two] = await receive(2);
    expect([one?.Body, two?.Body]).toEqual(["1", "2"]);
    expect(await bodies()).toEqual(["other"]);
    await remove(one?.ReceiptHandle);
    expect(await bodies()).toEqual([]);
    await remove(two?.ReceiptHandle);
    expect(await bodies()).toEqual(["3"]);
  });

  it("delivers what was not deleted again in its old place", async () => {
    for (const body of ["1", "2", "3"]) await send(body);
    const [, two] = await receive(2);
    await remove(two?.ReceiptHandle);
    await advance("30 seconds");
    expect(await bodies()).toEqual(["1", "3"]);
  });

  it("shows group, deduplication id and a growing sequence number", async () => {
    const first = await send("a", "g", { MessageDeduplicationId: "d1" });
    const second = await send("b", "g", { MessageDeduplicationId: "d2" });
    expect(first.SequenceNumber).toMatch(/^\d{20}$/);
    expect(BigInt(second.SequenceNumber!)).toBeGreaterThan(BigInt(first.SequenceNumber!));
    const [message] = await receive(1, { MessageSystemAttributeNames: ["All"] });
    expect(message?.Attributes).toMatchObject({
      MessageGroupId: "g",
      MessageDeduplicationId: "d1",
      SequenceNumber: first.SequenceNumber,
    });
  });

  it("accepts a duplicate within five minutes and does not deliver it, even after the first was deleted", async () => {
    const first = await send("same");
    const [message] = await receive();
    await remove(message?.ReceiptHandle);
    const second = await send("same", "another-group");
    expect([second.MessageId, second.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
    expect(await bodies()).toEqual([]);
    await advance("5 minutes");
    await send("same");
    expect(await bodies()).toEqual(["same"]);
  });

  it("deduplicates within the group where the queue says so", async () => {
    QueueUrl = await create("scoped.fifo", {
      ContentBasedDeduplication: "true",
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
    });
    await send("same", "g");
    await send("same", "h");
    await send("same", "h");
    expect(await bodies()).toEqual(["same", "same"]);
  });

  it("gives the same messages for the same receive attempt", async () => {
    await send("1");
    const first = await receive(1, { ReceiveRequestAttemptId: "try" });
    const again = await receive(1, { ReceiveRequestAttemptId: "try" });
    expect(again).toEqual(first);
    expect(await receive(1, { ReceiveRequestAttemptId: "another" })).toEqual([]);
  });

  it("applies a changed delay to messages that are already there", async () => {
    QueueUrl = await create("delayed.fifo", { ContentBasedDeduplication: "true", DelaySeconds: "600" });
    await send("x");
    expect(await bodies()).toEqual([]);
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: "1" } }));
    await advance("1 second");
    expect(await bodies()).toEqual(["x"]);
  });

  it("refuses handles whose time is over", async () => {
    await send("x");
    const [message] = await receive();
    await advance("30 seconds");
    const refusal = {
      name: "InvalidParameterValue",
      message: `Value ${message?.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
    };
    await expect(remove(message?.ReceiptHandle)).rejects.toMatchObject(refusal);
    await expect(
      sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 5 }),
      ),
    ).rejects.toMatchObject(refusal);
    expect(await bodies()).toEqual(["x"]);
  });

  it.each<[string, Partial<SendMessageCommandInput>, string, string]>([
    [
      "a delay of its own",
      { DelaySeconds: 2 },
      "InvalidParameterValue",
      "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.",
    ],
    [
      "no group",
      { MessageGroupId: undefined },
      "MissingParameter",
      "The request must contain the parameter MessageGroupId.",
    ],
    [
      "a group with a space",
      { MessageGroupId: "a b" },
      "InvalidParameterValue",
      "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
    ],
  ])("refuses a message with %s", async (_, input, name, message) => {
    await expect(send("x", "g", input)).rejects.toMatchObject({ name, message });
    expect(await bodies()).toEqual([]);
  });

  it("refuses a message or a batch without any way to tell duplicates", async () => {
    QueueUrl = await create("strict.fifo");
    const refusal = {
      name: "InvalidParameterValue",
      message:
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    };
    await expect(send("x")).rejects.toMatchObject(refusal);
    const Entries = [
      { Id: "1", MessageBody: "x", MessageGroupId: "g", MessageDeduplicationId: "d" },
      { Id: "2", MessageBody: "y", MessageGroupId: "g" },
    ];
    await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject(refusal);
    expect(await bodies()).toEqual([]);
  });

  it("takes a group on a standard queue, but no deduplication id", async () => {
    QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: "fair" }))).QueueUrl!;
    await send("x", "tenant");
    const [message] = await receive(1, { MessageSystemAttributeNames: ["MessageGroupId"] });
    expect(message?.Attributes).toEqual({ MessageGroupId: "tenant" });
    await expect(send("x", "tenant", { MessageDeduplicationId: "d" })).rejects.toMatchObject({
      message:
        "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.",
    });
  });
});
