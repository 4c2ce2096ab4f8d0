import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
let Bucket: string;
beforeAll(async () => {
  s3 = s3Client(emulator.current);
  Bucket = await makeBucket(s3);
});

const minimum = 5 * 1024 * 1024;
const bytes = (size: number, seed = 1) => Buffer.alloc(size, createHash("sha512").update(String(seed)).digest());
const begin = async (Key: string, more: object = {}) =>
  (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!;
const upload = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer, more: object = {}) => {
  const { $metadata: _, ...answer } = await s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }),
  );
  const { ServerSideEncryption: __, ...part } = answer;
  return { PartNumber, ...part } as CompletedPart;
};
const complete = (Key: string, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }));

describe("multipart uploads", () => {
  it("joins parts sent in any order, and gives back every byte and every part", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 70_000 }), async (full, tail) => {
        const bodies = [...Array.from({ length: full }, (_, i) => bytes(minimum + i, i)), bytes(tail, 9)];
        const UploadId = await begin("joined", { Metadata: { a: "1" } });
        const parts: CompletedPart[] = [];
        for (const [index, body] of [...bodies.entries()].reverse()) {
          parts.unshift(await upload("joined", UploadId, (index + 1) * 10, body));
        }
        const { ETag } = await complete("joined", UploadId, parts);
        const digests = bodies.map((body) => createHash("md5").update(body).digest());
        const joined = createHash("md5").update(Buffer.concat(digests)).digest("hex");
        expect(ETag).toBe(`"${joined}-${bodies.length}"`);
        const whole = await s3.send(new GetObjectCommand({ Bucket, Key: "joined" }));
        expect(whole.Metadata).toEqual({ a: "1" });
        expect(Buffer.from(await whole.Body!.transformToByteArray()).equals(Buffer.concat(bodies))).toBe(true);
        const last = await s3.send(new GetObjectCommand({ Bucket, Key: "joined", PartNumber: bodies.length }));
        expect([last.PartsCount, last.$metadata.httpStatusCode]).toEqual([bodies.length, 206]);
        expect(Buffer.from(await last.Body!.transformToByteArray()).equals(bodies.at(-1)!)).toBe(true);
      }),
      { numRuns: 5 },
    );
  });

  it("refuses parts out of order, unknown parts, wrong entity tags and parts below 5 MiB", async () => {
    const UploadId = await begin("refused");
    const one = await upload("refused", UploadId, 1, bytes(100));
    const two = await upload("refused", UploadId, 2, bytes(100));
    const attempt = (parts: CompletedPart[]) => failure(complete("refused", UploadId, parts));
    expect(await attempt([two, one])).toMatchObject({ name: "InvalidPartOrder", status: 400 });
    expect(await attempt([one, { ...two, PartNumber: 3 }])).toMatchObject({ name: "InvalidPart", status: 400 });
    expect(await attempt([{ ...one, ETag: '"0"' }])).toMatchObject({ name: "InvalidPart" });
    expect(await attempt([one, two])).toMatchObject({ name: "EntityTooSmall", status: 400 });
    expect(await attempt([])).toMatchObject({ name: "MalformedXML", status: 400 });
    // Nothing of this ended the upload.
    await complete("refused", UploadId, [two]);
    expect(await failure(complete("refused", UploadId, [two]))).toMatchObject({ name: "NoSuchUpload", status: 404 });
  });

  it("copies parts from ranges of another object", async () => {
    const source = bytes(minimum + 1000, 3);
    await s3.send(new PutObjectCommand({ Bucket, Key: "source", Body: source }));
    const UploadId = await begin("assembled");
    const parts: CompletedPart[] = [];
    for (const [PartNumber, CopySourceRange] of [
      [1, `bytes=1000-${minimum + 999}`],
      [2, "bytes=0-999"],
    ] as const) {
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          ...{ Bucket, Key: "assembled", UploadId, PartNumber, CopySourceRange },
          CopySource: `${Bucket}/source`,
        }),
      );
      parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await complete("assembled", UploadId, parts);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "assembled" }));
    const expected = Buffer.concat([source.subarray(1000), source.subarray(0, 1000)]);
    expect(Buffer.from(await Body!.transformToByteArray()).equals(expected)).toBe(true);
  });

  it("keeps a composite checksum of the parts' checksums", async () => {
    const UploadId = await begin("composite", { ChecksumAlgorithm: "SHA256" });
    const bodies = [bytes(minimum, 1), bytes(10, 2)];
    const parts: CompletedPart[] = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await upload("composite", UploadId, index + 1, body, { ChecksumAlgorithm: "SHA256" }));
    }
    const missing = failure(
      complete(
        "composite",
        UploadId,
        parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })),
      ),
    );
    expect(await missing).toMatchObject({ name: "InvalidRequest", status: 400 });
    const { ChecksumSHA256, ChecksumType } = await complete("composite", UploadId, parts);
    const digests = bodies.map((body) => createHash("sha256").update(body).digest());
    const joined = createHash("sha256").update(Buffer.concat(digests)).digest("base64");
    expect([ChecksumSHA256, ChecksumType]).toEqual([`${joined}-2`, "COMPOSITE"]);
    const { ObjectParts } = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: "composite", ObjectAttributes: ["ObjectParts"] }),
    );
    expect(ObjectParts).toMatchObject({ TotalPartsCount: 2, Parts: [{ Size: minimum }, { Size: 10 }] });
  });

  it("keeps a checksum over the whole object where the type says so", async () => {
    const UploadId = await begin("full", { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const bodies = [bytes(minimum, 1), bytes(10, 2)];
    const parts: CompletedPart[] = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await upload("full", UploadId, index + 1, body, { ChecksumAlgorithm: "CRC32" }));
    }
    const { ChecksumCRC32 } = await complete("full", UploadId, parts);
    const whole = await s3.send(new PutObjectCommand({ Bucket, Key: "one", Body: Buffer.concat(bodies) }));
    expect(ChecksumCRC32).toBe(whole.ChecksumCRC32);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "full", ChecksumMode: "ENABLED" }));
    expect(head).toMatchObject({ ChecksumCRC32, ChecksumType: "FULL_OBJECT" });
    const clash = begin("clash", { ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" });
    expect(await failure(clash)).toMatchObject({ name: "InvalidRequest", status: 400 });
  });

  it("creates an object only where there is none with If-None-Match: *", async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: "taken", Body: "first" }));
    const UploadId = await begin("taken");
    const part = await upload("taken", UploadId, 1, bytes(10));
    const second = failure(complete("taken", UploadId, [part], { IfNoneMatch: "*" }));
    expect(await second).toMatchObject({ name: "PreconditionFailed", status: 412 });
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "taken" }))).ContentLength).toBe(5);
  });
});

