import { CreateStreamCommand, KinesisClient, PutRecordCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ObservedEmulator, startObserved } from "../bench/observed";
import { settings } from "./harness/emulator";

let emulator: ObservedEmulator;
let kinesis: KinesisClient;
let s3: S3Client;
const [StreamName, Bucket] = ["memory", "memory"];

beforeAll(async () => {
  emulator = await startObserved();
  kinesis = new KinesisClient(settings(emulator));
  s3 = new S3Client({ ...settings(emulator), forcePathStyle: true });
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 8 }));
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
});
afterAll(async () => {
  kinesis.destroy();
  s3.destroy();
  await emulator[Symbol.asyncDispose]();
});

/** Bytes of buffers; what else is on the heap holds no content. */
const buffers = async () => (await emulator.health()).external;

/** Does something between larger requests that leave nothing, and gives the bytes that have come to stay for each. */
async function leftByEach(put: (n: number) => Promise<unknown>): Promise<number> {
  const times = 80;
  const passing = { StreamName: "none", PartitionKey: "a", Data: Buffer.alloc(20_000) };
  const once = async (n: number) => {
    await put(n);
    await expect(kinesis.send(new PutRecordCommand(passing))).rejects.toThrow("not found");
  };
  for (let n = 0; n < 20; n++) await once(n);
  const before = await buffers();
  for (let n = 20; n < 20 + times; n++) await once(n);
  return ((await buffers()) - before) / times;
}

describe("what is kept", () => {
  it("takes the memory of its own bytes, not that of all which came with it", async () => {
    const Data = Buffer.from("small");
    const record = (n: number) => kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: `${n}`, Data }));
    expect(await leftByEach(record)).toBeLessThan(10_000);
    const object = (n: number) => s3.send(new PutObjectCommand({ Bucket, Key: `${n}`, Body: Data }));
    expect(await leftByEach(object)).toBeLessThan(10_000);
  });

  it("is free again when the retention of a stream has ended, though nobody looks", async () => {
    const before = await buffers();
    const Records = Array.from({ length: 400 }, (_, n) => ({ PartitionKey: `${n}`, Data: Buffer.alloc(10_000) }));
    await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
    expect((await buffers()) - before).toBeGreaterThan(3_500_000);
    await emulator.advance("26 hours");
    expect((await buffers()) - before).toBeLessThan(500_000);
  });
});
