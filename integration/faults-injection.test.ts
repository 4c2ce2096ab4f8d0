import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { assert, asyncProperty, integer, record } from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type FaultOptions, InvalidFault } from "../emulator";
import { settings, startEmulator, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
afterEach(() => emulator.current.faults.clear());

/** The problems of options that TypeScript would not have let through, too. */
function problemsOf(options: object): readonly string[] {
  try {
    emulator.current.faults.inject(options as FaultOptions);
  } catch (error) {
    if (error instanceof InvalidFault) return error.problems;
    throw error;
  }
  return [];
}

describe("a fault that cannot be injected", () => {
  it("is refused with every mistake, its rule and the cure", () => {
    const problems = problemsOf({
      fault: "latency",
      service: "dynamo",
      probability: 2,
      seed: -1,
      count: 0,
      clock: "sun",
      after: "yes",
      share: 1,
    });
    expect(problems).toEqual([
      "probability is 2; it has to be a number from 0 to 1",
      "seed is -1; it has to be a whole number from 0 to 4294967295",
      "count is 0; it has to be a whole number above 0; leave it out for no end",
      'clock is "sun"; it has to be "real" or "emulator"',
      'after is "yes"; it has to be true or false',
      expect.stringMatching(/^share does not belong to "latency"; it takes fault, service, resource, /),
      "delayMs is missing; it has to be a number of milliseconds, 0 or more, below 2^31",
      expect.stringMatching(/^service is "dynamo"; the emulator has sts, iam, .*dynamodb.*execute-api$/),
    ]);
    expect(emulator.current.faults.list()).toEqual([]);
  });

  it.each<[object, RegExp]>([
    [{}, /fault is undefined; it has to be one of throttle, error, latency, drop, partialFailure, crash/],
    [{ fault: "explode" }, /fault is "explode"; it has to be one of/],
    [{ fault: "constructor" }, /fault is "constructor"; it has to be one of/],
    [{ fault: "throttle", service: "" }, /service is ""; it has to be a text that is not empty/],
    [
      { fault: "throttle", service: "dynamodb", operation: "BatchWriteItm" },
      /operation is "BatchWriteItm"; dynamodb has none of that name; see the API reference/,
    ],
    [
      { fault: "partialFailure", service: "dynamodb", operation: "PutItem" },
      /only batches can fail in part: BatchGetItem, BatchWriteItem/,
    ],
    [{ fault: "partialFailure", operation: "PutItem" }, /only batches can fail in part: BatchGetItem, .*PutRecords/],
    [{ fault: "partialFailure", share: 0 }, /share is 0; it has to be a number above 0, and 1 at most/],
    [{ fault: "crash", service: "sqs" }, /"crash" needs one of lambda: only functions run/],
    [{ fault: "crash", operation: "Invoke" }, /operation does not belong to "crash"/],
    [
      { fault: "reorder", service: "kinesis" },
      /"reorder" needs one of sqs, sns, s3, events, lambda: only these promise no order/,
    ],
    [{ fault: "reorder", resource: "jobs.fifo" }, /FIFO queues and topics deliver once and in order/],
    [{ fault: "duplicate", service: "sqs", resource: "jobs.fifo" }, /FIFO queues and topics deliver once and in order/],
    [{ fault: "error", status: 200 }, /status is 200; it has to be an HTTP status from 400 to 599/],
    [{ fault: "error", fields: [] }, /fields is \[\]; it has to be an object with members of the error's shape/],
  ])("is refused: %j", (options, problem) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(problem)]);
  });
});

describe("chance", () => {
  /** Which of a number of calls a fault hit. */
  async function fates(options: { probability: number; seed?: number; count?: number }, calls: number) {
    const sqs = new SQSClient(settings(emulator.current));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "chance" }));
    const fault = emulator.current.faults.inject({ fault: "throttle", operation: "SendMessage", ...options });
    const hits: boolean[] = [];
    for (let i = 0; i < calls; i++) {
      const sent = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
      hits.push(
        await sent.then(
          () => false,
          () => true,
        ),
      );
    }
    fault.remove();
    return { hits, fault };
  }

  it("is the same for the same seed and the same calls, whatever other faults there are", async () => {
    const runs = record({ seed: integer({ min: 0, max: 2 ** 32 - 1 }), percent: integer({ min: 0, max: 100 }) });
    await assert(
      asyncProperty(runs, async ({ seed, percent }) => {
        const probability = percent / 100;
        const { hits } = await fates({ probability, seed }, 12);
        emulator.current.faults.inject({ fault: "latency", service: "sqs", delayMs: 0, probability: 0.5 });
        const again = await fates({ probability, seed }, 12);
        expect(again.hits).toEqual(hits);
        expect([again.fault.matched, again.fault.hits]).toEqual([12, hits.filter(Boolean).length]);
      }),
      { numRuns: 8 },
    );
  });

  it("is near the probability over many calls", async () => {
    const { fault } = await fates({ probability: 0.25, seed: 7 }, 200);
    expect(fault.hits).toBeGreaterThan(30);
    expect(fault.hits).toBeLessThan(70);
  });

  it("is never at 0 and always at 1", async () => {
    expect((await fates({ probability: 0 }, 20)).hits).not.toContain(true);
    expect((await fates({ probability: 1 }, 20)).hits).not.toContain(false);
  });

  it("ends after the count of hits, not of calls", async () => {
    const { hits, fault } = await fates({ probability: 0.5, seed: 3, count: 4 }, 30);
    expect(hits.filter(Boolean)).toHaveLength(4);
    expect(fault.ended).toBe(true);
  });

  it("is made up where no seed is given, and shown, so that a run can be repeated", async () => {
    const { hits, fault } = await fates({ probability: 0.5 }, 20);
    expect((await fates({ probability: 0.5, seed: fault.seed }, 20)).hits).toEqual(hits);
  });
});

