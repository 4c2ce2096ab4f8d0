import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { many, rawRecord, sequence, streamRecord, throttled, useIoTFunctions } from "./harness/iot-functions";
import { drain } from "./harness/queues";

const iot = useIoTFunctions();
const { start, consume, stored, inOrder, letters, sinks } = iot;
/** Throttles the table, but not that of the progress. */
const tableDown = (_: string, body: string) => (body.includes('"records":[') ? throttled : undefined);
const live = () => drain(iot.world.sqs, iot.world.live) as unknown as Promise<{ id: string; data: { n: number } }[][]>;
const numbers = (messages: { data: { n: number } }[][]) => messages.flat().map(({ data }) => data.n);

describe("a record", () => {
  test("becomes an item with the device, a key that begins with the time, and the payload digit by digit", async () => {
    await consume(start(), [streamRecord(0, '{"temp":21.5,"serial":12345678901234567890,"at":{"lat":60.1}}')]);
    expect(await stored()).toEqual([
      {
        ident: { S: "sensor-1" },
        sortKey: { S: `2026-11-21T05:00:00.000Z#${sequence(0)}` },
        id: { S: `shardId-000000000000:${sequence(0)}` },
        topic: { S: "devices/sensor-1/telemetry" },
        timestamp: { N: String(Date.parse("2026-11-21T05:00:00Z")) },
        receivedAt: { S: "2026-11-21T05:00:00.000Z" },
        clientId: { S: "sensor-1" },
        data: {
          M: { temp: { N: "21.5" }, serial: { N: "12345678901234567890" }, at: { M: { lat: { N: "60.1" } } } },
        },
      },
    ]);
  });

  test("is one item however often it comes, and another item than equal ones of the same millisecond", async () => {
    const receivedAt = Date.parse("2026-11-21T05:00:00Z");
    const twins = [0, 1, 2].map((n) => streamRecord(n, { n }, { receivedAt }));
    const one = start();
    await consume(one, twins);
    await consume(one, twins);
    expect(await inOrder()).toEqual([0, 1, 2]);
  });

  test("has the time that its payload names, in seconds, milliseconds or words, and published again is the same item", async () => {
    const one = start([sinks.table], { IOT_TIME: "measured.at" });
    const times = [1_795_237_200, 1_795_237_200_500, "2026-11-21T05:00:01Z"];
    await consume(
      one,
      [...times, times[0]].map((at, n) => streamRecord(n, { measured: { at }, n: n % 3 })),
    );
    expect(await inOrder()).toEqual([0, 1, 2]);
    expect((await stored()).map(({ sortKey }) => sortKey!.S!.split("#")[0])).toEqual([
      "2026-11-21T05:00:00.000Z",
      "2026-11-21T05:00:00.500Z",
      "2026-11-21T05:00:01.000Z",
    ]);
  });

  test("has no client when it did not come by MQTT", async () => {
    await consume(start(), [streamRecord(0, { n: 0 }, { clientId: "n/a" })]);
    expect((await stored())[0]).not.toHaveProperty("clientId");
  });

  test("expires when the table's records do", async () => {
    await consume(start([{ ...sinks.table, ttlDays: 2 }]), many(1));
    const [{ expiresAt } = {}] = await stored();
    expect(Number(expiresAt!.N)).toBe(Date.parse("2026-11-23T05:00:00Z") / 1000);
  });
});

