import { createHash } from "node:crypto";
import * as S3 from "@aws-sdk/client-s3";
import { SignatureV4 } from "@smithy/signature-v4";
import { beforeAll, describe, expect, it } from "vitest";
import { preflight } from "../emulator/services/s3/cors";
import { useEmulator } from "./harness/emulator";
import { failure, fetchSigned, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3.S3Client;
let Bucket: string;
beforeAll(async () => {
  s3 = s3Client(emulator.current);
  Bucket = await makeBucket(s3);
});

const inBucket = (sub: string) => fetchSigned(`${emulator.current.endpoint}/${Bucket}?${sub}`);

describe("what a new bucket answers to the tools that read all of its settings", () => {
  it.each([
    ["lifecycle", "NoSuchLifecycleConfiguration"],
    ["cors", "NoSuchCORSConfiguration"],
    ["policy", "NoSuchBucketPolicy"],
    ["policyStatus", "NoSuchBucketPolicy"],
    ["tagging", "NoSuchTagSet"],
    ["website", "NoSuchWebsiteConfiguration"],
    ["replication", "ReplicationConfigurationNotFoundError"],
    ["object-lock", "ObjectLockConfigurationNotFoundError"],
    ["analytics&id=none", "NoSuchConfiguration"],
    ["inventory&id=none", "NoSuchConfiguration"],
    ["metrics&id=none", "NoSuchConfiguration"],
    ["intelligent-tiering&id=none", "NoSuchConfiguration"],
  ])("has no %s: %s", async (sub, code) => {
    const response = await inBucket(sub);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  it.each([
    ["acl", /<Permission>FULL_CONTROL</],
    ["encryption", /<SSEAlgorithm>AES256</],
    ["publicAccessBlock", /<BlockPublicPolicy>true</],
    ["ownershipControls", /<ObjectOwnership>BucketOwnerEnforced</],
    ["requestPayment", /<Payer>BucketOwner</],
    ["versioning", /<VersioningConfiguration[^>]*\/?>/],
    ["accelerate", /<AccelerateConfiguration[^>]*\/?>/],
    ["logging", /<BucketLoggingStatus[^>]*\/?>/],
    ["notification", /<NotificationConfiguration[^>]*\/?>/],
    ["location", /<LocationConstraint[^>]*>eu-west-1</],
    ["analytics", /<IsTruncated>false</],
    ["inventory", /<IsTruncated>false</],
    ["metrics", /<IsTruncated>false</],
    ["intelligent-tiering", /<IsTruncated>false</],
  ])("has the default %s", async (sub, body) => {
    const response = await inBucket(sub);
    expect(await response.text()).toMatch(body);
    expect(response.status).toBe(200);
  });

  it("answers that defaults are gone once they are deleted", async () => {
    const own = await makeBucket(s3);
    await s3.send(new S3.DeletePublicAccessBlockCommand({ Bucket: own }));
    await s3.send(new S3.DeleteBucketOwnershipControlsCommand({ Bucket: own }));
    expect(await failure(s3.send(new S3.GetPublicAccessBlockCommand({ Bucket: own })))).toMatchObject({
      name: "NoSuchPublicAccessBlockConfiguration",
    });
    expect(await failure(s3.send(new S3.GetBucketOwnershipControlsCommand({ Bucket: own })))).toMatchObject({
      name: "OwnershipControlsNotFoundError",
    });
  });
});

describe("settings that are kept", () => {
  it("keeps tags, a website, request payment, acceleration and logging", async () => {
    const own = await makeBucket(s3);
    const TagSet = [{ Key: "team", Value: "iot" }];
    await s3.send(new S3.PutBucketTaggingCommand({ Bucket: own, Tagging: { TagSet } }));
    expect((await s3.send(new S3.GetBucketTaggingCommand({ Bucket: own }))).TagSet).toEqual(TagSet);
    const IndexDocument = { Suffix: "index.html" };
    await s3.send(new S3.PutBucketWebsiteCommand({ Bucket: own, WebsiteConfiguration: { IndexDocument } }));
    expect(await s3.send(new S3.GetBucketWebsiteCommand({ Bucket: own }))).toMatchObject({ IndexDocument });
    const LoggingEnabled = { TargetBucket: Bucket, TargetPrefix: "log/" };
    await s3.send(new S3.PutBucketLoggingCommand({ Bucket: own, BucketLoggingStatus: { LoggingEnabled } }));
    expect(await s3.send(new S3.GetBucketLoggingCommand({ Bucket: own }))).toMatchObject({ LoggingEnabled });
    const AccelerateConfiguration = { Status: "Enabled" } as const;
    await s3.send(new S3.PutBucketAccelerateConfigurationCommand({ Bucket: own, AccelerateConfiguration }));
    expect(await s3.send(new S3.GetBucketAccelerateConfigurationCommand({ Bucket: own }))).toMatchObject({
      Status: "Enabled",
    });
  });

  it("keeps lists of analytics, inventory, metrics and tiering configurations by id", async () => {
    const own = await makeBucket(s3);
    const MetricsConfiguration = { Id: "all", Filter: { Prefix: "a/" } };
    await s3.send(new S3.PutBucketMetricsConfigurationCommand({ Bucket: own, Id: "all", MetricsConfiguration }));
    const { MetricsConfigurationList } = await s3.send(new S3.ListBucketMetricsConfigurationsCommand({ Bucket: own }));
    expect(MetricsConfigurationList).toEqual([MetricsConfiguration]);
    await s3.send(new S3.DeleteBucketMetricsConfigurationCommand({ Bucket: own, Id: "all" }));
    const gone = s3.send(new S3.GetBucketMetricsConfigurationCommand({ Bucket: own, Id: "all" }));
    expect(await failure(gone)).toMatchObject({ name: "NoSuchConfiguration", status: 404 });
  });

  it("verifies the Content-MD5 of a configuration", async () => {
    const own = await makeBucket(s3);
    const response = await fetchSigned(`${emulator.current.endpoint}/${own}?versioning`, {
      method: "PUT",
      headers: { "content-md5": createHash("md5").update("something else").digest("base64") },
      body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    });
    expect(await response.text()).toContain("<Code>BadDigest</Code>");
    expect((await s3.send(new S3.GetBucketVersioningCommand({ Bucket: own }))).Status).toBeUndefined();
  });
});

describe("bucket policies", () => {
  const policyOf = (Principal: unknown, Resource: string, Condition?: object) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal, Action: "s3:GetObject", Resource, ...(Condition && { Condition }) }],
    });
  const set = (Bucket: string, Policy: string) => s3.send(new S3.PutBucketPolicyCommand({ Bucket, Policy }));

  it("keeps a policy to the letter and tells whether it is public", async () => {
    const own = await makeBucket(s3);
    const everyone = policyOf("*", `arn:aws:s3:::${own}/*`);
    expect(await failure(set(own, everyone))).toMatchObject({ name: "AccessDenied", status: 403 });
    await s3.send(new S3.DeletePublicAccessBlockCommand({ Bucket: own }));
    await set(own, everyone);
    expect((await s3.send(new S3.GetBucketPolicyCommand({ Bucket: own }))).Policy).toBe(everyone);
    const isPublic = async () =>
      (await s3.send(new S3.GetBucketPolicyStatusCommand({ Bucket: own }))).PolicyStatus?.IsPublic;
    expect(await isPublic()).toBe(true);
    await set(own, policyOf({ AWS: "arn:aws:iam::111122223333:root" }, `arn:aws:s3:::${own}/*`));
    expect(await isPublic()).toBe(false);
    await s3.send(new S3.DeleteBucketPolicyCommand({ Bucket: own }));
    expect(await failure(s3.send(new S3.GetBucketPolicyCommand({ Bucket: own })))).toMatchObject({
      name: "NoSuchBucketPolicy",
    });
  });

  it.each([
    ["not json", "no JSON"],
    [policyOf({ AWS: "*" }, "arn:aws:s3:::another-bucket/*"), "another bucket's resource"],
    [
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] }),
      "no principal",
    ],
  ])("refuses a policy that is malformed: %#", async (policy) => {
    expect(await failure(set(Bucket, policy))).toMatchObject({ name: "MalformedPolicy", status: 400 });
  });
});

