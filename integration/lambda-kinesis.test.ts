import {
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  RegisterStreamConsumerCommand,
} from "@aws-sdk/client-kinesis";
import { DeleteEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { role } from "./harness/functions";
import { middleOf } from "./harness/kinesis";
import type { RemoteRun } from "./harness/remote-function";
import { consumer, dataOf, type MappingOptions, useStreamFunction } from "./harness/stream-function";

const { emulator, remote, kinesis, aws, connect, wire } = useStreamFunction();

it("hands records to the function as AWS does, the moment they are put", async () => {
  const { put, next } = await wire("plain");
  const { SequenceNumber } = await put("hello", "device-1");
  const run = await next();
  expect(run.event).toEqual({
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey: "device-1",
          sequenceNumber: SequenceNumber,
          data: Buffer.from("hello").toString("base64"),
          approximateArrivalTimestamp: expect.any(Number),
        },
        eventSource: "aws:kinesis",
        eventVersion: "1.0",
        eventID: `shardId-000000000000:${SequenceNumber}`,
        eventName: "aws:kinesis:record",
        invokeIdentityArn: role,
        awsRegion: "eu-west-1",
        eventSourceARN: kinesis.arn("plain"),
      },
    ],
  });
  run.succeed();
});

it("begins where the mapping says: at the oldest record, at a time, or behind all that is there", async () => {
  const name = "positions";
  await kinesis.stream({ StreamName: name });
  await kinesis.put(name, "old");
  await emulator.current.clock.advance("1 hour");
  const StartingPositionTimestamp = new Date(emulator.current.clock.now() - 60_000);
  await kinesis.put(name, "newer");
  const seenFrom = async (options: MappingOptions, mark: string) => {
    const UUID = await connect(name, consumer, options);
    await kinesis.put(name, mark);
    const seen: string[] = [];
    while (seen.at(-1) !== mark) {
      const run = await remote.next(name);
      seen.push(...dataOf(run));
      run.succeed();
    }
    await aws().lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
    return seen;
  };
  expect(await seenFrom({ StartingPosition: "LATEST" }, "1")).toEqual(["1"]);
  const atTime: MappingOptions = { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp };
  expect(await seenFrom(atTime, "2")).toEqual(["newer", "1", "2"]);
  expect(await seenFrom({}, "3")).toEqual(["old", "newer", "1", "2", "3"]);
});

it("gathers records for the batching window, up to the batch size", async () => {
  const { put, putAll, next } = await wire("window", { BatchSize: 3, MaximumBatchingWindowInSeconds: 60 });
  await putAll("1", "2");
  await put("3");
  const full = await next();
  expect(dataOf(full)).toEqual(["1", "2", "3"]);
  full.succeed();
  await put("4");
  await put("5");
  expect(remote.waiting("window")).toBe(0);
  void emulator.current.clock.advance("60 seconds");
  const rest = await next();
  expect(dataOf(rest)).toEqual(["4", "5"]);
  rest.succeed();
});

it("processes as many batches of a shard at a time as the parallelization factor says, each key in order", async () => {
  const { put, next } = await wire("parallel", { ParallelizationFactor: 10, BatchSize: 1 });
  const keys = ["a", "b", "c", "d", "e", "f"];
  for (const key of keys) await put(`${key}1`, key);
  const runs: RemoteRun[] = [];
  // Keys share lanes: two at least run beside each other.
  while (runs.length < 2) runs.push(await next());
  for (const key of keys) await put(`${key}2`, key);
  const seen: string[] = [];
  while (seen.length < keys.length * 2) {
    const run = runs.shift() ?? (await next());
    seen.push(...dataOf(run));
    run.succeed();
  }
  for (const key of keys) expect(seen.filter((data) => data.startsWith(key))).toEqual([`${key}1`, `${key}2`]);
});

it("drops what its filters do not want, and looks at the data as JSON or text", async () => {
  const Pattern = JSON.stringify({ data: { kind: ["alarm"], level: [{ numeric: [">=", 3] }] } });
  const { putAll, put, next, update } = await wire("filtered", {
    FilterCriteria: { Filters: [{ Pattern }] },
  });
  await putAll("text", '{"kind":"alarm","level":1}', '{"kind":"alarm","level":4}', '{"kind":"other"}');
  const run = await next();
  expect(dataOf(run)).toEqual(['{"kind":"alarm","level":4}']);
  run.succeed();
  await update({ FilterCriteria: { Filters: [{ Pattern: JSON.stringify({ partitionKey: ["vip"] }) }] } });
  await put("not for you", "other");
  await put("for you", "vip");
  const byKey = await next();
  expect(dataOf(byKey)).toEqual(["for you"]);
  byKey.succeed();
});

