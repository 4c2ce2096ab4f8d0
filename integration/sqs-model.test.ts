import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let sqs: SQSClient;
beforeAll(() => {
  sqs = new SQSClient(settings(emulator.current));
});

const maxReceiveCount = 4;

type Step =
  | { do: "send"; group: string; delay: number }
  | { do: "receive"; max: number; visibility: number }
  | { do: "delete"; handle: number }
  | { do: "hide"; handle: number; visibility: number }
  | { do: "advance"; seconds: number };

// All times are multiples of 60 seconds: what a slow machine adds in real time never decides anything.
const seconds = fc.constantFrom(0, 60, 120);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send"), group: fc.constantFrom("a", "b"), delay: seconds }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("receive"), max: fc.integer({ min: 1, max: 4 }), visibility: seconds }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete"), handle: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("hide"), handle: fc.nat(3), visibility: seconds }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), seconds: fc.constantFrom(60, 120) }) },
) as fc.Arbitrary<Step>;

interface Expected {
  readonly id: string;
  readonly group: string;
  /** The order of sending. */
  readonly place: number;
  /** Not to be delivered before. */
  hiddenUntil: number;
  receives: number;
  handle?: string;
  deleted: boolean;
}

/** What SQS promises, next to a real queue. */
class Model {
  readonly messages: Expected[] = [];
  readonly handles: { handle: string; message: Expected }[] = [];
  now = 0;

  constructor(
    readonly fifo: boolean,
    readonly queue: string,
    readonly dead: string,
  ) {}

  async run(step: Step): Promise<unknown> {
    if (step.do === "send") return this.send(step.group, step.delay);
    if (step.do === "receive") return this.receive(step.max, step.visibility);
    if (step.do === "advance") return this.advance(step.seconds);
    // The latest handles are the ones that matter: current, or just replaced.
    const known = this.handles[this.handles.length - 1 - step.handle];
    if (!known) return;
    return step.do === "delete" ? this.delete(known) : this.hide(known, step.visibility);
  }

  async send(group: string, delay: number): Promise<void> {
    const place = this.messages.length;
    const { MessageId } = await sqs.send(
      new SendMessageCommand({
        QueueUrl: this.queue,
        MessageBody: String(place),
        ...(this.fifo ? { MessageGroupId: group, MessageDeduplicationId: String(place) } : { DelaySeconds: delay }),
      }),
    );
    const hiddenUntil = this.fifo ? 0 : this.now + delay;
    this.messages.push({ id: MessageId!, group, place, hiddenUntil, receives: 0, deleted: false });
  }

  async receive(max: number, visibility: number): Promise<number> {
    const deliverable = this.messages.filter(
      (m) => !m.deleted && m.hiddenUntil <= this.now && m.receives < maxReceiveCount,
    );
    const locked = new Set(this.messages.filter((m) => !m.deleted && m.hiddenUntil > this.now).map((m) => m.group));
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: this.queue, MaxNumberOfMessages: max, VisibilityTimeout: visibility }),
    );
    for (const { MessageId, Body, ReceiptHandle } of Messages) {
      const message = this.messages.find(({ id }) => id === MessageId)!;
      expect(Body).toBe(String(message.place));
      expect(deliverable, "delivered while hidden, deleted, or received too often").toContain(message);
      if (this.fifo) {
        expect(locked, "delivered while its group is in flight").not.toContain(message.group);
        const first = deliverable.find((m) => m.group === message.group);
        expect(message.place, "out of order").toBe(first!.place);
      }
      deliverable.splice(deliverable.indexOf(message), 1);
      message.receives++;
      message.hiddenUntil = this.now + visibility;
      message.handle = ReceiptHandle;
      this.handles.push({ handle: ReceiptHandle!, message });
    }
    const left = deliverable.filter(({ group }) => !this.fifo || !locked.has(group));
    if (Messages.length < max) expect(left, "available and not delivered").toEqual([]);
    return Messages.length;
  }

  async delete({ handle, message }: { handle: string; message: Expected }): Promise<void> {
    const command = new DeleteMessageCommand({ QueueUrl: this.queue, ReceiptHandle: handle });
    const holds = message.handle === handle && message.hiddenUntil > this.now;
    if (this.fifo && !message.deleted && !holds) {
      // A message that went to the dead-letter queue is unknown here, and deleting what is unknown succeeds.
      if (message.receives < maxReceiveCount) await expect(sqs.send(command)).rejects.toThrow("has expired");
      return;
    }
    if (!holds && message.receives >= maxReceiveCount) return;
    await sqs.send(command);
    if (message.handle === handle) message.deleted = true;
  }

  async hide({ handle, message }: { handle: string; message: Expected }, visibility: number): Promise<void> {
    if (message.deleted || message.handle !== handle || message.hiddenUntil <= this.now) return;
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: this.queue,
        ReceiptHandle: handle,
        VisibilityTimeout: visibility,
      }),
    );
    message.hiddenUntil = this.now + visibility;
  }

  async advance(by: number): Promise<void> {
    await emulator.current.clock.advance(by * 1000);
    this.now += by;
  }

  /** Receives without deleting until every message has had its chances; gives the bodies in the dead-letter queue. */
  async drain(): Promise<string[]> {
    for (let quiet = 0; quiet < 2; ) {
      await this.advance(120);
      quiet = (await this.receive(10, 60)) ? 0 : quiet + 1;
    }
    const letters: string[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: this.dead, MaxNumberOfMessages: 10 }),
      );
      for (const { Body, ReceiptHandle } of Messages) {
        letters.push(Body!);
        await sqs.send(new DeleteMessageCommand({ QueueUrl: this.dead, ReceiptHandle }));
      }
      if (!Messages.length) return letters;
    }
  }
}

async function makeModel(fifo: boolean): Promise<Model> {
  await emulator.current.reset();
  const suffix = fifo ? ".fifo" : "";
  const Attributes = fifo ? { FifoQueue: "true" } : undefined;
  const create = async (QueueName: string, more?: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { ...Attributes, ...more } }))).QueueUrl!;
  const dead = await create(`dead${suffix}`, { VisibilityTimeout: "43200" });
  const deadLetterTargetArn = `arn:aws:sqs:eu-west-1:000000000000:dead${suffix}`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
  return new Model(fifo, await create(`work${suffix}`, { RedrivePolicy }), dead);
}

describe.each([
  ["a standard queue", false],
  ["a FIFO queue", true],
])("whatever is done to %s", (_, fifo) => {
  it("loses no message, delivers none while it is hidden, keeps the order of groups, and ends each deleted or dead-lettered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const model = await makeModel(fifo);
        for (const step of steps) await model.run(step);
        const letters = await model.drain();
        const left = model.messages.filter(({ deleted }) => !deleted).map(({ place }) => String(place));
        expect(letters.sort()).toEqual(left.sort());
      }),
      { numRuns: 50 },
    );
  });
});