describe("access control lists", () => {
  it("refuses them in a bucket whose owner owns all, except the one that says so", async () => {
    const put = (ACL: S3.ObjectCannedACL) => s3.send(new S3.PutObjectCommand({ Bucket, Key: "a", Body: "x", ACL }));
    expect(await failure(put("public-read"))).toMatchObject({ name: "AccessControlListNotSupported", status: 400 });
    await put("bucket-owner-full-control");
    const bucketAcl = s3.send(new S3.PutBucketAclCommand({ Bucket, ACL: "private" }));
    expect(await failure(bucketAcl)).toMatchObject({ name: "AccessControlListNotSupported" });
  });

  it("keeps them where ownership allows, and public ones only where they are not blocked", async () => {
    const own = await makeBucket(s3);
    const Rules = [{ ObjectOwnership: "BucketOwnerPreferred" as const }];
    await s3.send(new S3.PutBucketOwnershipControlsCommand({ Bucket: own, OwnershipControls: { Rules } }));
    const open = () => s3.send(new S3.PutBucketAclCommand({ Bucket: own, ACL: "public-read" }));
    expect(await failure(open())).toMatchObject({ name: "AccessDenied", status: 403 });
    await s3.send(new S3.DeletePublicAccessBlockCommand({ Bucket: own }));
    await open();
    const { Grants } = await s3.send(new S3.GetBucketAclCommand({ Bucket: own }));
    expect(Grants?.map(({ Grantee, Permission }) => [Grantee?.Type, Permission])).toEqual([
      ["CanonicalUser", "FULL_CONTROL"],
      ["Group", "READ"],
    ]);
  });
});

