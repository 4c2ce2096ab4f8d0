import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
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
const create = async (QueueName: string, Attributes?: Record<string, string>) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;
beforeEach(async () => {
  await emulator.current.reset();
  QueueUrl = await create("q");
});

const send = (MessageBody: string, more: Partial<SendMessageCommandInput> = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (more: Partial<ReceiveMessageCommandInput> = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...more }))).Messages ?? [];
const remove = (ReceiptHandle?: string) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const advance = (duration: string) => emulator.current.clock.advance(duration);
const counts = async () => {
  const { Attributes: a } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  return [
    a?.ApproximateNumberOfMessages,
    a?.ApproximateNumberOfMessagesNotVisible,
    a?.ApproximateNumberOfMessagesDelayed,
  ].map(Number);
};
/** Whether a request is still unanswered after everything that was already under way. */
const pending = async (request: Promise<unknown>) => {
  let done = false;
  void request.finally(() => {
    done = true;
  });
  // A complete round trip of another request: an answer to the first would have come before.
  await counts();
  return !done;
};

describe("SQS messages", () => {
  it("delivers body, attributes of every type and system attributes with the digests that the SDK checks", async () => {
    const MessageAttributes: Record<string, MessageAttributeValue> = {
      text: { DataType: "String", StringValue: "grüße 🚀" },
      "number.float": { DataType: "Number.float", StringValue: "-1.5e3" },
      bytes: { DataType: "Binary.png", BinaryValue: Uint8Array.of(0, 255, 1) },
    };
    const trace = "Root=1-5759e988-bd862e3fe1be46a994272793";
    const sent = await send("héllo\n\t", {
      MessageAttributes,
      MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: trace } },
    });
    const [message] = await receive({ MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] });
    expect(message).toMatchObject({ Body: "héllo\n\t", MessageId: sent.MessageId, MessageAttributes });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.Attributes).toEqual({
      SenderId: "000000000000",
      SentTimestamp: expect.stringMatching(/^\d{13}$/),
      ApproximateReceiveCount: "1",
      ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      AWSTraceHeader: trace,
    });
  });

  it("computes the digests of attributes that AWS computes", async () => {
    // Recorded on AWS.
    const one = await send("msg", { MessageAttributes: { Foo: { DataType: "String", StringValue: "Bar" } } });
    expect(one.MD5OfMessageAttributes).toBe("ae7155c6026991b6d54b11589678bf9c");
    expect(one.MD5OfMessageBody).toBe("6e2baaf3b97dbeef01c0043275f9a0e7");
    const BinaryValue = Buffer.from("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01");
    const two = await send("test", { MessageAttributes: { attr1: { DataType: "Binary", BinaryValue } } });
    expect(two.MD5OfMessageAttributes).toBe("8cbe4db156db8a94db8b801b7addb984");
  });

  it("returns only the attributes that were asked for, by name or prefix, with their own digest", async () => {
    const text = (StringValue: string) => ({ DataType: "String", StringValue });
    await send("msg", {
      MessageAttributes: { General: text("Kenobi"), Hello: text("There"), "Help.Me": text("Me") },
    });
    const ask = async (...MessageAttributeNames: string[]) => {
      const [message] = await receive({ MessageAttributeNames, VisibilityTimeout: 0 });
      return [Object.keys(message?.MessageAttributes ?? {}).sort(), message?.MD5OfMessageAttributes];
    };
    expect(await ask()).toEqual([[], undefined]);
    expect(await ask(".*")).toEqual([["General", "Hello", "Help.Me"], "4c360f3fdafd970e05fae2f149d997f5"]);
    expect(await ask("Hello", "General")).toEqual([["General", "Hello"], "fca026605781cb4126a1e9044df24232"]);
    expect(await ask("Hel.*")).toEqual([["Hello", "Help.Me"], "83fee93c1bcd8b9a5a923ffacdc636c7"]);
    expect(await ask("Foo")).toEqual([[], undefined]);
  });

  it("hides a received message for the visibility timeout and then delivers it again", async () => {
    await send("x");
    await receive();
    expect(await receive()).toEqual([]);
    expect(await counts()).toEqual([0, 1, 0]);
    await advance("15 seconds");
    expect(await receive()).toEqual([]);
    await advance("15 seconds");
    const [again] = await receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
    expect(again?.Attributes).toEqual({ ApproximateReceiveCount: "2" });
    await remove(again?.ReceiptHandle);
    await advance("1 day");
    expect(await counts()).toEqual([0, 0, 0]);
  });

  it("gives a message back at once at visibility 0, and extends it from now at another value", async () => {
    await send("x");
    const change = (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
    const [first] = await receive();
    await change(first?.ReceiptHandle, 0);
    const [second] = await receive({ VisibilityTimeout: 100 });
    await advance("50 seconds");
    await change(second?.ReceiptHandle, 600);
    await advance("500 seconds");
    expect(await receive()).toEqual([]);
    await expect(change(second?.ReceiptHandle, 43_200)).rejects.toMatchObject({
      message:
        "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
    });
    await advance("100 seconds");
    // An old handle changes nothing and is no error, as recorded on AWS.
    await change(second?.ReceiptHandle, 100);
    const [third] = await receive();
    await remove(third?.ReceiptHandle);
    await expect(change(third?.ReceiptHandle, 1)).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: expect.stringContaining("Message does not exist or is not available for visibility timeout change."),
    });
  });

  it("deletes with the handle of the last receive only, and a second time without complaint", async () => {
    await send("x");
    const [first] = await receive({ VisibilityTimeout: 1 });
    await advance("1 second");
    const [second] = await receive();
    await remove(first?.ReceiptHandle);
    expect(await counts()).toEqual([0, 1, 0]);
    await remove(second?.ReceiptHandle);
    await remove(second?.ReceiptHandle);
    expect(await counts()).toEqual([0, 0, 0]);
    await expect(remove("nonsense")).rejects.toMatchObject({
      name: "ReceiptHandleIsInvalid",
      message: 'The input receipt handle "nonsense" is not a valid receipt handle.',
    });
  });

  it("delays by the queue's setting, or by the message's own", async () => {
    QueueUrl = await create("delayed", { DelaySeconds: "50", VisibilityTimeout: "3600" });
    await send("queue's delay");
    await send("longer", { DelaySeconds: 100 });
    await send("at once", { DelaySeconds: 0 });
    expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(["at once"]);
    expect(await counts()).toEqual([0, 1, 2]);
    await advance("50 seconds");
    expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(["queue's delay"]);
    await advance("50 seconds");
    expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(["longer"]);
    await expect(send("x", { DelaySeconds: 901 })).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
    });
  });

  it("drops messages when their retention period is over", async () => {
    QueueUrl = await create("short", { MessageRetentionPeriod: "60" });
    await send("old");
    await advance("30 seconds");
    await send("young");
    await advance("30 seconds");
    expect(await counts()).toEqual([1, 0, 0]);
    expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(["young"]);
  });

  describe("long polling", () => {
    it("is answered by a message that is sent, whose delay ends, and whose visibility ends", async () => {
      const sentLater = receive({ WaitTimeSeconds: 20, VisibilityTimeout: 600 });
      expect(await pending(sentLater)).toBe(true);
      await send("sent");
      expect((await sentLater)[0]?.Body).toBe("sent");

      await send("delayed", { DelaySeconds: 15 });
      const delayed = receive({ WaitTimeSeconds: 20, VisibilityTimeout: 15 });
      expect(await pending(delayed)).toBe(true);
      await advance("15 seconds");
      expect((await delayed)[0]?.Body).toBe("delayed");

      const again = receive({ WaitTimeSeconds: 20 });
      expect(await pending(again)).toBe(true);
      await advance("15 seconds");
      expect((await again)[0]?.Body).toBe("delayed");
    });

    it("ends with nothing after the wait, the queue's own when none is asked for", async () => {
      QueueUrl = await create("patient", { ReceiveMessageWaitTimeSeconds: "10" });
      const waiting = receive();
      expect(await pending(waiting)).toBe(true);
      await advance("10 seconds");
      expect(await waiting).toEqual([]);
    });

    it("gives each message to one of those who wait, in the order in which they came", async () => {
      const first = receive({ WaitTimeSeconds: 20 });
      await pending(first);
      const second = receive({ WaitTimeSeconds: 20 });
      await pending(second);
      await send("1");
      await send("2");
      expect([(await first)[0]?.Body, (await second)[0]?.Body]).toEqual(["1", "2"]);
    });

    it("fails when the queue is deleted meanwhile", async () => {
      const waiting = receive({ WaitTimeSeconds: 20 });
      const failure = expect(waiting).rejects.toMatchObject({ name: "QueueDoesNotExist" });
      await counts();
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      await failure;
    });
  });

  describe("batches", () => {
    it("does every entry that is right and reports every one that is wrong", async () => {
      const { Successful, Failed } = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: [
            { Id: "good", MessageBody: "a" },
            { Id: "bad", MessageBody: "b", DelaySeconds: 1000 },
            { Id: "worse", MessageBody: "\u0000" },
          ],
        }),
      );
      expect(Successful?.map(({ Id }) => Id)).toEqual(["good"]);
      expect(Failed).toEqual([
        {
          Id: "bad",
          Code: "InvalidParameterValue",
          SenderFault: true,
          Message: "Value 1000 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        },
        expect.objectContaining({ Id: "worse", Code: "InvalidMessageContents", SenderFault: true }),
      ]);
      const [message] = await receive();
      const ReceiptHandle = message?.ReceiptHandle;
      const changed = await sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: [
            { Id: "1", ReceiptHandle, VisibilityTimeout: 9 },
            { Id: "2", ReceiptHandle: "nonsense", VisibilityTimeout: 9 },
          ],
        }),
      );
      expect(changed.Successful).toEqual([{ Id: "1" }]);
      expect(changed.Failed?.[0]).toMatchObject({ Id: "2", Code: "ReceiptHandleIsInvalid" });
      const removed = await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: [
            { Id: "1", ReceiptHandle },
            { Id: "2", ReceiptHandle: "nonsense" },
          ],
        }),
      );
      expect([removed.Successful, removed.Failed?.[0]?.Id]).toEqual([[{ Id: "1" }], "2"]);
    });

    it.each([
      ["EmptyBatchRequest", []],
      ["TooManyEntriesInBatchRequest", Array.from({ length: 11 }, (_, i) => ({ Id: `${i}`, MessageBody: "x" }))],
      ["BatchEntryIdsNotDistinct", ["a", "a"].map((Id) => ({ Id, MessageBody: "x" }))],
      ["InvalidBatchEntryId", [{ Id: "a:b", MessageBody: "x" }]],
      ["BatchRequestTooLong", ["a", "b"].map((Id) => ({ Id, MessageBody: "x".repeat(524_289) }))],
    ])("refuses a whole batch with %s", async (name, Entries) => {
      await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({
        name,
        Error: { Code: `AWS.SimpleQueueService.${name}` },
      });
      expect(await counts()).toEqual([0, 0, 0]);
    });
  });

  describe("limits", () => {
    it("takes 1 MiB and not a byte more, attributes counted", async () => {
      await send("x".repeat(1_048_576));
      await expect(send("x".repeat(1_048_577))).rejects.toMatchObject({
        name: "InvalidParameterValue",
        message: "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
      });
      QueueUrl = await create("small", { MaximumMessageSize: "1024" });
      const attribute = { k: { DataType: "String", StringValue: "v" } };
      await send("ä".repeat(508), { MessageAttributes: attribute });
      await expect(send("ä".repeat(509), { MessageAttributes: attribute })).rejects.toMatchObject({
        message: "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
      });
      await expect(send("ä".repeat(513))).rejects.toThrow("shorter than 1024 bytes");
    });

    it.each([
      ["\u0001", "InvalidMessageContents"],
      ["\ufffe", "InvalidMessageContents"],
      ["", "MissingParameter"],
    ])("refuses the body %j", async (body, name) => {
      await expect(send(body)).rejects.toMatchObject({ name });
    });

    const text = { DataType: "String", StringValue: "v" };
    it.each<[string, Record<string, MessageAttributeValue>, string]>([
      [
        "eleven",
        Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`a${i}`, text])),
        "exceeds the allowed maximum [10]",
      ],
      ["a reserved name", { "AWS.x": text }, "reserved for internal use"],
      ["a name with a space", { "a b": text }, "Attribute name can contain"],
      ["a name with two periods", { "a..b": text }, "successive periods"],
      [
        "an empty value",
        { a: { DataType: "String", StringValue: "" } },
        "must contain non-empty message attribute value for message attribute type 'String'",
      ],
      ["no type", { a: { DataType: "", StringValue: "x" } }, "must contain non-empty message attribute type"],
      ["a wrong type", { a: { DataType: "Map", StringValue: "x" } }, "supported type prefixes: Binary, Number, String"],
      ["a number that is none", { a: { DataType: "Number", StringValue: "x1" } }, "to a number"],
      ["text in a binary", { a: { DataType: "Binary", StringValue: "x" } }, "must use field 'BinaryValue'"],
    ])("refuses message attributes: %s", async (_, MessageAttributes, message) => {
      await expect(send("x", { MessageAttributes })).rejects.toMatchObject({
        name: "InvalidParameterValue",
        message: expect.stringContaining(message),
      });
    });

    it.each<[Partial<ReceiveMessageCommandInput>, string]>([
      [
        { MaxNumberOfMessages: 11 },
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
      ],
      [
        { WaitTimeSeconds: 21 },
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
      ],
      [
        { VisibilityTimeout: 43_201 },
        "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.",
      ],
    ])("refuses to receive with %j", async (input, message) => {
      await expect(receive(input)).rejects.toMatchObject({ name: "InvalidParameterValue", message });
    });
  });
});
