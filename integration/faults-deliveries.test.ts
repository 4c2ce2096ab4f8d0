import { CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PutBucketNotificationConfigurationCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { FaultOptions } from "../emulator";
import { settings, useEmulator } from "./harness/emulator";
import { arnOf as eventsArn, Rules } from "./harness/event-rules";
import { invoke, makeFunction } from "./harness/functions";
import { useKinesis } from "./harness/kinesis";
import { useRemoteFunctions } from "./harness/remote-function";
import { makeBucket, s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, take, takeUntil } from "./harness/topics";

const emulator = useEmulator();
const remote = useRemoteFunctions();
const kinesis = useKinesis(emulator);
afterEach(() => emulator.current.faults.clear());

const at = () => settings(emulator.current);
const inject = (options: FaultOptions) => emulator.current.faults.inject(options);
let queues = 0;

/** A queue, and short ways to use it. */
async function queue(Attributes: Record<string, string> = {}, suffix = "") {
  const sqs = new SQSClient(at());
  const name = `delivered-${++queues}${suffix}`;
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return {
    name,
    url: QueueUrl,
    arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`,
    send: (MessageBody: string, more = {}) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more })),
    async receive(max = 10, more = {}) {
      const input = { QueueUrl, MaxNumberOfMessages: max, MessageSystemAttributeNames: ["All" as const], ...more };
      return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
    },
    delete: (ReceiptHandle: string | undefined) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
    hide: (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout })),
    async left() {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      return (
        Number(Attributes!.ApproximateNumberOfMessages) + Number(Attributes!.ApproximateNumberOfMessagesNotVisible)
      );
    },
  };
}

describe("a message that comes twice", () => {
  it("has the same id and another receipt handle, and each of the two has to be deleted", async () => {
    const source = await queue();
    inject({ fault: "duplicate", service: "sqs", resource: source.name, count: 1 });
    const { MessageId } = await source.send("once");
    const [first] = await source.receive();
    const [second] = await source.receive();
    expect([first!.MessageId, second!.MessageId]).toEqual([MessageId, MessageId]);
    expect(second!.Body).toBe("once");
    expect(second!.ReceiptHandle).not.toBe(first!.ReceiptHandle);
    expect([first, second].map((message) => message!.Attributes!.ApproximateReceiveCount)).toEqual(["1", "1"]);
    await source.delete(first!.ReceiptHandle);
    expect(await source.left()).toBe(1);
    await source.hide(second!.ReceiptHandle, 0);
    const [again] = await source.receive();
    await source.delete(again!.ReceiptHandle);
    expect(await source.left()).toBe(0);
  });

  it("still comes the second time when the first one is deleted at once", async () => {
    const source = await queue();
    inject({ fault: "duplicate", service: "sqs", resource: source.arn, count: 1 });
    await source.send("once");
    const [first] = await source.receive();
    await source.delete(first!.ReceiptHandle);
    expect((await source.receive()).map(({ Body }) => Body)).toEqual(["once"]);
  });

  it("comes twice, not for ever, where every delivery is to be repeated", async () => {
    const source = await queue();
    inject({ fault: "duplicate", service: "sqs" });
    for (const body of ["a", "b"]) await source.send(body);
    const seen: string[] = [];
    for (let messages = await source.receive(); messages.length > 0; messages = await source.receive()) {
      seen.push(...messages.map(({ Body }) => Body!));
      for (const { ReceiptHandle } of messages) await source.delete(ReceiptHandle);
    }
    expect(seen).toEqual(["a", "b", "a", "b"]);
  });

  it("is one of a standard queue: a FIFO queue delivers once", async () => {
    const fifo = await queue({ FifoQueue: "true", ContentBasedDeduplication: "true" }, ".fifo");
    const fault = inject({ fault: "duplicate", service: "sqs" });
    const late = inject({ fault: "reorder", service: "sqs" });
    for (const body of ["a", "b"]) await fifo.send(body, { MessageGroupId: "g" });
    const messages = await fifo.receive();
    expect(messages.map(({ Body }) => Body)).toEqual(["a", "b"]);
    for (const { ReceiptHandle } of messages) await fifo.delete(ReceiptHandle);
    expect([await fifo.left(), fault.matched, late.matched]).toEqual([0, 0, 0]);
  });

  it("comes twice to the function that takes from the queue", async () => {
    const source = await queue();
    await makeFunction(new LambdaClient(at()), "taker", remote.code("taker"));
    inject({ fault: "duplicate", service: "sqs", resource: source.name, count: 1 });
    await source.send("once");
    await new LambdaClient(at()).send(
      new CreateEventSourceMappingCommand({ EventSourceArn: source.arn, FunctionName: "taker" }),
    );
    const [first, second] = [await remote.next("taker"), await remote.next("taker")];
    first.succeed();
    second.succeed();
    const [one, two] = [first.event.Records[0], second.event.Records[0]];
    expect(one.messageId).toBe(two.messageId);
    await expect.poll(() => source.left()).toBe(0);
  });

  it("loses no message and invents none, whatever is repeated and reordered", async () => {
    const steps = array(constantFrom("send", "receive", "delete", "hide"), { maxLength: 40 });
    const options = record({ seed: integer({ min: 0 }), steps, late: boolean() });
    await assert(
      asyncProperty(options, async ({ seed, steps, late }) => {
        const source = await queue();
        inject({ fault: "duplicate", service: "sqs", resource: source.name, probability: 0.5, seed });
        if (late) inject({ fault: "reorder", service: "sqs", resource: source.name, probability: 0.5, seed });
        const sent = new Set<string>();
        const seen: string[] = [];
        const handles: string[] = [];
        const receive = async () => {
          const messages = await source.receive();
          seen.push(...messages.map(({ Body }) => Body!));
          handles.push(...messages.map(({ ReceiptHandle }) => ReceiptHandle!));
          return messages.length;
        };
        for (const step of steps) {
          if (step === "send") {
            const body = String(sent.size);
            sent.add(body);
            await source.send(body);
          } else if (step === "receive") await receive();
          const handle = step === "delete" || step === "hide" ? handles.shift() : undefined;
          if (handle && step === "delete") await source.delete(handle);
          else if (handle) await source.hide(handle, 0);
        }
        emulator.current.faults.clear();
        // Everything that is delayed or hidden is there again now.
        do {
          await emulator.current.clock.advance("31 seconds");
          for (const handle of handles.splice(0)) await source.delete(handle);
        } while ((await receive()) > 0);
        expect(new Set(seen)).toEqual(sent);
        expect(await source.left()).toBe(0);
      }),
      { numRuns: 12 },
    );
  });
});

describe("a delivery that comes twice", () => {
  it("is an event for a function, with the same request id", async () => {
    await makeFunction(new LambdaClient(at()), "eventful", remote.code("eventful"));
    inject({ fault: "duplicate", service: "lambda", resource: "eventful", count: 1 });
    await invoke(new LambdaClient(at()), "eventful", { n: 1 }, { InvocationType: "Event" });
    const [first, second] = [await remote.next("eventful"), await remote.next("eventful")];
    expect([first.event, second.requestId]).toEqual([{ n: 1 }, first.requestId]);
    first.succeed();
    second.succeed();
  });

  it("is a batch of a stream, with the same records", async () => {
    const StreamName = await kinesis.stream({ StreamName: "repeated" });
    await makeFunction(new LambdaClient(at()), "repeated", remote.code("repeated"));
    inject({ fault: "duplicate", service: "kinesis", resource: StreamName, count: 1 });
    await kinesis.putAll(StreamName, [["1"], ["2"]]);
    await new LambdaClient(at()).send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: kinesis.arn(StreamName),
        FunctionName: "repeated",
        StartingPosition: "TRIM_HORIZON",
      }),
    );
    const first = await remote.next("repeated");
    first.succeed();
    const second = await remote.next("repeated");
    second.succeed();
    expect(second.event).toEqual(first.event);
    await kinesis.put(StreamName, "3");
    const third = await remote.next("repeated");
    third.succeed();
    expect(third.event.Records).toHaveLength(1);
  });

  it("is a message of a topic, with the same id", async () => {
    const { queue: told, publish, sqs } = await topic();
    inject({ fault: "duplicate", service: "sns" });
    const { MessageId } = await publish("twice");
    const bodies = (await takeUntil(sqs, told.url, 2)).map(({ Body }) => JSON.parse(Body!));
    expect(bodies.map((body) => body.MessageId)).toEqual([MessageId, MessageId]);
  });

  it("is the news of an object, with the same sequencer", async () => {
    const { told, put, sqs } = await bucket();
    inject({ fault: "duplicate", service: "s3", resource: "arn:aws:s3:::*/twice" });
    await put("once");
    await put("twice");
    const messages = (await takeUntil(sqs, told.url, 3)).map(({ Body }) => JSON.parse(Body!).Records[0].s3.object);
    expect(messages.map(({ key }) => key).sort()).toEqual(["once", "twice", "twice"]);
    expect(new Set(messages.map(({ sequencer }) => sequencer)).size).toBe(2);
  });

  it("is an event of a rule, with the same id", async () => {
    const rules = new Rules(emulator.current);
    const { name, source, queue: told } = await rules.toQueue();
    inject({ fault: "duplicate", service: "events", resource: name });
    const { EventId } = await rules.put(source);
    expect((await rules.bodies(told.url, 2)).map(({ id }) => id)).toEqual([EventId, EventId]);
  });
});

describe("deliveries out of order", () => {
  it("come in swapped pairs where each is to be overtaken", async () => {
    const source = await queue();
    inject({ fault: "reorder", service: "sqs", resource: source.name });
    for (const body of ["1", "2", "3", "4"]) await source.send(body);
    expect((await source.receive()).map(({ Body }) => Body)).toEqual(["2", "1", "4", "3"]);
  });

  it("come late, not never, where nothing overtakes them", async () => {
    const source = await queue();
    inject({ fault: "reorder", service: "sqs", resource: source.name, delayMs: 60_000 });
    await source.send("alone");
    expect(await source.receive()).toEqual([]);
    await emulator.current.clock.advance("1 minute");
    expect((await source.receive()).map(({ Body }) => Body)).toEqual(["alone"]);
  });

  it("leave a message alone that has a delay of its own", async () => {
    const source = await queue();
    const fault = inject({ fault: "reorder", service: "sqs", resource: source.name });
    await source.send("later", { DelaySeconds: 60 });
    expect(fault.hits).toBe(0);
    await source.send("held");
    await source.send("next");
    expect((await source.receive()).map(({ Body }) => Body)).toEqual(["next", "held"]);
  });

  it("are those of a topic to one subscriber", async () => {
    const { queue: told, publish, sqs } = await topic();
    inject({ fault: "reorder", service: "sns", count: 1 });
    for (const text of ["1", "2", "3"]) await publish(text);
    const bodies = (await takeUntil(sqs, told.url, 3)).map(({ Body }) => JSON.parse(Body!).Message);
    expect(bodies).toEqual(["2", "1", "3"]);
  });

  it("are the news of a bucket's objects, which their sequencers still put in order", async () => {
    const { told, put, sqs } = await bucket();
    inject({ fault: "reorder", service: "s3", count: 1 });
    for (const key of ["a", "b"]) await put(key);
    const objects = (await takeUntil(sqs, told.url, 2)).map(({ Body }) => JSON.parse(Body!).Records[0].s3.object);
    expect(objects.map(({ key }) => key)).toEqual(["b", "a"]);
    expect(objects[1].sequencer < objects[0].sequencer).toBe(true);
  });

  it("are released by time, also those of a topic that falls silent", async () => {
    const { queue: told, publish, sqs } = await topic();
    inject({ fault: "reorder", service: "sns", delayMs: 3_600_000 });
    await publish("alone");
    await emulator.current.clock.advance("59 minutes");
    expect(await take(sqs, told.url)).toEqual([]);
    await emulator.current.clock.advance("1 minute");
    expect(await takeUntil(sqs, told.url, 1)).toHaveLength(1);
  });

  it("are events of a rule to one target", async () => {
    const rules = new Rules(emulator.current);
    const { name, source, queue: told } = await rules.toQueue();
    inject({ fault: "reorder", service: "events", resource: eventsArn(`rule/${name}`), count: 1 });
    for (const n of [1, 2]) await rules.put(source, { n });
    expect((await rules.bodies(told.url, 2)).map(({ detail }) => detail.n)).toEqual([2, 1]);
  });
});

/** A topic with a queue that is subscribed to it. */
async function topic() {
  const sns = new SNSClient(at());
  const sqs = new SQSClient(at());
  const TopicArn = await makeTopic(sns);
  const told = await makeOpenQueue(sqs, "sns.amazonaws.com", TopicArn);
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: told.arn }));
  return { queue: told, sqs, publish: (Message: string) => sns.send(new PublishCommand({ TopicArn, Message })) };
}

/** A bucket that tells a queue of its objects. */
async function bucket() {
  const s3 = s3Client(emulator.current);
  const sqs = new SQSClient(at());
  const Bucket = await makeBucket(s3);
  const told = await makeOpenQueue(sqs, "s3.amazonaws.com", `arn:aws:s3:::${Bucket}`);
  const QueueConfigurations = [{ QueueArn: told.arn, Events: ["s3:ObjectCreated:*" as const] }];
  const NotificationConfiguration = { QueueConfigurations };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  await takeUntil(sqs, told.url, 1);
  return { told, sqs, put: (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" })) };
}
