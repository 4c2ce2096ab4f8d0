import { request } from "node:http";
import {
  GetRecordsCommand,
  KinesisClient,
  type PutRecordCommandInput,
  PutRecordsCommand,
  UpdateMaxRecordSizeCommand,
} from "@aws-sdk/client-kinesis";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusal } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { middleOf, text, useKinesis } from "./harness/kinesis";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);

describe("putting records", () => {
  it("places them by the MD5 digest of their partition key, or by an explicit hash key", async () => {
    const name = await kinesis.stream({ ShardCount: 4 });
    // md5("b") begins with 0x92, md5("a") with 0x0c.
    expect((await kinesis.put(name, "x", "b")).ShardId).toBe("shardId-000000000002");
    expect((await kinesis.put(name, "x", "a")).ShardId).toBe("shardId-000000000000");
    const explicit = await kinesis.put(name, "x", "a", { ExplicitHashKey: middleOf(2, 4) });
    expect(explicit.ShardId).toBe("shardId-000000000002");
    const lastKey = String(2n ** 128n - 1n);
    expect((await kinesis.put(name, "x", "a", { ExplicitHashKey: lastKey })).ShardId).toBe("shardId-000000000003");
    await expect(kinesis.put(name, "x", "a", { ExplicitHashKey: String(2n ** 128n) })).rejects.toEqual(
      refusal("InvalidArgumentException", /ExplicitHashKey must be in the range: \[0, 2\^128-1\]/),
    );
  });

  it("gives each a sequence number of 56 digits that grows within its shard and from parents to children", async () => {
    const name = await kinesis.stream();
    const numbers = [(await kinesis.put(name, "1")).SequenceNumber!];
    const second = await kinesis.put(name, "2", "key", { SequenceNumberForOrdering: numbers[0] });
    numbers.push(second.SequenceNumber!);
    const together = await kinesis.putAll(name, [["3"], ["4"], ["5"]]);
    numbers.push(...together.Records!.map(({ SequenceNumber }) => SequenceNumber!));
    await kinesis.split(name, (await kinesis.shards(name))[0]!);
    numbers.push((await kinesis.put(name, "6")).SequenceNumber!);
    for (const number of numbers) expect(number).toMatch(/^\d{56}$/);
    expect(numbers).toEqual([...new Set(numbers)].toSorted());
    await expect(kinesis.put(name, "x", "key", { SequenceNumberForOrdering: "12" })).rejects.toEqual(
      refusal("InvalidArgumentException", /ExclusiveMinimumSequenceNumber 12 used in PutRecord on stream/),
    );
  });

  it.each<[string, Partial<PutRecordCommandInput>, RegExp]>([
    ["no key", { PartitionKey: "" }, /partitionKey.*greater than or equal to 1/],
    ["a key too long", { PartitionKey: "k".repeat(257) }, /partitionKey.*less than or equal to 256/],
    ["too much data", { Data: Buffer.alloc(1024 * 1024) }, /less than or equal to 1048576/],
    ["a hash key that is no number", { ExplicitHashKey: "abc" }, /explicitHashKey.*regular expression/],
  ])("refuses a record with %s", async (_what, more, message) => {
    const name = await kinesis.stream();
    await expect(kinesis.put(name, "x", "key", more)).rejects.toEqual(refusal("ValidationException", message));
    expect(await kinesis.read(name)).toEqual([]);
  });

  it("takes records of up to 10 MiB where the stream allows them", async () => {
    const name = await kinesis.stream();
    await kinesis.client.send(
      new UpdateMaxRecordSizeCommand({ StreamARN: kinesis.arn(name), MaxRecordSizeInKiB: 10_240 }),
    );
    const Data = Buffer.alloc(3 * 1024 * 1024, "x");
    await kinesis.put(name, "", "key", { Data });
    const { Records } = await kinesis.get(await kinesis.iterator(name));
    expect(Buffer.from(Records![0]!.Data!).equals(Data)).toBe(true);
  });

  it("puts nothing on a dry run", async () => {
    const name = await kinesis.stream();
    await expect(kinesis.put(name, "x", "key", { DryRun: true })).rejects.toMatchObject({
      name: "DryRunOperationException",
    });
    expect(await kinesis.read(name)).toEqual([]);
  });

  it("takes 1 MiB a second for each shard, and says for each record of a call whether it was taken", async () => {
    const name = await kinesis.stream({ ShardCount: 2 });
    const Data = Buffer.alloc(300 * 1024);
    const records = [0, 0, 0, 0, 1].map((shard) => ({
      Data,
      PartitionKey: "key",
      ExplicitHashKey: middleOf(shard, 2),
    }));
    const answer = await kinesis.client.send(new PutRecordsCommand({ StreamName: name, Records: records }));
    expect(answer.FailedRecordCount).toBe(1);
    expect(answer.Records).toEqual([
      ...[0, 0, 0].map(() => ({ ShardId: "shardId-000000000000", SequenceNumber: expect.any(String) })),
      {
        ErrorCode: "ProvisionedThroughputExceededException",
        ErrorMessage: `Rate exceeded for shard shardId-000000000000 in stream ${name} under account 000000000000.`,
      },
      { ShardId: "shardId-000000000001", SequenceNumber: expect.any(String) },
    ]);
    await emulator.current.clock.advance("1 second");
    await kinesis.put(name, "again", "key", { Data, ExplicitHashKey: middleOf(0, 2) });
  });

  it("refuses calls with more than 500 records or 10 MiB, whole", async () => {
    const name = await kinesis.stream({ ShardCount: 20 });
    const many = Array.from({ length: 501 }, () => ["x", "k"] as const);
    await expect(kinesis.putAll(name, many)).rejects.toEqual(
      refusal("ValidationException", /records.*less than or equal to 500/),
    );
    const Records = Array.from({ length: 11 }, (_, i) => ({
      Data: Buffer.alloc(1024 * 1024 - 10),
      PartitionKey: String(i),
    }));
    await expect(kinesis.client.send(new PutRecordsCommand({ StreamName: name, Records }))).rejects.toMatchObject({
      name: "InvalidArgumentException",
    });
  });
});

