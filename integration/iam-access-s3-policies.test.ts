import * as S3 from "@aws-sdk/client-s3";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeSession, makeUser, policyOf, type Statement, type User } from "./harness/identities";
import { failure } from "./harness/s3";

const emulator = useEmulator();
const client = (from: { settings: ReturnType<typeof settings> }) =>
  new S3.S3({ ...from.settings, forcePathStyle: true });

let admin: S3.S3;
/** The root of another account. */
let stranger: S3.S3;
let user: User;
let s3: S3.S3;
beforeAll(async () => {
  admin = client({ settings: settings(emulator.current) });
  stranger = client({ settings: settings(emulator.current, { accessKeyId: "111122223333" }) });
  user = await makeUser(emulator.current);
  s3 = client(user);
});

let count = 0;
let Bucket: string;
beforeEach(async () => {
  Bucket = `shared-${++count}`;
  await user.allow();
  await admin.createBucket({ Bucket });
  await admin.deletePublicAccessBlock({ Bucket });
  await admin.putObject({ Bucket, Key: "open/a", Body: "a", Tagging: "kind=public" });
  await admin.putObject({ Bucket, Key: "closed/b", Body: "b" });
});

const everyone = "*";
const setPolicy = (...statements: Statement[]) => admin.putBucketPolicy({ Bucket, Policy: policyOf(...statements) });
const allow = (Principal: unknown, Action: string, below = "/*", Condition?: object): Statement => ({
  ...{ Effect: "Allow", Principal, Action, Resource: `arn:aws:s3:::${Bucket}${below}` },
  ...(Condition && { Condition }),
});
const deny = (...given: Parameters<typeof allow>): Statement => ({ ...allow(...given), Effect: "Deny" });
const get = (from: S3.S3, Key = "open/a") => from.getObject({ Bucket, Key });
const denied = { name: "AccessDenied", status: 403 };
const visit = async (path: string, init?: RequestInit) =>
  (await fetch(`${emulator.current.endpoint}/${Bucket}${path}`, init)).status;

describe("a bucket policy", () => {
  it("lets in a user of the account whom no other policy does, and nobody else", async () => {
    await setPolicy(allow({ AWS: user.arn }, "s3:GetObject", "/open/*"));
    await get(s3);
    expect(await failure(get(s3, "closed/b"))).toMatchObject(denied);
    const other = client(await makeUser(emulator.current));
    expect(await failure(get(other))).toMatchObject(denied);
  });

  it("refuses with its Deny statements what the user's policies allow", async () => {
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    await user.allow({ Effect: "Allow", Action: "s3:*", Resource });
    await setPolicy(deny({ AWS: user.arn }, "s3:GetObject", "/closed/*"));
    await get(s3);
    expect(await failure(get(s3, "closed/b"))).toEqual({
      ...denied,
      message: `User: ${user.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${Bucket}/closed/b" with an explicit deny in a resource-based policy`,
    });
  });

  it("lets in another account, by its buckets' owner and not by a name", async () => {
    expect(await failure(get(stranger))).toEqual({
      ...denied,
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${Bucket}/open/a" because no resource-based policy allows the s3:GetObject action`,
    });
    await setPolicy(allow({ AWS: "111122223333" }, "s3:GetObject"));
    await get(stranger);
    expect(await failure(stranger.putObject({ Bucket, Key: "x", Body: "x" }))).toMatchObject(denied);
  });

  it("lets everyone read, also who signs no request", async () => {
    expect(await visit("/open/a")).toBe(403);
    await setPolicy(allow(everyone, "s3:GetObject", "/open/*"));
    expect(await visit("/open/a")).toBe(200);
    expect(await visit("/closed/b")).toBe(403);
    expect(await visit("/open/missing")).toBe(403);
    expect(await visit("/open/a", { method: "PUT", body: "x" })).toBe(403);
    expect(await visit("/?list-type=2")).toBe(403);
    await get(s3);
    await get(stranger);
  });

  it("does not lock its own account out", async () => {
    await setPolicy(deny(everyone, "s3:*"), deny(everyone, "s3:*", ""));
    expect(await failure(admin.listObjectsV2({ Bucket }))).toMatchObject(denied);
    await admin.getBucketPolicy({ Bucket });
    await admin.deleteBucketPolicy({ Bucket });
    await admin.listObjectsV2({ Bucket });
  });

  it("keeps single keys out of DeleteObjects", async () => {
    await setPolicy(deny(everyone, "s3:DeleteObject", "/closed/*"));
    const Objects = [{ Key: "open/a" }, { Key: "closed/b" }];
    const { Deleted, Errors } = await admin.deleteObjects({ Bucket, Delete: { Objects } });
    expect(Deleted).toEqual([{ Key: "open/a" }]);
    expect(Errors).toMatchObject([{ Key: "closed/b", Code: "AccessDenied" }]);
  });
});

