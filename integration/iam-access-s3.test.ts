import * as S3 from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { denialOf, expectNeeds, makeUser, type User } from "./harness/identities";
import { failure } from "./harness/s3";

const emulator = useEmulator();
const Bucket = "guarded";
const bucket = `arn:aws:s3:::${Bucket}`;
const object = (key: string) => `${bucket}/${key}`;

let admin: S3.S3;
let user: User;
let s3: S3.S3;
let VersionId: string;
let LockedId: string;

beforeAll(async () => {
  admin = new S3.S3({ ...settings(emulator.current), forcePathStyle: true });
  await admin.createBucket({ Bucket, ObjectLockEnabledForBucket: true, ObjectOwnership: "ObjectWriter" });
  await admin.createBucket({ Bucket: "source" });
  ({ VersionId: VersionId = "" } = await admin.putObject({ Bucket, Key: "a", Body: "a" }));
  const retention = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: new Date("2099-01-01") } as const;
  ({ VersionId: LockedId = "" } = await admin.putObject({ Bucket, Key: "locked", Body: "a", ...retention }));
  await admin.putObject({ Bucket: "source", Key: "plain", Body: "a" });
  await admin.putObject({ Bucket: "source", Key: "tagged", Body: "a", Tagging: "team=iot" });
  user = await makeUser(emulator.current);
  s3 = new S3.S3({ ...user.settings, forcePathStyle: true });
});

type Case = [what: string, call: () => Promise<unknown>, ...needed: [action: string, resource: string][]];
const holds = (_: string, call: () => Promise<unknown>, ...needed: [action: string, resource: string][]) =>
  expectNeeds(
    emulator.current,
    user,
    call,
    needed.map(([action, resource]) => [`s3:${action}`, resource] as const),
  );

describe("operations on buckets need the actions that AWS names for them", () => {
  test.each<Case>([
    ["ListBuckets", () => s3.listBuckets(), ["ListAllMyBuckets", "*"]],
    ["HeadBucket", () => s3.headBucket({ Bucket }), ["ListBucket", bucket]],
    ["ListObjectsV2", () => s3.listObjectsV2({ Bucket }), ["ListBucket", bucket]],
    ["ListObjectVersions", () => s3.listObjectVersions({ Bucket }), ["ListBucketVersions", bucket]],
    ["ListMultipartUploads", () => s3.listMultipartUploads({ Bucket }), ["ListBucketMultipartUploads", bucket]],
    ["GetBucketLocation", () => s3.getBucketLocation({ Bucket }), ["GetBucketLocation", bucket]],
    ["GetBucketEncryption", () => s3.getBucketEncryption({ Bucket }), ["GetEncryptionConfiguration", bucket]],
    ["DeleteBucketCors", () => s3.deleteBucketCors({ Bucket }), ["PutBucketCORS", bucket]],
    ["DeleteBucketLifecycle", () => s3.deleteBucketLifecycle({ Bucket }), ["PutLifecycleConfiguration", bucket]],
    ["DeleteBucketTagging", () => s3.deleteBucketTagging({ Bucket }), ["PutBucketTagging", bucket]],
    ["GetPublicAccessBlock", () => s3.getPublicAccessBlock({ Bucket }), ["GetBucketPublicAccessBlock", bucket]],
    ["DeleteBucketPolicy", () => s3.deleteBucketPolicy({ Bucket }), ["DeleteBucketPolicy", bucket]],
    [
      "CreateBucket",
      () =>
        s3.createBucket({
          Bucket: "made",
          ObjectLockEnabledForBucket: true,
          ObjectOwnership: "ObjectWriter",
          ACL: "bucket-owner-full-control" as "private",
          CreateBucketConfiguration: { LocationConstraint: "eu-west-1", Tags: [{ Key: "team", Value: "iot" }] },
        }),
      ["CreateBucket", "arn:aws:s3:::made"],
      ["PutBucketAcl", "arn:aws:s3:::made"],
      ["PutBucketObjectLockConfiguration", "arn:aws:s3:::made"],
      ["PutBucketVersioning", "arn:aws:s3:::made"],
      ["PutBucketOwnershipControls", "arn:aws:s3:::made"],
      ["TagResource", "arn:aws:s3:::made"],
    ],
  ])("%s", holds);
});