describe("poison", () => {
  test.each([
    ["is no JSON", streamRecord(1, "temp=21"), "parse", "the payload is not valid JSON"],
    ["is empty", streamRecord(1, ""), "parse", "the payload is not valid JSON"],
    ["is no text", streamRecord(1, {}, { payload: "/w==" }), "parse", "the payload is not UTF-8 text"],
    ["is no object", streamRecord(1, [21]), "validate", "the payload must be a JSON object"],
    ["is deep", streamRecord(1, `{"a":${"[".repeat(1e4)}${"]".repeat(1e4)}}`), "validate", "nested deeper than the 32"],
    ["names no device", streamRecord(1, {}, { device: "" }), "validate", "the message names no device"],
    ["has a long device", streamRecord(1, {}, { device: "x".repeat(2049) }), "validate", "longer than 2048 bytes"],
    ["is not from a rule", rawRecord(1, "hello"), "parse", "it is not a record of the stream's topic rule"],
    ["lacks a topic", rawRecord(1, '{"payload":"e30="}'), "parse", "topic, receivedAt or payload is missing"],
    ["is null", rawRecord(1, "null"), "parse", "topic, receivedAt or payload is missing"],
    ["has a number beyond DynamoDB's", streamRecord(1, '{"a":1e200}'), "sink", "dynamodb: a is out of the range"],
  ])(
    "that %s goes to the dead-letter queue with its reason, and its neighbours to the table",
    async (_, poison, stage, reason) => {
      expect(await consume(start(), [streamRecord(0, { n: 0 }), poison, streamRecord(2, { n: 2 })])).toBeUndefined();
      expect(await inOrder()).toEqual([0, 2]);
      expect(await letters()).toEqual([
        expect.objectContaining({ stage, reason: expect.stringContaining(reason), id: poison.eventID }),
      ]);
    },
  );

  test("is found in its letter as it came", async () => {
    await consume(start(), [streamRecord(0, "temp=21")]);
    expect(await letters()).toMatchObject([
      { text: "temp=21", message: { topic: "devices/sensor-1/telemetry", payload: "dGVtcD0yMQ==" } },
    ]);
  });

  test("with a time that is none goes to the dead-letter queue", async () => {
    const one = start([sinks.table], { IOT_TIME: "at" });
    await consume(
      one,
      ["noon", -1, 1e18, {}].map((at, n) => streamRecord(n, { at })),
    );
    const found = await letters();
    expect(found).toHaveLength(4);
    for (const { reason } of found) expect(reason).toContain("the field at must be a time before the year 10000");
  });

  test("is said in the log by its number, without its content", async () => {
    const one = start([sinks.table], { CONTAINER: "log" });
    await consume(one, [streamRecord(0, "confidential"), streamRecord(1, ["confidential"])]);
    await expect.poll(() => one.log).toContain('"stages":{"parse":1,"validate":1}');
    expect(one.log).toContain('"Records":2,"DeadLetters":2,"Again":0');
    expect(one.log).not.toContain("confidential");
  });

  test("comes again when the dead-letter queue does not take it", async () => {
    const one = start();
    iot.world.aws.fault = (operation) =>
      operation === "SendMessageBatch" ? { status: 400, code: "AccessDenied" } : undefined;
    expect(await consume(one, [streamRecord(0, { n: 0 }), streamRecord(1, "poison"), streamRecord(2, { n: 2 })])).toBe(
      1,
    );
  });
});

describe("transform", () => {
  test("changes, drops and refuses messages one by one", async () => {
    const todos = ["keep", "drop", "throw", "forget", "count"];
    const one = start([sinks.table], {}, "withCallbacks");
    await consume(
      one,
      todos.map((todo, n) => streamRecord(n, { todo, n })),
    );
    expect((await stored()).map(({ data }) => data!.M)).toEqual([
      { todo: { S: "keep" }, n: { N: "0" }, from: { S: "sensor-1" } },
    ]);
    const found = await letters();
    expect(found.map(({ stage, reason }) => [stage, reason])).toEqual([
      ["transform", "Error: too cold: confidential"],
      ["transform", "transform must return an object, or null to drop the message"],
      ["transform", expect.stringContaining("count is of the type bigint")],
    ]);
    expect(found[0]).toMatchObject({ device: "sensor-1", text: '{"todo":"throw","n":2}' });
    await expect.poll(() => one.log).toContain('"stages"');
    expect(one.log).not.toContain("confidential");
  });
});

test("a transform that hangs on one message does not keep the others from the sinks", async () => {
  const one = start([sinks.table], {}, "withCallbacks");
  const records = ["", "hang", ""].map((todo, n) => streamRecord(n, { todo, n }));
  expect(await consume(one, records, { remainingMs: 500 })).toBeUndefined();
  expect(await inOrder()).toEqual([0, 2]);
  expect(await letters()).toMatchObject([{ stage: "transform", reason: "Error: transform did not finish in time" }]);
});

test("a transform that hangs leaves the sinks time for the other messages", async () => {
  const one = start([sinks.callback], {}, "withCallbacks");
  const records = ["hang", "wait"].map((todo, n) => streamRecord(n, { todo, n }));
  expect(await consume(one, records, { remainingMs: 1_000 })).toBeUndefined();
  expect(await letters()).toMatchObject([{ stage: "transform" }]);
});