describe("over HTTP", () => {
  const at = (path: string) => `${emulator.current.endpoint}/_emulator/${path}`;
  const post = (path: string, body: unknown) =>
    fetch(at(path), { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

  it("injects, lists and removes faults", async () => {
    const made = await post("faults", { fault: "throttle", service: "sqs", operation: "CreateQueue", seed: 5 });
    expect(made.status).toBe(201);
    const fault = (await made.json()) as { id: string };
    expect(fault).toEqual({
      id: expect.stringMatching(/^fault-\d+$/),
      fault: "throttle",
      service: "sqs",
      operation: "CreateQueue",
      seed: 5,
      matched: 0,
      hits: 0,
      ended: false,
    });
    const create = () => new SQSClient(settings(emulator.current)).send(new CreateQueueCommand({ QueueName: "web" }));
    await expect(create()).rejects.toThrow("Request is throttled.");
    const listed = await (await fetch(at("faults"))).json();
    expect(listed).toEqual({ faults: [{ ...fault, matched: 1, hits: 1 }] });
    const removed = await fetch(at(`faults/${fault.id}`), { method: "DELETE" });
    expect([removed.status, await removed.json()]).toEqual([200, { ...fault, matched: 1, hits: 1, ended: true }]);
    await create();
    expect((await fetch(at(`faults/${fault.id}`), { method: "DELETE" })).status).toBe(404);
  });

  it("removes all at once", async () => {
    await post("faults", { fault: "throttle" });
    await post("faults", { fault: "drop" });
    expect((await fetch(at("faults"), { method: "DELETE" })).status).toBe(200);
    expect(emulator.current.faults.list()).toEqual([]);
  });

  it("answers 400 with all problems", async () => {
    const refused = await post("faults", { fault: "throttle", probability: "often", count: -1 });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      problems: [expect.stringMatching(/^probability is "often"/), expect.stringMatching(/^count is -1/)],
    });
    for (const body of ["", "{", "[]", '"throttle"']) {
      const answer = await post("faults", body);
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { message: "the body has to be a JSON object" },
      ]);
    }
  });

  it("refuses a body of endless length", async () => {
    expect((await post("faults", `{"fault":"${"x".repeat(2 ** 20)}"}`)).status).toBe(413);
  });

  it("moves the clock by a duration, and by nothing else", async () => {
    await using own = await startEmulator({ port: 0 });
    const advance = (value: unknown) =>
      fetch(`${own.endpoint}/_emulator/clock`, { method: "POST", body: JSON.stringify({ advance: value }) });
    const before = own.clock.now();
    const moved = await advance("14 days");
    expect(moved.status).toBe(200);
    const { now } = (await moved.json()) as { now: string };
    expect(Date.parse(now) - before).toBeGreaterThanOrEqual(14 * 86_400_000);
    for (const wrong of ["soon", -1, null, { days: 14 }]) expect((await advance(wrong)).status).toBe(400);
    expect(own.clock.now() - before).toBeLessThan(15 * 86_400_000);
  });

  it("tells what IAM refused, with the statement that was missing", async () => {
    await using own = await startEmulator({ port: 0 });
    const url = `${own.endpoint}/_emulator/denials`;
    expect(await (await fetch(url)).json()).toEqual({ denials: [] });
    const iam = new IAMClient(settings(own));
    await iam.send(new CreateUserCommand({ UserName: "stranger" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "stranger" }));
    const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    const call = new SQSClient({ ...settings(own), credentials }).send(new CreateQueueCommand({ QueueName: "x" }));
    await expect(call).rejects.toThrow("not authorized");
    expect(await (await fetch(url)).json()).toMatchObject({
      denials: [{ action: "sqs:CreateQueue", statement: { Effect: "Allow", Action: "sqs:CreateQueue" } }],
    });
  });

  it("is not for web pages of other origins", async () => {
    const headers = { origin: "https://example.com" };
    const options = { method: "POST", headers, body: JSON.stringify({ fault: "throttle" }) };
    expect((await fetch(at("faults"), options)).status).toBe(403);
    expect(emulator.current.faults.list()).toEqual([]);
  });

  it("names its addresses to whoever asks for another", async () => {
    const answer = await fetch(at("fault"));
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("POST clock, GET denials, GET faults, POST faults");
    for (const path of ["faults/a/b", "health/x", "constructor"]) expect((await fetch(at(path))).status).toBe(404);
  });
});