describe("operations on objects need the actions that AWS names for them", () => {
  const named = () => ({ Bucket, Key: "a", VersionId });
  const day = new Date("2099-01-01");
  test.each<Case>([
    ["GetObject", () => s3.getObject({ Bucket, Key: "a" }), ["GetObject", object("a")]],
    ["GetObject of a version", () => s3.getObject(named()), ["GetObjectVersion", object("a")]],
    ["HeadObject", () => s3.headObject({ Bucket, Key: "a" }), ["GetObject", object("a")]],
    [
      "GetObjectAttributes of a version",
      () => s3.getObjectAttributes({ ...named(), ObjectAttributes: ["ETag"] }),
      ["GetObjectVersion", object("a")],
      ["GetObjectVersionAttributes", object("a")],
    ],
    ["GetObjectTagging", () => s3.getObjectTagging({ Bucket, Key: "a" }), ["GetObjectTagging", object("a")]],
    [
      "DeleteObjectTagging of a version",
      () => s3.deleteObjectTagging(named()),
      ["DeleteObjectVersionTagging", object("a")],
    ],
    ["GetObjectAcl of a version", () => s3.getObjectAcl(named()), ["GetObjectVersionAcl", object("a")]],
    ["PutObjectAcl", () => s3.putObjectAcl({ Bucket, Key: "a", ACL: "private" }), ["PutObjectAcl", object("a")]],
    ["PutObject", () => s3.putObject({ Bucket, Key: "new", Body: "x" }), ["PutObject", object("new")]],
    [
      "PutObject with an ACL, tags, retention and a legal hold",
      () =>
        s3.putObject({
          ...{ Bucket, Key: "full", Body: "x", ACL: "bucket-owner-read", Tagging: "a=b" },
          ...{ ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: day, ObjectLockLegalHoldStatus: "OFF" },
        }),
      ["PutObject", object("full")],
      ["PutObjectAcl", object("full")],
      ["PutObjectTagging", object("full")],
      ["PutObjectRetention", object("full")],
      ["PutObjectLegalHold", object("full")],
    ],
    [
      "CopyObject",
      () => s3.copyObject({ Bucket, Key: "copy", CopySource: "source/plain" }),
      ["GetObject", "arn:aws:s3:::source/plain"],
      ["PutObject", object("copy")],
    ],
    [
      "CopyObject of an object with tags",
      () => s3.copyObject({ Bucket, Key: "copy", CopySource: "source/tagged" }),
      ["GetObject", "arn:aws:s3:::source/tagged"],
      ["GetObjectTagging", "arn:aws:s3:::source/tagged"],
      ["PutObject", object("copy")],
      ["PutObjectTagging", object("copy")],
    ],
    ["DeleteObject", () => s3.deleteObject({ Bucket, Key: "gone" }), ["DeleteObject", object("gone")]],
    [
      "DeleteObject of a version that is locked",
      () => s3.deleteObject({ Bucket, Key: "locked", VersionId: LockedId, BypassGovernanceRetention: true }),
      ["DeleteObjectVersion", object("locked")],
      ["BypassGovernanceRetention", object("locked")],
    ],
    [
      "PutObjectRetention",
      () => s3.putObjectRetention({ ...named(), Retention: { Mode: "GOVERNANCE", RetainUntilDate: day } }),
      ["PutObjectRetention", object("a")],
    ],
    [
      "PutObjectRetention that shortens another",
      () =>
        s3.putObjectRetention({
          ...{ ...named(), BypassGovernanceRetention: true },
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date("2098-01-01") },
        }),
      ["PutObjectRetention", object("a")],
      ["BypassGovernanceRetention", object("a")],
    ],
  ])("%s", holds);

  it("a multipart upload needs s3:PutObject for each of its requests but looking and giving up", async () => {
    const at = { Bucket, Key: "parts" };
    let UploadId = "";
    let ETag: string | undefined;
    const calls: [string, () => Promise<unknown>][] = [
      ["PutObject", async () => ({ UploadId: UploadId = "" } = await s3.createMultipartUpload(at))],
      ["PutObject", async () => ({ ETag } = await s3.uploadPart({ ...at, UploadId, PartNumber: 1, Body: "x" }))],
      ["ListMultipartUploadParts", () => s3.listParts({ ...at, UploadId })],
      [
        "PutObject",
        () => s3.completeMultipartUpload({ ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
      ],
    ];
    for (const [action, call] of calls) await holds("", call, [action, object("parts")]);
    const { UploadId: second } = await admin.createMultipartUpload(at);
    await holds(
      "",
      () => s3.uploadPartCopy({ ...at, UploadId: second, PartNumber: 1, CopySource: "source/plain" }),
      ["GetObject", "arn:aws:s3:::source/plain"],
      ["PutObject", object("parts")],
    );
    await holds("", () => s3.abortMultipartUpload({ ...at, UploadId: second }), [
      "AbortMultipartUpload",
      object("parts"),
    ]);
  });
});

describe("a missing object", () => {
  it("is 403 to who may not list the bucket, and 404 to who may", async () => {
    const get = { Effect: "Allow", Action: "s3:GetObject", Resource: object("*") };
    await user.allow(get);
    const missing = () => failure(s3.getObject({ Bucket, Key: "missing" }));
    expect(await missing()).toEqual({
      name: "AccessDenied",
      status: 403,
      message: denialOf(user, "s3:ListBucket", bucket),
    });
    expect(await failure(s3.headObject({ Bucket, Key: "missing" }))).toMatchObject({ status: 403 });
    await user.allow(get, { Effect: "Allow", Action: "s3:ListBucket", Resource: bucket });
    expect(await missing()).toMatchObject({ name: "NoSuchKey", status: 404 });
  });

  it("of a missing bucket is 404 to everyone", async () => {
    await user.allow();
    expect(await failure(s3.getObject({ Bucket: "nowhere", Key: "a" }))).toMatchObject({ name: "NoSuchBucket" });
  });
});

describe("DeleteObjects", () => {
  it("judges each key by itself and tells which may not be deleted", async () => {
    await user.allow({ Effect: "Allow", Action: "s3:DeleteObject", Resource: object("tmp/*") });
    const Objects = [{ Key: "tmp/1" }, { Key: "kept" }, { Key: "tmp/2" }, { Key: "tmp/3", VersionId: "null" }];
    const { Deleted, Errors } = await s3.deleteObjects({ Bucket, Delete: { Objects } });
    expect(Deleted).toMatchObject([{ Key: "tmp/1" }, { Key: "tmp/2" }]);
    expect(Errors).toEqual([
      { Key: "kept", Code: "AccessDenied", Message: denialOf(user, "s3:DeleteObject", object("kept")) },
      {
        ...{ Key: "tmp/3", VersionId: "null", Code: "AccessDenied" },
        Message: denialOf(user, "s3:DeleteObjectVersion", object("tmp/3")),
      },
    ]);
  });
});
