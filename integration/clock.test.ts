import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { Clock } from "../emulator/core/clock";
import { settings, useEmulator } from "./harness/emulator";
import { Rules } from "./harness/event-rules";
import { arnOf, makeFunction } from "./harness/functions";
import { useRemoteFunctions } from "./harness/remote-function";

const minute = 60_000;

/** What a task of a plan does when it runs. */
interface Planned {
  readonly minutes: number;
  /** The task that puts it on the clock, as one of those before it; undefined for the test. */
  readonly by: number | undefined;
  /** Turns of the event loop that its own promise takes, and the work that it leaves in the background. */
  readonly turns: number;
  readonly behind: number;
  /** Takes this one off the clock, counted in the order in which they were put on it. */
  readonly cancels: number | undefined;
}

const some = (max: number) => fc.option(fc.nat(max), { nil: undefined });
const planned: fc.Arbitrary<Planned> = fc.record({
  minutes: fc.nat(40),
  by: some(30),
  turns: fc.nat(2),
  behind: fc.nat(2),
  cancels: some(30),
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A task that was put on the clock. */
interface Put {
  readonly number: number;
  readonly due: number;
  readonly timer: { cancel(): void };
  cancelled?: boolean;
  /** The time of its run. */
  ran?: number;
}

describe("moving the clock", () => {
  it("runs whatever falls due in order, each task after all that the one before it set going", async () => {
    const moves = fc.array(fc.nat(60), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(
      fc.array(planned, { minLength: 5, maxLength: 30 }),
      moves,
      async (plans, durations) => {
        const clock = new Clock();
        const all: Put[] = [];
        const order: Put[] = [];
        let under = 0;
        const work = async (count: number) => {
          under++;
          await turns(count);
          under--;
        };
        const partsOf = (by: number | undefined) =>
          plans.filter((one, index) => (one.by === undefined || index === 0 ? undefined : one.by % index) === by);
        const add = (one: Planned) => {
          const run = async () => {
            expect(under).toBe(0);
            put.ran = clock.now();
            order.push(put);
            const cancelled = all[one.cancels ?? put.number]!;
            cancelled?.timer.cancel();
            if (cancelled && cancelled.ran === undefined) cancelled.cancelled = true;
            partsOf(plans.indexOf(one)).forEach(add);
            void clock.track(work(one.behind).then(() => clock.track(work(one.behind))));
            await work(one.turns);
          };
          const due = clock.now() + one.minutes * minute;
          const put: Put = { number: all.length, due, timer: clock.after(one.minutes * minute, run) };
          all.push(put);
        };
        partsOf(undefined).forEach(add);
        for (const duration of durations) {
          await clock.advance(duration * minute);
          expect(under).toBe(0);
          for (const { due, ran, cancelled } of all) {
            if (ran === undefined) expect(cancelled || due > clock.now() - 1000).toBe(true);
            else expect(ran - due).toBeLessThan(1000);
          }
        }
        clock.clear();
        expect(order).toEqual(order.toSorted((a, b) => a.due - b.due || a.number - b.number));
        for (const { due, ran, cancelled } of order) expect(!cancelled && ran! >= due).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  it("leaves out whatever was taken off it, and keeps the others in order", async () => {
    const delays = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 60 });
    const property = fc.asyncProperty(
      delays,
      fc.array(fc.nat(59), { minLength: 10, maxLength: 30 }),
      async (minutes, takenOff) => {
        const clock = new Clock();
        const order: number[] = [];
        const timers = minutes.map((delay, index) => clock.after(delay * minute, () => order.push(index)));
        for (const index of takenOff) timers[index]?.cancel();
        await clock.advance("1 day");
        const left = minutes.map((_, index) => index).filter((index) => !takenOff.includes(index));
        expect(order).toEqual(left.toSorted((a, b) => minutes[a]! - minutes[b]! || a - b));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it("adds up when it is moved twice at a time", async () => {
    const clock = new Clock();
    const start = clock.now();
    await Promise.all([clock.advance("1 hour"), clock.advance("2 hours")]);
    expect(Math.round((clock.now() - start) / minute)).toBe(180);
  });

  it("fails with what a task fails with, and goes on the next time", async () => {
    const clock = new Clock();
    const seen: string[] = [];
    clock.after(minute, async () => {
      throw new Error("broken");
    });
    clock.after(2 * minute, () => seen.push("next"));
    await expect(clock.advance("1 hour")).rejects.toThrow("broken");
    await clock.advance("1 hour");
    expect(seen).toEqual(["next"]);
  });

  it("runs in real time what falls due in real time, the first task first", async () => {
    const clock = new Clock();
    const seen: string[] = [];
    const all = new Promise<void>((resolve) => clock.after(20, () => resolve()));
    clock.after(10, () => seen.push("second"));
    clock.after(15, () => seen.push("cancelled")).cancel();
    clock.after(1, () => seen.push("first"));
    await all;
    expect(seen).toEqual(["first", "second"]);
  });
});

describe("what the clock waits for", () => {
  const emulator = useEmulator();
  const remote = useRemoteFunctions();
  let lambda: LambdaClient;
  let sqs: SQSClient;
  let rules: Rules;
  beforeAll(() => {
    lambda = new LambdaClient(settings(emulator.current));
    sqs = new SQSClient(settings(emulator.current));
    rules = new Rules(emulator.current);
  });

  const queue = async (QueueName: string, Attributes: Record<string, string> = {}) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;

  /** All messages of a queue: what was said in them, and when they were sent. */
  async function messages(QueueUrl: string) {
    const all: { body: string; sent: number }[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ["SentTimestamp"],
        }),
      );
      if (Messages.length === 0) return all;
      all.push(...Messages.map(({ Body, Attributes }) => ({ body: Body!, sent: Number(Attributes!.SentTimestamp) })));
    }
  }

  /** A function that a schedule calls. Its code knows `send(queueUrl, text)` and `sqs`, the SDK's client. */
  async function scheduled(name: string, rate: string, body: string): Promise<void> {
    const code = `const { SQSClient, SendMessageCommand, ReceiveMessageCommand } = require("@aws-sdk/client-sqs");
      const sqs = new SQSClient({});
      const send = (QueueUrl, MessageBody) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      exports.handler = async (event) => { ${body} };`;
    const Arn = await makeFunction(lambda, name, code, { Timeout: 60 });
    const permission = { Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com", StatementId: "rule" };
    await lambda.send(new AddPermissionCommand({ FunctionName: name, ...permission }));
    await rules.events.putRule({ Name: name, ScheduleExpression: rate });
    await rules.events.putTargets({ Rule: name, Targets: [{ Id: "function", Arn }] });
  }

  const end = async (Rule: string) => {
    await rules.events.removeTargets({ Rule, Ids: ["function"] });
    await rules.events.deleteRule({ Name: Rule });
  };

  it("lets each run of a scheduled function happen at its own time", async () => {
    const runs = await queue("runs");
    await scheduled("reports", "rate(2 minutes)", `await send("${runs}", event.time);`);
    await emulator.current.clock.advance("5 hours");
    await end("reports");
    const seen = await messages(runs);
    expect(seen).toHaveLength(150);
    for (const { body, sent } of seen) expect(Math.abs(sent - Date.parse(body))).toBeLessThan(minute);
  });

  it("lets what a message sets going come to its end before the next one is visible", async () => {
    const steps = await queue("steps");
    const jobs = await queue("jobs", { VisibilityTimeout: "60" });
    const code = `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
      const sqs = new SQSClient({});
      exports.handler = async ({ Records }) => {
        const [{ body, attributes }] = Records;
        await sqs.send(new SendMessageCommand({ QueueUrl: "${steps}", MessageBody: body + attributes.ApproximateReceiveCount }));
        if (attributes.ApproximateReceiveCount < 3) throw new Error("not yet");
      };`;
    const FunctionName = await makeFunction(lambda, "jobs", code, { Timeout: 60 });
    const EventSourceArn = "arn:aws:sqs:eu-west-1:000000000000:jobs";
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, BatchSize: 1 }));
    for (const [MessageBody, DelaySeconds] of [["a", 30] as const, ["b", 120] as const]) {
      await sqs.send(new SendMessageCommand({ QueueUrl: jobs, MessageBody, DelaySeconds }));
    }
    const start = emulator.current.clock.now();
    await emulator.current.clock.advance("10 minutes");
    const seen = (await messages(steps)).map(({ body, sent }) => [body, Math.round((sent - start) / 30_000) * 30]);
    expect(seen).toEqual([
      ["a1", 30],
      ["a2", 90],
      ["b1", 120],
      ["a3", 150],
      ["b2", 180],
      ["b3", 240],
    ]);
  });

  it("goes on to the time that a function waits for in a long poll, and waits for what it does then", async () => {
    const [empty, polls] = [await queue("empty"), await queue("polls")];
    const poll = `const before = Number(event.time.slice(11, 13));
      await sqs.send(new ReceiveMessageCommand({ QueueUrl: "${empty}", WaitTimeSeconds: 20 }));
      await send("${polls}", event.time);`;
    await scheduled("poller", "rate(1 hour)", poll);
    await emulator.current.clock.advance("10 hours");
    await emulator.current.clock.advance("1 minute");
    await end("poller");
    const seen = await messages(polls);
    expect(seen).toHaveLength(10);
    for (const { body, sent } of seen) {
      expect(sent - Date.parse(body)).toBeGreaterThan(18_000);
      expect(sent - Date.parse(body)).toBeLessThan(minute);
    }
  });

  it("answers each caller by the clock that it goes by, so that no SDK corrects its own and tries again", async () => {
    const asking = `const { SQSClient, GetQueueUrlCommand } = require("@aws-sdk/client-sqs");
      exports.handler = () => new SQSClient({}).send(new GetQueueUrlCommand({ QueueName: "nowhere" }))
        .catch(({ $metadata }) => $metadata.attempts);`;
    await makeFunction(lambda, "asking", asking);
    await emulator.current.clock.advance("10 minutes");
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "asking" }));
    expect(Buffer.from(Payload!).toString()).toBe("1");
    const outside = new SQSClient(settings(emulator.current, { maxAttempts: 3 }));
    const call = outside.send(new GetQueueUrlCommand({ QueueName: "nowhere" }));
    await expect(call).rejects.toMatchObject({ $metadata: { attempts: 1 } });
  });

  it("lets time pass while a function runs that began before, and waits for it when asked to", async () => {
    await makeFunction(lambda, "long", remote.code("long"), { Timeout: 60 });
    const { clock } = emulator.current;
    await rules.make([{ Id: "function", Arn: arnOf("long") }], { Name: "long" });
    const permission = { Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com", StatementId: "rule" };
    await lambda.send(new AddPermissionCommand({ FunctionName: "long", ...permission }));
    await rules.put("test.long");
    const run = await remote.next("long");
    await clock.advance("1 hour");
    let idle = false;
    const rest = clock.idle().then(() => {
      idle = true;
    });
    await turns(3);
    expect(idle).toBe(false);
    run.succeed();
    await rest;
  });
});

it("lets what is under way go on between moves in which nothing falls due", async () => {
  const clock = new Clock();
  let answered = false;
  setImmediate(() => {
    answered = true;
  });
  for (let moves = 0; moves < 1_000 && !answered; moves++) await clock.advance("1 second");
  expect(answered).toBe(true);
});
