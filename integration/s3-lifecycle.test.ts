import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { failure, makeBucket } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
beforeAll(() => {
  s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
});

const setRules = (Bucket: string, Rules: LifecycleRule[]) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
const put = (Bucket: string, Key: string, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }));
const keysOf = async (Bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);

describe("lifecycle rules", () => {
  it("deletes objects of a prefix at the midnight after their days are over, and says so beforehand", async () => {
    const Bucket = await makeBucket(s3);
    await setRules(Bucket, [
      { ID: "raw data", Status: "Enabled", Filter: { Prefix: "raw/" }, Expiration: { Days: 3 } },
      { ID: "off", Status: "Disabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } },
    ]);
    await put(Bucket, "raw/a");
    await put(Bucket, "kept");
    const { Expiration } = await s3.send(new HeadObjectCommand({ Bucket, Key: "raw/a" }));
    expect(Expiration).toMatch(/^expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT", rule-id="raw%20data"$/);
    await emulator.current.clock.advance("3 days");
    expect(await keysOf(Bucket)).toEqual(["kept", "raw/a"]);
    await emulator.current.clock.advance("1 day");
    expect(await keysOf(Bucket)).toEqual(["kept"]);
  });

  it("goes by tags and sizes", async () => {
    const Bucket = await makeBucket(s3);
    const And = { Prefix: "", Tags: [{ Key: "keep", Value: "no" }], ObjectSizeGreaterThan: 1 };
    await setRules(Bucket, [{ ID: "a", Status: "Enabled", Filter: { And }, Expiration: { Days: 1 } }]);
    await put(Bucket, "small", { Tagging: "keep=no" });
    await put(Bucket, "large", { Tagging: "keep=no", Body: "xx" });
    await put(Bucket, "untagged", { Body: "xx" });
    await emulator.current.clock.advance("2 days");
    expect(await keysOf(Bucket)).toEqual(["small", "untagged"]);
  });

  it("hides expired objects of a versioned bucket, then deletes old versions and lone markers", async () => {
    const Bucket = await makeBucket(s3);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await setRules(Bucket, [
      { ID: "current", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } },
      {
        ...{ ID: "old", Status: "Enabled", Filter: { Prefix: "" } },
        NoncurrentVersionExpiration: { NoncurrentDays: 5 },
      },
      { ID: "markers", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { ExpiredObjectDeleteMarker: true } },
    ]);
    await put(Bucket, "a");
    await emulator.current.clock.advance("2 days");
    const hidden = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect([hidden.Versions?.length, hidden.DeleteMarkers?.length]).toEqual([1, 1]);
    await emulator.current.clock.advance("8 days");
    const empty = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect([empty.Versions, empty.DeleteMarkers]).toEqual([undefined, undefined]);
  });

  it("keeps as many newer noncurrent versions as the rule says", async () => {
    const Bucket = await makeBucket(s3);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const NoncurrentVersionExpiration = { NoncurrentDays: 1, NewerNoncurrentVersions: 2 };
    await setRules(Bucket, [{ ID: "a", Status: "Enabled", Filter: { Prefix: "" }, NoncurrentVersionExpiration }]);
    for (let i = 0; i < 6; i++) await put(Bucket, "a");
    await emulator.current.clock.advance("3 days");
    expect((await s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions).toHaveLength(3);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
  });

  it("aborts uploads that nobody completed", async () => {
    const Bucket = await makeBucket(s3);
    const AbortIncompleteMultipartUpload = { DaysAfterInitiation: 2 };
    await setRules(Bucket, [{ ID: "a", Status: "Enabled", Filter: { Prefix: "" }, AbortIncompleteMultipartUpload }]);
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "never-done" }));
    const uploads = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0;
    expect(await uploads()).toBe(1);
    await emulator.current.clock.advance("3 days");
    expect(await uploads()).toBe(0);
  });

  it("moves objects to another storage class when their day comes", async () => {
    const Bucket = await makeBucket(s3);
    const Transitions = [{ Days: 30, StorageClass: "STANDARD_IA" as const }];
    await setRules(Bucket, [{ ID: "a", Status: "Enabled", Filter: { Prefix: "" }, Transitions }]);
    await put(Bucket, "large", { Body: Buffer.alloc(200_000) });
    await put(Bucket, "small");
    await emulator.current.clock.advance("31 days");
    const classOf = async (Key: string) => (await s3.send(new HeadObjectCommand({ Bucket, Key }))).StorageClass;
    expect([await classOf("large"), await classOf("small")]).toEqual(["STANDARD_IA", undefined]);
  });

  it.each<[string, LifecycleRule, string]>([
    ["without an action", { Status: "Enabled", Filter: { Prefix: "" } }, "InvalidRequest"],
    ["with zero days", { Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 0 } }, "InvalidArgument"],
    ["without a filter", { Status: "Enabled", Expiration: { Days: 1 } }, "MalformedXML"],
    [
      "with a date that is not midnight",
      { Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Date: new Date("2030-01-01T10:00:00Z") } },
      "InvalidArgument",
    ],
  ])("refuses a rule %s", async (_, rule, name) => {
    const Bucket = await makeBucket(s3);
    expect(await failure(setRules(Bucket, [rule]))).toMatchObject({ name, status: 400 });
  });

  it.each(["&#xD800;", "&#0;", "&#x1F;", "&#1114112;"])(
    "refuses a rule whose text refers to %s, which is no character",
    async (reference) => {
      const Bucket = await makeBucket(s3);
      const rule = `<ID>${reference}</ID><Status>Enabled</Status><Filter></Filter><Expiration><Days>1</Days></Expiration>`;
      const scope = "test/20261121/eu-west-1/s3/aws4_request";
      const answer = await fetch(`${emulator.current.endpoint}/${Bucket}?lifecycle`, {
        method: "PUT",
        headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
        body: `<LifecycleConfiguration><Rule>${rule}</Rule></LifecycleConfiguration>`,
      });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("<Code>MalformedXML</Code>")]);
    },
  );
});
