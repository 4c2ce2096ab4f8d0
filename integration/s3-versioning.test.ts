import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, fetchSigned, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
beforeAll(() => {
  s3 = s3Client(emulator.current);
});

const setVersioning = (Bucket: string, Status: "Enabled" | "Suspended") =>
  s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const versionedBucket = async () => {
  const Bucket = await makeBucket(s3);
  await setVersioning(Bucket, "Enabled");
  return Bucket;
};
const put = async (Bucket: string, Key: string, Body: string) =>
  (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
const read = async (Bucket: string, Key: string, VersionId?: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();

describe("versioned buckets", () => {
  it("has no versioning status until it is set", async () => {
    const Bucket = await makeBucket(s3);
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    expect(await put(Bucket, "a", "1")).toBeUndefined();
    await setVersioning(Bucket, "Enabled");
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe("Enabled");
  });

  it("keeps what was there before versioning as the version null", async () => {
    const Bucket = await makeBucket(s3);
    await put(Bucket, "a", "before");
    await setVersioning(Bucket, "Enabled");
    await put(Bucket, "a", "after");
    expect(await read(Bucket, "a")).toBe("after");
    expect(await read(Bucket, "a", "null")).toBe("before");
  });

  it("hides an object behind a delete marker and shows it again when the marker is deleted", async () => {
    const Bucket = await versionedBucket();
    const version = await put(Bucket, "a", "kept");
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    expect(marker.DeleteMarker).toBe(true);
    const response = await fetchSigned(`${emulator.current.endpoint}/${Bucket}/a`);
    expect([response.status, response.headers.get("x-amz-delete-marker")]).toEqual([404, "true"]);
    expect(await read(Bucket, "a", version)).toBe("kept");
    const head = s3.send(new HeadObjectCommand({ Bucket, Key: "a", VersionId: marker.VersionId }));
    expect(await failure(head)).toMatchObject({ status: 405 });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "a", VersionId: marker.VersionId }));
    expect(await read(Bucket, "a")).toBe("kept");
  });

  it("tells a version that never was from one that can not be", async () => {
    const Bucket = await versionedBucket();
    await put(Bucket, "a", "x");
    expect(await failure(read(Bucket, "a", "a".repeat(32)))).toMatchObject({ name: "NoSuchVersion", status: 404 });
    expect(await failure(read(Bucket, "a", "no version"))).toMatchObject({ name: "InvalidArgument", status: 400 });
  });

  it("empties a bucket by deleting all that a listing of versions shows", async () => {
    const Bucket = await versionedBucket();
    for (const body of ["1", "2", "3"]) await put(Bucket, "a", body);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = "", VersionId }) => ({ Key, VersionId }));
    expect(Objects).toHaveLength(4);
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    expect((await s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions).toBeUndefined();
  });

  it("behaves like a list of versions under any program of puts, deletes and status changes", async () => {
    interface Version {
      id: string;
      body: string | undefined;
    }
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), key: fc.constantFrom("a", "b") }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), key: fc.constantFrom("a", "b") }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("deleteVersion" as const),
          key: fc.constantFrom("a", "b"),
          at: fc.nat(4),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("status" as const),
          key: fc.constant(""),
          status: fc.constantFrom("Enabled" as const, "Suspended" as const),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (program) => {
        const Bucket = await makeBucket(s3);
        const model: Record<string, Version[]> = { a: [], b: [] };
        let status: "Enabled" | "Suspended" | undefined;
        let bodies = 0;
        const add = (key: string, version: Version) => {
          model[key] = [version, ...model[key]!.filter(({ id }) => version.id !== "null" || id !== "null")];
        };
        for (const command of program) {
          const { key: Key } = command;
          if (command.do === "status") {
            status = command.status;
            await setVersioning(Bucket, status);
          } else if (command.do === "put") {
            const body = `body ${++bodies}`;
            const id = await put(Bucket, Key, body);
            expect(id === undefined || id === "null").toBe(status !== "Enabled");
            add(Key, { id: id ?? "null", body });
          } else if (command.do === "delete") {
            const answer = await s3.send(new DeleteObjectCommand({ Bucket, Key }));
            expect(answer.DeleteMarker === true).toBe(status !== undefined);
            if (status === undefined) model[Key] = [];
            else add(Key, { id: answer.VersionId!, body: undefined });
          } else {
            const victim = model[Key]![command.at];
            if (!victim) continue;
            await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: victim.id }));
            model[Key] = model[Key]!.filter((version) => version !== victim);
          }
        }
        for (const Key of ["a", "b"]) {
          const current = model[Key]![0]?.body;
          expect(await read(Bucket, Key).catch(({ name }) => name)).toBe(current ?? "NoSuchKey");
          for (const { id, body } of model[Key]!) {
            if (body !== undefined) expect(await read(Bucket, Key, id)).toBe(body);
          }
        }
        const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
        const listed = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => `${Key} ${VersionId}`);
        const expected = Object.entries(model).flatMap(([key, versions]) => versions.map(({ id }) => `${key} ${id}`));
        expect(listed.sort()).toEqual(expected.sort());
      }),
      { numRuns: 40 },
    );
  });
});

describe("object lock", () => {
  it("keeps a retained version until its date, or until somebody bypasses governance", async () => {
    const Bucket = await makeBucket(s3, { ObjectLockEnabledForBucket: true });
    const VersionId = await put(Bucket, "a", "locked");
    const RetainUntilDate = new Date(emulator.current.clock.now() + 3_600_000);
    const Retention = { Mode: "GOVERNANCE", RetainUntilDate } as const;
    await s3.send(new PutObjectRetentionCommand({ Bucket, Key: "a", Retention }));
    const remove = (more: object = {}) => s3.send(new DeleteObjectCommand({ Bucket, Key: "a", VersionId, ...more }));
    expect(await failure(remove())).toMatchObject({ name: "AccessDenied", status: 403 });
    await emulator.current.clock.advance("2 hours");
    await remove();
    const other = await put(Bucket, "b", "held");
    await s3.send(new PutObjectLegalHoldCommand({ Bucket, Key: "b", LegalHold: { Status: "ON" } }));
    const held = s3.send(
      new DeleteObjectCommand({ Bucket, Key: "b", VersionId: other, BypassGovernanceRetention: true }),
    );
    expect(await failure(held)).toMatchObject({ name: "AccessDenied" });
  });

  it("does not let versioning be suspended", async () => {
    const Bucket = await makeBucket(s3, { ObjectLockEnabledForBucket: true });
    expect(await failure(setVersioning(Bucket, "Suspended"))).toMatchObject({
      name: "InvalidBucketState",
      status: 409,
    });
  });
});