describe("reading records", () => {
  it("begins where the iterator says", async () => {
    const name = await kinesis.stream();
    const numbers: string[] = [];
    for (const data of ["1", "2"]) numbers.push((await kinesis.put(name, data)).SequenceNumber!);
    await emulator.current.clock.advance("1 hour");
    const Timestamp = new Date(emulator.current.clock.now());
    const latest = await kinesis.iterator(name, { ShardIteratorType: "LATEST" });
    await kinesis.put(name, "3");
    const StartingSequenceNumber = numbers[1];
    expect(await kinesis.read(name)).toEqual(["1", "2", "3"]);
    expect(await kinesis.read(name, { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber })).toEqual([
      "2",
      "3",
    ]);
    expect(await kinesis.read(name, { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber })).toEqual([
      "3",
    ]);
    expect(await kinesis.read(name, { ShardIteratorType: "AT_TIMESTAMP", Timestamp })).toEqual(["3"]);
    expect((await kinesis.get(latest)).Records!.map(({ Data }) => text(Data))).toEqual(["3"]);
  });

  it("tells how far behind it is, and ends at the end of a closed shard with its children", async () => {
    const name = await kinesis.stream();
    await kinesis.putAll(name, [["1"], ["2"]]);
    await emulator.current.clock.advance("1 minute");
    await kinesis.split(name, (await kinesis.shards(name))[0]!);
    const first = await kinesis.get(await kinesis.iterator(name), 1);
    expect(first.MillisBehindLatest).toBeGreaterThanOrEqual(60_000);
    expect(first.ChildShards).toBeUndefined();
    const second = await kinesis.get(first.NextShardIterator, 1);
    expect(second.Records!.map(({ Data }) => text(Data))).toEqual(["2"]);
    expect(second).toMatchObject({ MillisBehindLatest: 0 });
    expect(second.NextShardIterator).toBeUndefined();
    expect(second.ChildShards!.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
      ["shardId-000000000001", ["shardId-000000000000"]],
      ["shardId-000000000002", ["shardId-000000000000"]],
    ]);
  });

  it("refuses iterators after five minutes, made-up ones and those of a stream that is gone", async () => {
    const name = await kinesis.stream();
    const iterator = await kinesis.iterator(name);
    await emulator.current.clock.advance("5 minutes");
    await expect(kinesis.get(iterator)).rejects.toEqual(
      refusal("ExpiredIteratorException", /^Iterator expired. .* tolerated delay of 300000 milliseconds.$/),
    );
    for (const made of ["made up", Buffer.from("[]").toString("base64"), "AAAA"]) {
      await expect(kinesis.get(made)).rejects.toEqual(refusal("InvalidArgumentException", "Invalid ShardIterator."));
    }
    const fresh = await kinesis.iterator(name);
    const stranger = new KinesisClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    await expect(stranger.send(new GetRecordsCommand({ ShardIterator: fresh }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    stranger.destroy();
  });

  it("refuses starting positions that cannot be", async () => {
    const name = await kinesis.stream();
    const other = await kinesis.stream({ ShardCount: 2 });
    await emulator.current.clock.advance("1 second");
    const { SequenceNumber } = await kinesis.put(other, "x", "key", { ExplicitHashKey: "0" });
    const foreign = await kinesis.put(other, "x", "key", { ExplicitHashKey: middleOf(1, 2) });
    const refused = (more: object, code: string, message: RegExp) =>
      expect(kinesis.iterator(name, more)).rejects.toEqual(refusal(code, message));
    const at = { ShardIteratorType: "AT_SEQUENCE_NUMBER" };
    await refused(at, "InvalidArgumentException", /Must either specify \(1\) AT_SEQUENCE_NUMBER/);
    await refused({ StartingSequenceNumber: "1" }, "InvalidArgumentException", /also a StartingSequenceNumber/);
    await refused({ ...at, StartingSequenceNumber: "1" }, "InvalidArgumentException", /is invalid\.$/);
    const StartingSequenceNumber = foreign.SequenceNumber;
    await refused({ ...at, StartingSequenceNumber }, "InvalidArgumentException", /It encodes shardId-000000000001/);
    await refused(
      { ...at, StartingSequenceNumber: SequenceNumber },
      "InvalidArgumentException",
      /did not come from this stream/,
    );
    await refused({ ShardIteratorType: "AT_TIMESTAMP" }, "InvalidArgumentException", /no Timestamp/);
    await refused({ ShardId: "shardId-000000000009" }, "ResourceNotFoundException", /does not exist$/);
    await refused({ ShardIteratorType: "NEWEST" }, "ValidationException", /shardIteratorType.*enum value set/);
  });

  it("allows five calls a second for each shard", async () => {
    const name = await kinesis.stream();
    await kinesis.put(name, "x");
    const iterator = await kinesis.iterator(name);
    const calls = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => kinesis.get(iterator)));
    expect(calls.filter(({ status }) => status === "rejected")).toEqual([
      expect.objectContaining({ reason: expect.objectContaining({ name: "ProvisionedThroughputExceededException" }) }),
    ]);
    await emulator.current.clock.advance("1 second");
    expect((await kinesis.get(iterator)).Records).toHaveLength(1);
  });

  it("gives 10 MiB at most, and no more for five seconds after so much", async () => {
    const name = await kinesis.stream({ ShardCount: 1 });
    for (let i = 0; i < 11; i++) {
      await kinesis.put(name, "", "key", { Data: Buffer.alloc(1024 * 1024 - 3) });
      await emulator.current.clock.advance("1 second");
    }
    const first = await kinesis.get(await kinesis.iterator(name));
    expect(first.Records).toHaveLength(10);
    await emulator.current.clock.advance("2 seconds");
    await expect(kinesis.get(first.NextShardIterator)).rejects.toMatchObject({
      name: "ProvisionedThroughputExceededException",
    });
    await emulator.current.clock.advance("3 seconds");
    expect((await kinesis.get(first.NextShardIterator)).Records).toHaveLength(1);
  });
});