describe("conditions see of a request to S3", () => {
  const allowed = (Action: string, Condition: object, below = "/*") =>
    user.allow({ Effect: "Allow", Action, Resource: `arn:aws:s3:::${Bucket}${below}`, Condition });

  it("the prefix, delimiter and number of keys of a listing", async () => {
    const StringEquals = { "s3:prefix": "open/", "s3:delimiter": "/" };
    await allowed("s3:ListBucket", { StringEquals, NumericLessThanEquals: { "s3:max-keys": "10" } }, "");
    const list = (more: object) => s3.listObjectsV2({ Bucket, Prefix: "open/", Delimiter: "/", MaxKeys: 10, ...more });
    await list({});
    for (const more of [{ Prefix: "closed/" }, { Prefix: undefined }, { Delimiter: undefined }, { MaxKeys: 11 }])
      expect(await failure(list(more))).toMatchObject(denied);
  });

  it("the tags of the object that is there, and those that a request gives", async () => {
    await allowed("s3:GetObject*", { StringEquals: { "s3:ExistingObjectTag/kind": "public" } });
    await get(s3);
    expect(await failure(get(s3, "closed/b"))).toMatchObject(denied);
    const put = (Tagging?: string) => s3.putObject({ Bucket, Key: "new", Body: "x", Tagging });
    await allowed("s3:PutObject*", {
      StringEquals: { "s3:RequestObjectTag/kind": "private" },
      "ForAllValues:StringEquals": { "s3:RequestObjectTagKeys": ["kind"] },
    });
    await put("kind=private");
    expect(await failure(put("kind=public"))).toMatchObject(denied);
    expect(await failure(put("kind=private&more=1"))).toMatchObject(denied);
    expect(await failure(put())).toMatchObject(denied);
  });

  it("its own headers", async () => {
    const put = (more: object) => s3.putObject({ Bucket, Key: "new", Body: "x", ...more });
    await allowed("s3:PutObject", { StringEquals: { "s3:x-amz-server-side-encryption": "AES256" } });
    await put({ ServerSideEncryption: "AES256" });
    expect(await failure(put({}))).toMatchObject(denied);
    await allowed("s3:PutObject", { Null: { "s3:if-none-match": "false" } });
    await s3.putObject({ Bucket, Key: "first", Body: "x", IfNoneMatch: "*" });
    expect(await failure(put({}))).toMatchObject(denied);
  });

  it("the version, and who owns the bucket", async () => {
    await admin.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const { VersionId } = await admin.putObject({ Bucket, Key: "open/a", Body: "two" });
    await allowed("s3:GetObjectVersion", {
      StringEquals: { "s3:versionid": VersionId, "s3:ResourceAccount": "000000000000" },
    });
    await s3.getObject({ Bucket, Key: "open/a", VersionId });
    expect(await failure(s3.getObject({ Bucket, Key: "open/a", VersionId: "null" }))).toMatchObject(denied);
  });

  it("the tags of a bucket once they count for access", async () => {
    await allowed("s3:GetObject", { StringEquals: { "aws:ResourceTag/team": "iot" } });
    await admin.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "team", Value: "iot" }] } });
    expect(await failure(get(s3))).toMatchObject(denied);
    await admin.putBucketAbac({ Bucket, AbacStatus: { Status: "Enabled" } });
    await get(s3);
  });
});