it("goes on behind a record that is nested deeper than any program means", async () => {
  const Pattern = JSON.stringify({ data: { kind: ["alarm"] } });
  const { put, next } = await wire("deep", { FilterCriteria: { Filters: [{ Pattern }] } });
  await put(`{"kind":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
  await put('{"kind":"alarm"}');
  const run = await next();
  expect(dataOf(run)).toEqual(['{"kind":"alarm"}']);
  run.succeed();
});

it("reads the shards of a split or merge after the shards they came from", async () => {
  const { put, next, again } = await wire("reshard", {}, 2);
  const at = (part: number) => ({ ExplicitHashKey: middleOf(part, 4) });
  await put("parent", "k", at(0));
  const parent = await next();
  const [lower, upper] = await kinesis.openShards("reshard");
  await kinesis.split("reshard", lower!);
  await put("child", "k", at(0));
  await put("other", "k", at(3));
  const other = await next();
  expect(dataOf(other)).toEqual(["other"]);
  other.succeed();
  parent.fail("no");
  const retried = await again();
  expect(dataOf(retried)).toEqual(["parent"]);
  retried.succeed();
  const child = await next();
  expect(dataOf(child)).toEqual(["child"]);
  child.succeed();
  const children = await kinesis.openShards("reshard");
  expect(children.map(({ ParentShardId }) => ParentShardId)).toEqual([undefined, lower!.ShardId, lower!.ShardId]);
  await kinesis.merge("reshard", children[2]!, upper!);
  await put("merged", "k", at(3));
  const merged = await next();
  expect(dataOf(merged)).toEqual(["merged"]);
  expect(merged.event.Records[0].eventID).toMatch(/^shardId-000000000004:/);
  merged.succeed();
});

it("goes on where it was after it was disabled", async () => {
  const { put, next, update, result } = await wire("pausing");
  await put("1");
  const first = await next();
  const disabling = update({ Enabled: false });
  first.succeed();
  await disabling;
  await result("OK");
  await put("2");
  await emulator.current.clock.advance("1 hour");
  expect(remote.waiting("pausing")).toBe(0);
  await update({ Enabled: true });
  const second = await next();
  expect(dataOf(second)).toEqual(["2"]);
  second.succeed();
});

it("hands a batch over in parts where its event would be beyond 6 MB", async () => {
  await kinesis.stream({ StreamName: "parts" });
  for (let i = 0; i < 6; i++) {
    await kinesis.put("parts", "", "key", { Data: Buffer.alloc(1000 * 1024) });
    await emulator.current.clock.advance("1 second");
  }
  await connect("parts", consumer);
  const sizes: number[] = [];
  while (sizes.reduce((sum, size) => sum + size, 0) < 6) {
    const run = await remote.next("parts");
    sizes.push(run.event.Records.length);
    run.succeed();
  }
  expect(sizes).toEqual([4, 2]);
});

it("goes on with a stream that was deleted and made anew, from its first record", async () => {
  const { put, next, result } = await wire("anew");
  await put("before");
  (await next()).succeed();
  await result("OK");
  await kinesis.client.send(new DeleteStreamCommand({ StreamName: "anew" }));
  await result("PROBLEM: Stream anew under account 000000000000 not found.");
  await kinesis.stream({ StreamName: "anew" });
  await put("after");
  void emulator.current.clock.advance("5 minutes");
  const run = await next();
  expect(dataOf(run)).toEqual(["after"]);
  run.succeed();
});

it("reads through the ARN of a registered consumer", async () => {
  await kinesis.stream({ StreamName: "fan-out" });
  const { Consumer } = await kinesis.client.send(
    new RegisterStreamConsumerCommand({ StreamARN: kinesis.arn("fan-out"), ConsumerName: "lambda" }),
  );
  await connect("fan-out", consumer, { EventSourceArn: Consumer!.ConsumerARN });
  await kinesis.put("fan-out", "hello");
  const run = await remote.next("fan-out");
  expect(dataOf(run)).toEqual(["hello"]);
  run.succeed();
});

it("reads no more through the ARN of a consumer that was deregistered", async () => {
  const { next, put, result } = await wire("fan-in", { Enabled: false });
  const StreamARN = kinesis.arn("fan-in");
  const { Consumer } = await kinesis.client.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "lambda" }),
  );
  const UUID = await connect("fan-in", consumer, { EventSourceArn: Consumer!.ConsumerARN });
  await put("seen");
  (await next()).succeed();
  await kinesis.client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: Consumer!.ConsumerARN }));
  await result("PROBLEM: Consumer lambda not found.", UUID);
});

it.each<[string, MappingOptions, string, string]>([
  [
    "no stream",
    { EventSourceArn: kinesis.arn("missing") },
    "InvalidParameterValueException",
    `Stream not found: ${kinesis.arn("missing")}`,
  ],
  [
    "a stream of another region",
    { EventSourceArn: kinesis.arn("plain").replace("eu-west-1", "us-east-1") },
    "InvalidParameterValueException",
    "Stream not found",
  ],
  [
    "a stream of another account",
    { EventSourceArn: kinesis.arn("plain").replace("000000000000", "111122223333") },
    "NotImplemented",
    "a stream of another account, 111122223333",
  ],
  ["no position", { StartingPosition: undefined }, "InvalidParameterValueException", "startingPosition"],
  [
    "no time",
    { StartingPosition: "AT_TIMESTAMP" },
    "InvalidParameterValueException",
    "StartingPositionTimestamp must be specified",
  ],
  [
    "a queue's setting",
    { ScalingConfig: { MaximumConcurrency: 2 } },
    "InvalidParameterValueException",
    "Unsupported ScalingConfig",
  ],
  ["a batch too large", { BatchSize: 10_001 }, "ValidationException", "less than or equal to 10000"],
  ["too many lanes", { ParallelizationFactor: 11 }, "ValidationException", "less than or equal to 10"],
  [
    "an age too small",
    { MaximumRecordAgeInSeconds: 30 },
    "InvalidParameterValueException",
    "from 60 to 604800; it is 30",
  ],
  ["a tumbling window", { TumblingWindowInSeconds: 10 }, "NotImplemented", "TumblingWindowInSeconds"],
  ["no function", { FunctionName: "missing" }, "ResourceNotFoundException", "Function not found: "],
])("refuses a mapping with %s", async (what, options, name, message) => {
  const stream = await kinesis.stream({ StreamName: `refusing-${what.replaceAll(/[^a-z]/g, "-")}` });
  const refused = connect(stream, consumer, options);
  await expect(refused).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
});

it("refuses a second mapping of the same stream and function", async () => {
  const { uuid } = await wire("twice");
  await expect(connect("twice", consumer)).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: `The event source arn (" ${kinesis.arn("twice")} ") and function (" ${consumer} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`,
  });
});