it("speaks HTTP/1.1 with clients that do not speak HTTP/2", async () => {
  const name = await kinesis.stream();
  const answer = await new Promise<{ status?: number; body: string }>((resolve, reject) => {
    const sent = request(
      emulator.current.endpoint,
      {
        method: "POST",
        headers: {
          "x-amz-target": "Kinesis_20131202.DescribeStreamSummary",
          "content-type": "application/x-amz-json-1.1",
          authorization: "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/kinesis/aws4_request",
        },
      },
      async (response) => {
        const body = Buffer.concat(await response.toArray()).toString("utf8");
        resolve({ status: response.statusCode, body });
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify({ StreamName: name }));
  });
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body).StreamDescriptionSummary.StreamName).toBe(name);
});

type Step = { do: "put"; key: string } | { do: "split"; at: number } | { do: "merge"; at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("put" as const), key: fc.constantFrom("a", "b", "c", "d") }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("split" as const), at: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("merge" as const), at: fc.nat(7) }) },
);

it("shows every record exactly once, each key in order, to a consumer that goes from shards to their children (property)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), async (steps, limit) => {
      const name = await kinesis.stream({ ShardCount: 2 });
      const sent: string[] = [];
      for (const [number, step] of steps.entries()) {
        if (step.do === "put") {
          const data = `${step.key}:${number}`;
          await kinesis.put(name, data, step.key);
          sent.push(data);
          continue;
        }
        const open = (await kinesis.openShards(name)).toSorted((a, b) =>
          BigInt(a.HashKeyRange!.StartingHashKey!) < BigInt(b.HashKeyRange!.StartingHashKey!) ? -1 : 1,
        );
        const at = step.at % open.length;
        if (step.do === "split") await kinesis.split(name, open[at]!);
        else if (open[at + 1]) await kinesis.merge(name, open[at]!, open[at + 1]!);
      }
      const seen: string[] = [];
      const done = new Set<string>();
      // Parents have lower numbers than their children, so the order of the list is an order to read in.
      for (const { ShardId, ParentShardId } of await kinesis.shards(name)) {
        expect(ParentShardId === undefined || done.has(ParentShardId)).toBe(true);
        let next: string | undefined = await kinesis.iterator(name, { ShardId });
        for (let calls = 1; next; calls++) {
          if (calls % 5 === 0) await emulator.current.clock.advance("1 second");
          const page = await kinesis.get(next, limit);
          seen.push(...page.Records!.map(({ Data }) => text(Data)));
          next = page.Records!.length === 0 ? undefined : page.NextShardIterator;
        }
        done.add(ShardId!);
      }
      expect(seen.toSorted()).toEqual(sent.toSorted());
      for (const key of ["a", "b", "c", "d"]) {
        const ofKey = (all: string[]) => all.filter((data) => data.startsWith(`${key}:`));
        expect(ofKey(seen)).toEqual(ofKey(sent));
      }
    }),
    { numRuns: 20 },
  );
});