describe("uploads in progress", () => {
  it("lists parts and uploads in pages, and forgets an aborted upload", async () => {
    const own = await makeBucket(s3);
    const start = async (Key: string) =>
      (await s3.send(new CreateMultipartUploadCommand({ Bucket: own, Key }))).UploadId!;
    const ids = [await start("a"), await start("a"), await start("b/c")];
    const Body = bytes(10);
    for (const PartNumber of [3, 1, 2]) {
      await s3.send(new UploadPartCommand({ Bucket: own, Key: "a", UploadId: ids[0], PartNumber, Body }));
    }
    const listParts = (more: object) =>
      s3.send(new ListPartsCommand({ Bucket: own, Key: "a", UploadId: ids[0], MaxParts: 2, ...more }));
    const first = await listParts({});
    expect(first.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
    const rest = await listParts({ PartNumberMarker: first.NextPartNumberMarker });
    expect([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated]).toEqual([[3], false]);

    const seen: (string | undefined)[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (let more = true; more; ) {
      const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: own, MaxUploads: 1, ...markers }));
      seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      more = page.IsTruncated === true;
    }
    expect(seen).toEqual(ids);
    const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket: own, Delimiter: "/" }));
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: "b/" }]);

    await s3.send(new AbortMultipartUploadCommand({ Bucket: own, Key: "a", UploadId: ids[0] }));
    expect(await failure(listParts({}))).toMatchObject({ name: "NoSuchUpload", status: 404 });
  });
});