describe("encryption", () => {
  it("applies the bucket's default key and what a writer asks for", async () => {
    const own = await makeBucket(s3);
    const KMSMasterKeyID = "arn:aws:kms:eu-west-1:000000000000:key/11111111-2222-3333-4444-555555555555";
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID };
    await s3.send(
      new S3.PutBucketEncryptionCommand({
        Bucket: own,
        ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled: true }] },
      }),
    );
    const written = await s3.send(new S3.PutObjectCommand({ Bucket: own, Key: "a", Body: "x" }));
    expect(written).toMatchObject({
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: KMSMasterKeyID,
      BucketKeyEnabled: true,
    });
    const plain = new S3.PutObjectCommand({ Bucket: own, Key: "b", Body: "x", ServerSideEncryption: "AES256" });
    expect((await s3.send(plain)).ServerSideEncryption).toBe("AES256");
  });

  it("gives an object under a customer's key only to who brings that key", async () => {
    const own = await makeBucket(s3);
    const key = (seed: string) => ({
      SSECustomerAlgorithm: "AES256",
      SSECustomerKey: createHash("sha256").update(seed).digest("base64"),
      SSECustomerKeyMD5: createHash("md5").update(createHash("sha256").update(seed).digest()).digest("base64"),
    });
    const put = () => s3.send(new S3.PutObjectCommand({ Bucket: own, Key: "a", Body: "secret", ...key("mine") }));
    // New buckets block this kind since April 2026.
    expect(await failure(put())).toMatchObject({ name: "AccessDenied", status: 403 });
    const Rules = [{ BlockedEncryptionTypes: { EncryptionType: ["NONE" as const] } }];
    await s3.send(new S3.PutBucketEncryptionCommand({ Bucket: own, ServerSideEncryptionConfiguration: { Rules } }));
    await put();
    const get = (more: object) => s3.send(new S3.GetObjectCommand({ Bucket: own, Key: "a", ...more }));
    expect(await failure(get({}))).toMatchObject({ name: "InvalidRequest", status: 400 });
    expect(await failure(get(key("other")))).toMatchObject({ name: "AccessDenied", status: 403 });
    expect(await (await get(key("mine"))).Body?.transformToString()).toBe("secret");
  });
});

describe("notifications", () => {
  const QueueArn = "arn:aws:sqs:eu-west-1:000000000000:never-made";
  const set = (NotificationConfiguration: S3.NotificationConfiguration, SkipDestinationValidation = true) =>
    s3.send(
      new S3.PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration,
        SkipDestinationValidation,
      }),
    );

  it("keeps a configuration and gives each entry an id", async () => {
    const LambdaFunctionArn = "arn:aws:lambda:eu-west-1:000000000000:function:ingest";
    const Filter = { Key: { FilterRules: [{ Name: "prefix" as const, Value: "in/" }] } };
    const Events = ["s3:ObjectCreated:*" as const];
    await set({ LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events, Filter }] });
    const kept = await s3.send(new S3.GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(kept.LambdaFunctionConfigurations).toMatchObject([{ LambdaFunctionArn, Events, Filter }]);
    expect(kept.LambdaFunctionConfigurations?.[0]?.Id).toBeTruthy();
    await set({});
    const cleared = await s3.send(new S3.GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(cleared.LambdaFunctionConfigurations).toBeUndefined();
  });

  it("refuses unknown events, overlapping entries and queues that are not there", async () => {
    const created = { QueueArn, Events: ["s3:ObjectCreated:*" as const] };
    const unknown = set({ QueueConfigurations: [{ QueueArn, Events: ["s3:ObjectEaten:*" as "s3:ObjectCreated:*"] }] });
    expect(await failure(unknown)).toMatchObject({ name: "InvalidArgument", status: 400 });
    const overlapping = set({ QueueConfigurations: [created, { QueueArn, Events: ["s3:ObjectCreated:Put"] }] });
    expect((await failure(overlapping)).message).toContain("Configurations overlap");
    const missing = failure(set({ QueueConfigurations: [created] }, false));
    expect((await missing).message).toContain("Unable to validate the following destination configurations");
  });
});

