import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, fetchSigned, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
beforeAll(() => {
  s3 = s3Client(emulator.current);
});

describe("creating buckets", () => {
  it("creates a bucket in the caller's region and tells where it is", async () => {
    const Bucket = await makeBucket(s3);
    expect(await s3.send(new HeadBucketCommand({ Bucket }))).toMatchObject({ BucketRegion: "eu-west-1" });
    expect(await s3.send(new GetBucketLocationCommand({ Bucket }))).toMatchObject({ LocationConstraint: "eu-west-1" });
  });

  it("gives no location constraint for a bucket in us-east-1", async () => {
    const home = s3Client(emulator.current, { region: "us-east-1" });
    const Bucket = await makeBucket(home);
    expect((await home.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
  });

  it.each([
    ["ab", "shorter than three characters"],
    ["Upper-case", "with capitals"],
    ["dots..twice", "with two dots in a row"],
    ["192.168.5.4", "formatted as an IP address"],
    ["xn--name", "with a reserved prefix"],
    ["name-s3alias", "with a reserved suffix"],
    ["-dash-first", "beginning with a dash"],
    ["a".repeat(64), "longer than 63 characters"],
  ])("refuses the name %s, %s", async (name) => {
    const response = await fetchSigned(`${emulator.current.endpoint}/${name}`, { method: "PUT" });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>InvalidBucketName</Code>");
  });

  it("refuses a location constraint that is not the region the request was sent to", async () => {
    const create = (LocationConstraint: "us-west-2") =>
      s3.send(new CreateBucketCommand({ Bucket: "elsewhere", CreateBucketConfiguration: { LocationConstraint } }));
    expect(await failure(create("us-west-2"))).toMatchObject({
      name: "IllegalLocationConstraintException",
      status: 400,
    });
  });

  it("keeps one namespace over all accounts and regions", async () => {
    const Bucket = await makeBucket(s3);
    const own = await failure(s3.send(new CreateBucketCommand({ Bucket })));
    expect(own).toMatchObject({ name: "BucketAlreadyOwnedByYou", status: 409 });
    const stranger = s3Client(emulator.current, { account: "111122223333", region: "eu-north-1" });
    const taken = await failure(stranger.send(new CreateBucketCommand({ Bucket })));
    expect(taken).toMatchObject({ name: "BucketAlreadyExists", status: 409 });
  });

  it("lets the owner create a bucket again in us-east-1 without losing what is in it", async () => {
    const home = s3Client(emulator.current, { region: "us-east-1" });
    const Bucket = await makeBucket(home);
    await home.send(new PutObjectCommand({ Bucket, Key: "kept", Body: "yes" }));
    await home.send(new CreateBucketCommand({ Bucket }));
    expect((await home.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(1);
  });
});

describe("finding buckets", () => {
  it("lists a caller's buckets by name, in pages, by prefix and by region", async () => {
    const account = "222233334444";
    const here = s3Client(emulator.current, { account });
    const there = s3Client(emulator.current, { account, region: "eu-north-1" });
    for (const Bucket of ["logs-b", "logs-a", "data-a"]) await here.send(new CreateBucketCommand({ Bucket }));
    await there.send(new CreateBucketCommand({ Bucket: "logs-c" }));
    const first = await here.send(new ListBucketsCommand({ MaxBuckets: 2 }));
    expect(first.Buckets?.map(({ Name }) => Name)).toEqual(["data-a", "logs-a"]);
    const second = await here.send(new ListBucketsCommand({ ContinuationToken: first.ContinuationToken }));
    expect(second.Buckets?.map(({ Name }) => Name)).toEqual(["logs-b", "logs-c"]);
    expect(second.ContinuationToken).toBeUndefined();
    const logs = await here.send(new ListBucketsCommand({ Prefix: "logs-", BucketRegion: "eu-north-1" }));
    expect(logs.Buckets).toMatchObject([{ Name: "logs-c", BucketRegion: "eu-north-1" }]);
  });

  it("answers 404 for a bucket that is not there, with the name in the error", async () => {
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket: "nowhere" })))).toMatchObject({ status: 404 });
    const response = await fetchSigned(`${emulator.current.endpoint}/nowhere/key`);
    expect(response.status).toBe(404);
    expect(await response.text()).toMatch(/<Code>NoSuchBucket<\/Code>.*<BucketName>nowhere<\/BucketName>/s);
  });

  it("points a client of another region to the bucket's own", async () => {
    const Bucket = await makeBucket(s3);
    const elsewhere = s3Client(emulator.current, { region: "us-west-2" });
    const error = await elsewhere.send(new HeadBucketCommand({ Bucket })).catch((reason) => reason);
    expect(error.$metadata.httpStatusCode).toBe(301);
    expect(error.$response.headers["x-amz-bucket-region"]).toBe("eu-west-1");
  });

  it("refuses a caller who expects another owner", async () => {
    const Bucket = await makeBucket(s3);
    const call = s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner: "999988887777" }));
    expect(await failure(call)).toMatchObject({ status: 403 });
  });
});

describe("deleting buckets", () => {
  it("deletes an empty bucket and refuses one with objects", async () => {
    const Bucket = await makeBucket(s3);
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "1" }));
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({
      name: "BucketNotEmpty",
      status: 409,
    });
    const empty = await makeBucket(s3);
    await s3.send(new DeleteBucketCommand({ Bucket: empty }));
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket: empty })))).toMatchObject({ status: 404 });
  });

  it("forgets every bucket on a reset", async () => {
    const Bucket = await makeBucket(s3);
    await emulator.current.reset();
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ status: 404 });
  });
});