describe("ACLs", () => {
  beforeEach(() =>
    admin.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } }),
  );

  it("open a bucket for listing and single objects for reading", async () => {
    await admin.putObjectAcl({ Bucket, Key: "open/a", ACL: "public-read" });
    expect([await visit("/open/a"), await visit("/closed/b"), await visit("/")]).toEqual([200, 403, 403]);
    await admin.putBucketAcl({ Bucket, ACL: "public-read" });
    expect([await visit("/"), await visit("/closed/b"), await visit("/closed/c")]).toEqual([200, 403, 403]);
    expect(await visit("/closed/b", { method: "PUT", body: "x" })).toBe(403);
    await admin.putBucketAcl({ Bucket, ACL: "public-read-write" });
    expect(await visit("/closed/b", { method: "PUT", body: "x" })).toBe(200);
  });

  it("open an object to everyone who signs, or to one account", async () => {
    await admin.putObjectAcl({ Bucket, Key: "open/a", ACL: "authenticated-read" });
    expect(await visit("/open/a")).toBe(403);
    await get(stranger);
    const { Owner } = await stranger.listBuckets();
    const GrantReadACP = `id="${Owner!.ID}"`;
    await admin.putObjectAcl({ Bucket, Key: "open/a", GrantReadACP });
    expect(await failure(get(stranger))).toMatchObject(denied);
    await stranger.getObjectAcl({ Bucket, Key: "open/a" });
  });

  it("do not count once ownership is enforced or public access is blocked", async () => {
    await admin.putObjectAcl({ Bucket, Key: "open/a", ACL: "public-read" });
    const block = (IgnorePublicAcls: boolean) =>
      admin.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { IgnorePublicAcls } });
    await block(true);
    expect(await visit("/open/a")).toBe(403);
    await block(false);
    expect(await visit("/open/a")).toBe(200);
    const Rules = [{ ObjectOwnership: "BucketOwnerEnforced" as const }];
    await admin.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules } });
    expect(await visit("/open/a")).toBe(403);
  });
});

describe("Block Public Access", () => {
  it("leaves a public policy to the bucket's account, but for its Deny statements", async () => {
    await setPolicy(
      allow(everyone, "s3:GetObject"),
      allow({ AWS: "111122223333" }, "s3:GetObject"),
      deny(everyone, "s3:GetObject", "/closed/*"),
    );
    await admin.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
    expect(await visit("/open/a")).toBe(403);
    expect(await failure(get(stranger))).toMatchObject(denied);
    await get(s3);
    expect(await failure(get(s3, "closed/b"))).toMatchObject(denied);
  });

  it("leaves a policy that is not public as it is", async () => {
    await setPolicy(allow({ AWS: "111122223333" }, "s3:GetObject"));
    await admin.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
    await get(stranger);
  });
});

describe("a session of a role", () => {
  it("may do what the role may, and what the bucket's policy allows the role", async () => {
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    const session = await makeSession(emulator.current, { Effect: "Allow", Action: "s3:GetObject", Resource });
    const role = client(session);
    await get(role);
    expect(await failure(role.deleteObject({ Bucket, Key: "open/a" }))).toMatchObject(denied);
    const [, name] = session.arn.split("/");
    await setPolicy(allow({ AWS: `arn:aws:iam::000000000000:role/${name}` }, "s3:DeleteObject"));
    await role.deleteObject({ Bucket, Key: "open/a" });
  });
});