describe("browsers and signed addresses", () => {
  it("tells browsers of allowed origins that they may read", async () => {
    const own = await makeBucket(s3);
    await s3.send(new S3.PutObjectCommand({ Bucket: own, Key: "a", Body: "x" }));
    const CORSRules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["https://*.example.com"], ExposeHeaders: ["ETag"] }];
    await s3.send(new S3.PutBucketCorsCommand({ Bucket: own, CORSConfiguration: { CORSRules } }));
    const get = (origin: string) => fetchSigned(`${emulator.current.endpoint}/${own}/a`, { headers: { origin } });
    const allowed = await get("https://app.example.com");
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(allowed.headers.get("access-control-expose-headers")).toBe("ETag");
    expect((await get("https://example.org")).headers.get("access-control-allow-origin")).toBeNull();
    const wrong = [{ AllowedMethods: ["FETCH"], AllowedOrigins: ["*"] }];
    const refused = s3.send(new S3.PutBucketCorsCommand({ Bucket: own, CORSConfiguration: { CORSRules: wrong } }));
    expect(await failure(refused)).toMatchObject({ name: "InvalidRequest", status: 400 });
  });

  it("allows a browser's preflight by the first rule that fits origin, method and headers", () => {
    const rules = [
      { AllowedMethods: ["GET"], AllowedOrigins: ["*"] },
      {
        ...{ AllowedMethods: ["PUT"], AllowedOrigins: ["https://*.example.com"] },
        ...{ AllowedHeaders: ["x-amz-*"], MaxAgeSeconds: 60 },
      },
    ];
    const ask = (origin: string, method: string, headers?: string) =>
      preflight(rules, {
        origin,
        "access-control-request-method": method,
        ...(headers && { "access-control-request-headers": headers }),
      });
    expect(ask("https://any.org", "GET")).toMatchObject({
      status: 200,
      headers: { "access-control-allow-origin": "*" },
    });
    expect(ask("https://app.example.com", "PUT", "X-Amz-Date, x-amz-meta-a")).toMatchObject({
      status: 200,
      headers: {
        "access-control-allow-origin": "https://app.example.com",
        "access-control-allow-headers": "x-amz-date, x-amz-meta-a",
        "access-control-max-age": "60",
      },
    });
    expect(ask("https://app.example.com", "PUT", "authorization").status).toBe(403);
    expect(ask("https://any.org", "PUT").status).toBe(403);
    expect(preflight(undefined, { origin: "https://any.org", "access-control-request-method": "GET" }).status).toBe(
      403,
    );
  });

  it("serves presigned addresses for reading and writing", async () => {
    const { hostname, port, host, protocol } = new URL(emulator.current.endpoint);
    const signer = new SignatureV4({
      service: "s3",
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      uriEscapePath: false,
      sha256: class {
        private readonly hash = createHash("sha256");
        update(data: Uint8Array | string) {
          this.hash.update(data);
        }
        async digest() {
          return this.hash.digest();
        }
        reset() {}
      },
    });
    const presign = async (method: string) => {
      const request = { method, protocol, hostname, port: Number(port), path: `/${Bucket}/signed`, headers: { host } };
      const signed = await signer.presign({ ...request, query: {} }, { expiresIn: 900 });
      const query = new URLSearchParams(signed.query as Record<string, string>);
      return `${emulator.current.endpoint}/${Bucket}/signed?${query}`;
    };
    expect((await fetch(await presign("PUT"), { method: "PUT", body: "by address" })).status).toBe(200);
    expect(await (await fetch(await presign("GET"))).text()).toBe("by address");
  });
});
