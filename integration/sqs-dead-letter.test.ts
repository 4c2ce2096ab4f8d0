import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let sqs: SQSClient;
beforeAll(() => {
  sqs = new SQSClient(settings(emulator.current));
});
beforeEach(() => emulator.current.reset());

const create = async (QueueName: string, Attributes: Record<string, string> = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;
const arn = (name: string) => `arn:aws:sqs:eu-west-1:000000000000:${name}`;
const redrive = (name: string, maxReceiveCount: number | string) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(name), maxReceiveCount }),
});
const send = (QueueUrl: string, MessageBody: string, MessageGroupId?: string) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId }));
const receive = async (QueueUrl: string) =>
  (
    await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
    )
  ).Messages ?? [];
const advance = (duration: string) => emulator.current.clock.advance(duration);

/** A queue whose messages are dead letters after one receive, and such letters. */
async function deadLetters(...bodies: string[]) {
  const dead = await create("dead");
  const queue = await create("work", { VisibilityTimeout: "1", ...redrive("dead", 1) });
  for (const body of bodies) await send(queue, body);
  await receive(queue);
  await advance("1 second");
  await receive(queue);
  return { dead, queue };
}

describe("SQS dead-letter queues", () => {
  it.each([
    ["standard", "", {}],
    ["FIFO", ".fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" }],
  ])("moves a message of a %s queue when it would be received for the sixth time", async (_, suffix, kind) => {
    const dead = await create(`dead${suffix}`, kind);
    // Infrastructure tools send the count as a number or as text.
    const queue = await create(`work${suffix}`, { ...kind, ...redrive(`dead${suffix}`, "5") });
    const sent = await send(queue, "poison", suffix ? "g" : undefined);
    let sentAt: string | undefined;
    for (let n = 1; n <= 5; n++) {
      const [message] = await receive(queue);
      expect(message?.Attributes?.ApproximateReceiveCount).toBe(String(n));
      sentAt = message?.Attributes?.SentTimestamp;
      await advance("30 seconds");
    }
    expect(await receive(dead)).toEqual([]);
    expect(await receive(queue)).toEqual([]);
    const [letter] = await receive(dead);
    expect(letter).toMatchObject({ MessageId: sent.MessageId, Body: "poison" });
    expect(letter?.Attributes).toMatchObject({
      SentTimestamp: sentAt,
      DeadLetterQueueSourceArn: arn(`work${suffix}`),
      // Goes on counting, as seen on AWS.
      ApproximateReceiveCount: "6",
    });
  });

  it("wakes a long poll on the dead-letter queue", async () => {
    const dead = await create("dead");
    const queue = await create("work", { VisibilityTimeout: "1", ...redrive("dead", 1) });
    await send(queue, "poison");
    await receive(queue);
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl: dead, WaitTimeSeconds: 20 }));
    await advance("1 second");
    await receive(queue);
    expect((await waiting).Messages?.[0]?.Body).toBe("poison");
  });

  it("goes on delivering when the dead-letter queue was deleted", async () => {
    const { dead, queue } = await deadLetters();
    await send(queue, "x");
    await receive(queue);
    await sqs.send(new DeleteQueueCommand({ QueueUrl: dead }));
    await advance("1 second");
    expect((await receive(queue))[0]?.Body).toBe("x");
  });

  it("expires a letter by the time when it was first sent", async () => {
    const { dead } = await deadLetters("old");
    await advance("4 days");
    expect(await receive(dead)).toEqual([]);
  });

  it.each([
    ['{"deadLetterTargetArn":"dummy","maxReceiveCount":42}', "Invalid value for deadLetterTargetArn."],
    ["nonsense", "Redrive policy is not a valid JSON map."],
    [
      JSON.stringify({ deadLetterTargetArn: arn("dead") }),
      "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
    ],
    [
      redrive("dead", 0).RedrivePolicy,
      "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
    ],
    [redrive("missing", 3).RedrivePolicy, "Dead letter target does not exist."],
    [redrive("dead.fifo", 3).RedrivePolicy, "Dead-letter queue must be same type of queue as the source."],
  ])("refuses the redrive policy %s", async (RedrivePolicy, reason) => {
    await create("dead");
    await create("dead.fifo", { FifoQueue: "true" });
    await expect(create("work", { RedrivePolicy })).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: `Value ${RedrivePolicy} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
    });
  });

  it("lets only those queues use it that its redrive allow policy names", async () => {
    const dead = await create("dead", { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
    await expect(create("work", redrive("dead", 3))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    const allow = { redrivePermission: "byQueue", sourceQueueArns: [arn("work")] };
    await sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: dead, Attributes: { RedriveAllowPolicy: JSON.stringify(allow) } }),
    );
    const work = await create("work", redrive("dead", 3));
    await expect(create("other", redrive("dead", 3))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
    expect(sources.queueUrls).toEqual([work]);
  });
});

describe("SQS message move tasks", () => {
  const list = async () =>
    (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn("dead"), MaxResults: 10 }))).Results ?? [];

  it("moves letters back to where they came from, as new messages", async () => {
    const { dead, queue } = await deadLetters("1", "2");
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn("dead") }));
    await expect.poll(async () => (await list())[0]?.Status).toBe("COMPLETED");
    expect((await list())[0]).toMatchObject({
      ApproximateNumberOfMessagesMoved: 2,
      ApproximateNumberOfMessagesToMove: 2,
      SourceArn: arn("dead"),
    });
    const back = await receive(queue);
    expect(back.map(({ Body }) => Body)).toEqual(["1", "2"]);
    expect(back[0]?.Attributes).toMatchObject({ ApproximateReceiveCount: "1" });
    expect(await receive(dead)).toEqual([]);
  });

  it("keeps the pace that was asked for, until it is cancelled", async () => {
    const letters = Array.from({ length: 10 }, (_, i) => `${i}`);
    await deadLetters(...letters);
    const target = await create("target");
    const { TaskHandle } = await sqs.send(
      new StartMessageMoveTaskCommand({
        SourceArn: arn("dead"),
        DestinationArn: arn("target"),
        MaxNumberOfMessagesPerSecond: 1,
      }),
    );
    await advance("2 seconds");
    expect((await list())[0]).toMatchObject({ Status: "RUNNING", TaskHandle, ApproximateNumberOfMessagesToMove: 10 });
    await expect(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn("dead") }))).rejects.toMatchObject({
      message:
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    });
    const { ApproximateNumberOfMessagesMoved: moved } = await sqs.send(
      new CancelMessageMoveTaskCommand({ TaskHandle }),
    );
    expect(moved).toBeGreaterThanOrEqual(2);
    await advance("1 minute");
    expect((await list())[0]).toMatchObject({ Status: "CANCELLED", ApproximateNumberOfMessagesMoved: moved });
    expect(await receive(target)).toHaveLength(moved!);
  });

  it("fails without losing a message when the destination is deleted on the way", async () => {
    const { dead } = await deadLetters("1", "2", "3");
    const target = await create("target");
    const DestinationArn = arn("target");
    await sqs.send(
      new StartMessageMoveTaskCommand({ SourceArn: arn("dead"), DestinationArn, MaxNumberOfMessagesPerSecond: 1 }),
    );
    await sqs.send(new DeleteQueueCommand({ QueueUrl: target }));
    await advance("1 minute");
    const [task] = await list();
    expect(task).toMatchObject({ Status: "FAILED", FailureReason: "AWS.SimpleQueueService.NonExistentQueue" });
    expect(await receive(dead)).toHaveLength(3 - task!.ApproximateNumberOfMessagesMoved!);
  });

  it("refuses sources, destinations and handles that are none", async () => {
    await deadLetters();
    const start = (SourceArn: string, DestinationArn?: string) =>
      sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
    await expect(start(arn("work"))).rejects.toThrow("Source queue must be configured as a Dead Letter Queue.");
    await expect(start(arn("missing"))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The resource that you specified for the SourceArn parameter doesn't exist.",
    });
    await expect(start(arn("dead"), arn("missing"))).rejects.toThrow(
      "The resource that you specified for the DestinationArn parameter doesn't exist.",
    );
    await expect(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: "x" }))).rejects.toThrow(
      "Value for parameter TaskHandle is invalid.",
    );
  });
});
