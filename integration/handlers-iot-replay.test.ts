import { gunzipSync } from "node:zlib";
import { CreateStreamCommand, KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import type { SinkSettings } from "../handlers/iot/environment";
import type { ReplayReport } from "../handlers/replay";
import { settings } from "./harness/emulator";
import { denied, streamRecord, useIoTFunctions } from "./harness/iot-functions";
import { drain } from "./harness/queues";

const iot = useIoTFunctions();
const { start, consume, stored, inOrder, letters, sinks } = iot;
const replay = (event: object = {}, used: SinkSettings[] = [sinks.table, sinks.queue]) =>
  start(used, {}, "replay").invoke<ReplayReport>(event);
const write = (QueueUrl: string, letter: unknown) =>
  iot.world.sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: typeof letter === "string" ? letter : JSON.stringify(letter),
    }),
  );
const base64 = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString("base64");

test("a letter is taken to the sink that misses it, as the record that it was, and not to the others", async () => {
  const old = Date.now() - 301_000;
  iot.world.aws.fault = (operation) => (operation === "BatchWriteItem" ? denied : undefined);
  const one = start([sinks.table, sinks.queue]);
  expect(await consume(one, [streamRecord(0, { n: 0 }, {}, old), streamRecord(1, { n: 1 }, {}, old)])).toBeUndefined();
  const [live] = (await drain(iot.world.sqs, iot.world.live)) as unknown as { id: string }[][];
  iot.world.aws.fault = () => undefined;
  expect(await replay()).toEqual({ replayed: 2, stillFailing: 0, remaining: 0, failures: [] });
  expect(await inOrder()).toEqual([0, 1]);
  expect((await stored()).map(({ id }) => id!.S)).toEqual(live!.map(({ id }) => id));
  expect(await drain(iot.world.sqs, iot.world.live)).toEqual([]);
});

test("a letter that fails again is back in the queue, with its reason in the report", async () => {
  await consume(start(), [streamRecord(0, "poison"), streamRecord(1, ["poison"])]);
  const report = await replay({ max: 1 });
  expect(report).toMatchObject({ replayed: 0, stillFailing: 1, remaining: 2 });
  expect(report.failures).toEqual([{ messageId: expect.any(String), reason: "the payload is not valid JSON" }]);
  expect(await letters()).toHaveLength(2);
});

test.each([
  ["by its topic", { ruleName: "by_topic", topic: "devices/sensor-9/telemetry", payload: { n: 9 } }],
  ["by its payload", { ruleName: "by_field", topic: "any", payload: { n: 9, device: { id: "sensor-9" } } }],
])("what a rule could not deliver is delivered, for the device that is named %s", async (_, { payload, ...letter }) => {
  await write(iot.world.deadLetters, {
    ...{ ...letter, clientId: "hub", base64OriginalPayload: base64(payload) },
    failures: [{ failedAction: "KinesisAction", errorMessage: "throttled" }],
  });
  expect(await replay()).toMatchObject({ replayed: 1, remaining: 0 });
  expect(await inOrder("sensor-9")).toEqual([9]);
  expect((await stored())[0]).toMatchObject({ clientId: { S: "hub" }, topic: { S: letter.topic } });
});

test("letters that cannot be taken anywhere stay where they are, each with its reason in the report", async () => {
  const message = { topic: "a", device: "b", receivedAt: 1, payload: base64({}) };
  const strange: [letter: unknown, reason: string][] = [
    ["hello", "SyntaxError"],
    [{}, "not a dead letter of this component"],
    ["null", "not a dead letter of this component"],
    [{ id: "a:1", reason: "it is not a record", record: "aGVsbG8=" }, "it holds no message: it is not a record"],
    [{ ruleName: "gone", topic: "a", base64OriginalPayload: base64({}) }, "the message names no device"],
    [{ id: "a:1", sinks: ["s3"], message }, "the stream has no sink s3 any more"],
  ];
  for (const [letter] of strange) await write(iot.world.deadLetters, letter);
  const report = await replay();
  expect(report).toMatchObject({ replayed: 0, stillFailing: strange.length, remaining: strange.length });
  const reasons = report.failures.map(({ reason }) => reason);
  expect(reasons).toEqual(strange.map(([, reason]) => expect.stringContaining(reason)));
});

test("letters that are replayed after others of an earlier replay do not replace them in the archive", async () => {
  const letter = (n: number, payload: string) => ({
    ...{ id: `shardId-000000000000:${n}`, reason: "down" },
    message: { topic: "a", device: "b", receivedAt: n, payload: Buffer.from(payload).toString("base64") },
  });
  const used = [sinks.archive, sinks.table];
  // One that the table never takes stays behind, the other is done; then a third one comes.
  await write(iot.world.deadLetters, letter(0, '{"n":1e200}'));
  await write(iot.world.deadLetters, letter(1, '{"n":1}'));
  expect(await replay({}, used)).toMatchObject({ replayed: 1, stillFailing: 1 });
  await write(iot.world.deadLetters, letter(2, '{"n":2}'));
  expect(await replay({}, used)).toMatchObject({ replayed: 1, stillFailing: 1 });
  const { Contents = [] } = await iot.world.s3.send(new ListObjectsV2Command({ Bucket: "archive" }));
  const texts = await Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await iot.world.s3.send(new GetObjectCommand({ Bucket: "archive", Key }));
      return gunzipSync(await Body!.transformToByteArray()).toString();
    }),
  );
  for (const n of [1, 2]) expect(texts.join("")).toContain(`"data":{"n":${n}}`);
});

test.each([{ max: 0 }, { max: "all" }, { from: "everywhere" }])("an event such as %j is refused", async (event) => {
  await expect(replay(event)).rejects.toThrow(/must be/);
});

describe("records on which the function died", () => {
  /** A stream with three messages, the second one poison, and what Lambda says of them. */
  async function died() {
    const StreamName = "telemetry";
    const kinesis = new KinesisClient(settings(iot.world.emulator));
    await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    const numbers: string[] = [];
    for (const payload of [{ n: 0 }, "poison", { n: 2 }, { n: 3 }]) {
      const Data = Buffer.from(streamRecord(numbers.length, payload).kinesis.data, "base64");
      const { SequenceNumber } = await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "a", Data }));
      numbers.push(SequenceNumber!);
    }
    kinesis.destroy();
    return {
      KinesisBatchInfo: {
        shardId: "shardId-000000000000",
        ...{ startSequenceNumber: numbers[0]!, endSequenceNumber: numbers[2]!, batchSize: 3 },
        streamArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/telemetry",
      },
    };
  }

  test("are read from the stream and taken to all sinks, and the poison among them is dead-lettered", async () => {
    await write(iot.world.failures, await died());
    expect(await replay({ from: "failures" })).toMatchObject({ replayed: 1, remaining: 0, failures: [] });
    expect(await inOrder()).toEqual([0, 2]);
    expect(await drain(iot.world.sqs, iot.world.live)).toHaveLength(1);
    expect(await letters()).toMatchObject([{ stage: "parse", text: "poison" }]);
  });

  test("that the stream does not have any more stay in the failure queue", async () => {
    const notice = await died();
    await write(iot.world.failures, { KinesisBatchInfo: { ...notice.KinesisBatchInfo, batchSize: 4 } });
    await write(iot.world.failures, {});
    const report = await replay({ from: "failures" });
    expect(report).toMatchObject({ replayed: 0, stillFailing: 2, remaining: 2 });
    expect(report.failures.map(({ reason }) => reason).sort()).toEqual([
      "Error: not a failure of this component",
      "Error: the stream has 3 of its 4 records",
    ]);
  });
});
