import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Authorizer } from "../emulator/core/access/authorizer";
import { rootOf } from "../emulator/core/access/identity";
import { Clock } from "../emulator/core/clock";
import { Faults } from "../emulator/core/faults/faults";
import { AccountRate } from "../emulator/core/gateway/account-rate";
import { Journal } from "../emulator/core/journal/journal";
import { definition } from "../emulator/services/sqs";

/** The port that Lambda's event sources and API Gateway use: no HTTP in between. */
function start() {
  const clock = new Clock();
  const ready = () => undefined;
  const quotas = {
    connectionsPerSecond: 500,
    requestsPerSecond: 10_000,
    requestBurst: 5_000,
    concurrentExecutions: 1000,
  };
  const service = definition.create({
    clock,
    journal: new Journal(clock),
    bus: {
      access: new Authorizer({ ready }, clock, true),
      to: () => Promise.reject(new Error("SQS needs no other service")),
      ready,
    },
    endpoint: () => "http://127.0.0.1:1",
    publicHost: () => "localhost:1",
    port: () => 1,
    quotas,
    accountRate: new AccountRate(clock, quotas),
    mqtt: { address: "127.0.0.1", ports: [0] },
    verifySignatures: true,
    faults: new Faults(clock, () => ({ names: () => [], operations: () => undefined, status: () => undefined })),
    report: (error) => {
      throw error;
    },
  });
  return { clock, service, sqs: service.ports!.sqs! };
}

const scope = { account: "000000000000", region: "eu-west-1" };
const arn = (name: string) => `arn:aws:sqs:${scope.region}:${scope.account}:${name}`;
let running: ReturnType<typeof start>;
const create = (QueueName: string, Attributes?: Record<string, string>) =>
  running.service.operations.CreateQueue!(
    { QueueName, Attributes },
    {
      ...scope,
      caller: { accessKeyId: "test", account: scope.account },
      identity: rootOf(scope.account),
      requestId: "1",
      http: { method: "POST", url: "/", headers: {}, body: Buffer.alloc(0), trailers: {}, sourceIp: "127.0.0.1" },
      reply: {},
      signal: new AbortController().signal,
    },
  );

beforeEach(() => {
  running = start();
  create("q", { VisibilityTimeout: "43200" });
});
afterEach(() => {
  running.service.reset();
  running.clock.clear();
});

describe("the SQS port between services", () => {
  it("sends, receives, hides and deletes by ARN", async () => {
    const { sqs } = running;
    const messageAttributes = {
      a: { dataType: "String", stringValue: "x" },
      b: { dataType: "Binary", binaryValue: "AP8=" },
    };
    const { messageId } = await sqs.send(arn("q"), { body: "hi", messageAttributes });
    const [message] = await sqs.receive(arn("q"), { max: 10, waitMs: 0 });
    expect(message).toMatchObject({ messageId, body: "hi", messageAttributes });
    expect(message?.attributes).toMatchObject({ ApproximateReceiveCount: "1" });
    await sqs.changeVisibility(arn("q"), [message!.receiptHandle], 0);
    const [again] = await sqs.receive(arn("q"), { max: 10, waitMs: 0 });
    await sqs.delete(arn("q"), [again!.receiptHandle]);
    expect(await sqs.attributes(arn("q"))).toMatchObject({
      ApproximateNumberOfMessages: "0",
      ApproximateNumberOfMessagesNotVisible: "0",
      VisibilityTimeout: "43200",
    });
  });

  it("gives nothing to a consumer that stopped waiting, and leaves the message to the next one", async () => {
    const { sqs } = running;
    const stop = new AbortController();
    const gone = sqs.receive(arn("q"), { max: 1, waitMs: 20_000, signal: stop.signal });
    const patient = sqs.receive(arn("q"), { max: 1, waitMs: 20_000 });
    stop.abort();
    expect(await gone).toEqual([]);
    await sqs.send(arn("q"), { body: "for the patient" });
    expect((await patient)[0]?.body).toBe("for the patient");
  });

  it("hands a sent message to a waiting consumer in the same turn", async () => {
    const { sqs } = running;
    const turns: string[] = [];
    const waiting = sqs.receive(arn("q"), { max: 1, waitMs: 20_000 }).then(() => turns.push("received"));
    await Promise.resolve();
    setImmediate(() => turns.push("next turn"));
    await sqs.send(arn("q"), { body: "x" });
    await waiting;
    expect(turns).toEqual(["received"]);
  });

  it("rejects for a queue that is not there, and when a queue goes while one waits", async () => {
    const { sqs, service } = running;
    await expect(sqs.send(arn("none"), { body: "x" })).rejects.toMatchObject({ code: "QueueDoesNotExist" });
    const waiting = sqs.receive(arn("q"), { max: 1, waitMs: 20_000 });
    const failure = expect(waiting).rejects.toMatchObject({ code: "QueueDoesNotExist" });
    service.reset();
    await failure;
  });

  it("has at most 120,000 messages in flight", async () => {
    const { sqs } = running;
    for (let i = 0; i < 120_001; i++) await sqs.send(arn("q"), { body: "x" });
    const handles: string[] = [];
    for (let i = 0; i < 12_000; i++)
      for (const { receiptHandle } of await sqs.receive(arn("q"), { max: 10, waitMs: 0 })) handles.push(receiptHandle);
    expect(handles).toHaveLength(120_000);
    await expect(sqs.receive(arn("q"), { max: 1, waitMs: 0 })).rejects.toMatchObject({
      code: "OverLimit",
      status: 403,
    });
    const waiting = sqs.receive(arn("q"), { max: 1, waitMs: 20_000 });
    await sqs.delete(arn("q"), [handles[0]!]);
    expect(await waiting).toHaveLength(1);
  });
});