test("what callbacks change in what they are given, the sinks do not see", async () => {
  const one = start([sinks.callback, sinks.table], {}, "withCallbacks");
  const records = ["rename", "spoil"].map((todo, n) => streamRecord(n, { todo, n }));
  expect(await consume(one, records)).toBeUndefined();
  expect(await inOrder("sensor-1")).toEqual([0, 1]);
});

describe("the sinks", () => {
  test("all get every record, in order, with one call to each", async () => {
    const one = start([sinks.table, sinks.queue, sinks.archive, sinks.callback], {}, "withCallbacks");
    expect(await consume(one, many(20))).toBeUndefined();
    expect(iot.world.aws.calls).toEqual({ Query: 1, BatchWriteItem: 1, SendMessage: 1, PUT: 1 });
    expect(await inOrder()).toHaveLength(20);
    const sent = await live();
    expect(numbers(sent)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(sent[0]![0]).toEqual({
      ident: "sensor-1",
      id: `shardId-000000000000:${sequence(0)}`,
      topic: "devices/sensor-1/telemetry",
      timestamp: Date.parse("2026-11-21T05:00:00Z"),
      receivedAt: "2026-11-21T05:00:00.000Z",
      clientId: "sensor-1",
      data: { n: 0, from: "sensor-1" },
    });
    const { Contents = [] } = await iot.world.s3.send(new ListObjectsV2Command({ Bucket: "archive" }));
    expect(Contents.map(({ Key }) => Key)).toEqual([
      `date=2026-11-21/hour=05/shardId-000000000000-${sequence(0)}.ndjson.gz`,
    ]);
    const { Body } = await iot.world.s3.send(new GetObjectCommand({ Bucket: "archive", Key: Contents[0]!.Key }));
    const lines = gunzipSync(await Body!.transformToByteArray())
      .toString()
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(sent.flat());
    await expect.poll(() => one.log).toContain("seen 0,1,2,3");
  });

  test("are written to again, after a wait, when they throttle", async () => {
    const one = start();
    iot.world.aws.fault = () => ((iot.world.aws.calls.BatchWriteItem ?? 0) < 3 ? throttled : undefined);
    expect(await consume(one, many(10))).toBeUndefined();
    expect(await inOrder()).toHaveLength(10);
  });

  test("that have a batch are left alone when it comes again for another one", async () => {
    const one = start([sinks.table, sinks.queue]);
    iot.world.aws.fault = tableDown;
    expect(await consume(one, many(10), { remainingMs: 500 })).toBe(0);
    expect(numbers(await live())).toHaveLength(10);
    iot.world.aws.fault = () => undefined;
    // In another container, that knows nothing of the first run.
    const other = start([sinks.table, sinks.queue], { CONTAINER: "2" });
    // As Lambda bisects it; then the rest, with what came since.
    expect(await consume(other, many(5))).toBeUndefined();
    expect(await consume(other, many(10, 5))).toBeUndefined();
    expect(numbers(await live())).toEqual([10, 11, 12, 13, 14]);
    expect(await inOrder()).toEqual(Array.from({ length: 15 }, (_, n) => n));
  });

  test("get all records of another stream, whatever they had of one with the same shards", async () => {
    iot.world.aws.fault = tableDown;
    expect(await consume(start([sinks.table, sinks.queue]), many(10, 100), { remainingMs: 500 })).toBe(100);
    iot.world.aws.fault = () => undefined;
    await live();
    expect(await consume(start([sinks.table, sinks.queue]), many(10))).toBeUndefined();
    expect(numbers(await live())).toEqual(Array.from({ length: 10 }, (_, n) => n));
  });

  test("get what comes after a failure only when it is over, so that order is kept", async () => {
    const one = start([sinks.queue]);
    const large = Array.from({ length: 6 }, (_, n) => streamRecord(n, { n, text: "x".repeat(300_000) }));
    iot.world.aws.fault = (_, body) => (body.includes(String.raw`\"n\":3`) ? throttled : undefined);
    expect(await consume(one, large, { remainingMs: 500 })).toBe(3);
    expect(numbers(await live())).toEqual([0, 1, 2]);
    iot.world.aws.fault = () => undefined;
    expect(await consume(one, large.slice(3))).toBeUndefined();
    expect(numbers(await live())).toEqual([3, 4, 5]);
  });

  test("that are FIFO queues keep the order of the shard", async () => {
    const QueueName = "live.fifo";
    const Attributes = { FifoQueue: "true", MaximumMessageSize: "1048576" };
    const { QueueUrl = "" } = await iot.world.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    const one = start([{ ...sinks.queue, url: QueueUrl }]);
    const large = Array.from({ length: 6 }, (_, n) => streamRecord(n, { n, text: "x".repeat(300_000) }));
    // The second time it is the same, and the queue takes it once.
    for (const _ of [1, 2]) expect(await consume(one, large)).toBeUndefined();
    const { Messages = [] } = await iot.world.sqs.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["MessageGroupId"] },
      }),
    );
    const got = Messages.flatMap(({ Body }) => JSON.parse(Body!) as { data: { n: number } }[]);
    expect(got.map(({ data }) => data.n)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Messages[0]!.Attributes).toMatchObject({ MessageGroupId: "shardId-000000000000" });
  });

  test("that refuse one record get the others, and the other sinks get it", async () => {
    const one = start([sinks.callback, sinks.table], {}, "withCallbacks");
    expect(
      await consume(
        one,
        ["", "refuse", ""].map((todo, n) => streamRecord(n, { todo, n })),
      ),
    ).toBeUndefined();
    expect(await inOrder()).toEqual([0, 1, 2]);
    expect(await letters()).toMatchObject([
      { stage: "sink", sinks: ["onRecords"], reason: "onRecords: not for me", id: streamRecord(1, {}).eventID },
    ]);
  });

  test("that refuse a record while another one fails still have its letter written in the end", async () => {
    const used = [sinks.callback, sinks.table];
    const records = ["", "", "refuse", ""].map((todo, n) => streamRecord(n, { todo, n }));
    iot.world.aws.fault = tableDown;
    expect(await consume(start(used, {}, "withCallbacks"), records, { remainingMs: 500 })).toBe(0);
    expect(await letters()).toEqual([]);
    iot.world.aws.fault = () => undefined;
    const other = start(used, { CONTAINER: "2" }, "withCallbacks");
    expect(await consume(other, records)).toBeUndefined();
    expect(await letters()).toHaveLength(1);
    // What it has it is not given again.
    await expect.poll(() => other.log).toMatch(/seen 2$/m);
  });

  test("all get a record that transform refused at first, when it comes again for another one's sake", async () => {
    const used = [sinks.queue, sinks.table];
    const records = ["", "throw at first", ""].map((todo, n) => streamRecord(n, { todo, n }));
    iot.world.aws.fault = tableDown;
    expect(await consume(start(used, {}, "withCallbacks"), records, { remainingMs: 500 })).toBe(0);
    expect(numbers(await live())).toEqual([0, 2]);
    iot.world.aws.fault = () => undefined;
    expect(await consume(start(used, { CONTAINER: "2" }, "withCallbacks"), records)).toBeUndefined();
    expect(await letters()).toEqual([]);
    expect(await inOrder()).toEqual([0, 1, 2]);
    expect(numbers(await live())).toEqual([1]);
  });

  test("that are queues refuse what is larger than their messages, and get what comes after it", async () => {
    const one = start([sinks.queue], {}, "withCallbacks");
    const records = ["", "grow", ""].map((todo, n) => streamRecord(n, { todo, n }));
    expect(await consume(one, records, { remainingMs: 500 })).toBeUndefined();
    expect(numbers(await live())).toEqual([0, 2]);
    expect((await letters()).map(({ reason }) => reason)).toEqual([
      "queue: it is larger than the 1 MiB of a queue's message",
    ]);
  });

  test("that fail for longer than the time to give up leave a letter, and do not block the shard", async () => {
    const one = start([sinks.callback, sinks.table], {}, "withCallbacks");
    const old = Date.now() - 301_000;
    const records = [streamRecord(0, { todo: "fail", n: 0 }, {}, old), streamRecord(1, { n: 1 }, {}, old)];
    expect(await consume(one, records)).toBeUndefined();
    expect(await inOrder()).toEqual([0, 1]);
    expect(await letters()).toMatchObject([
      { stage: "sink", sinks: ["onRecords"], reason: "onRecords: Error: down" },
      { stage: "sink", sinks: ["onRecords"] },
    ]);
  });
});
