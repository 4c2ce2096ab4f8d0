import { createHash } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, fetchSigned, makeBucket, openToAll, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
let Bucket: string;
beforeAll(async () => {
  s3 = s3Client(emulator.current);
  Bucket = await makeBucket(s3);
});

const url = (key: string) => `${emulator.current.endpoint}/${Bucket}/${key}`;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const put = (Key: string, Body: string | Uint8Array, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = async (Key: string, more: object = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...answer, text: Buffer.from((await answer.Body?.transformToByteArray()) ?? []).toString("utf8") };
};

describe("storing and reading objects", () => {
  it("gives back every byte of any body under any key", async () => {
    const keys = fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter((key) => {
      // HTTP clients resolve dot segments; XML and URLs carry no lone surrogates.
      return key.isWellFormed() && key.split("/").every((part) => part !== "." && part !== "..");
    });
    await fc.assert(
      fc.asyncProperty(keys, fc.uint8Array({ maxLength: 5000 }), async (Key, bytes) => {
        const { ETag } = await put(Key, bytes);
        expect(ETag).toBe(`"${createHash("md5").update(bytes).digest("hex")}"`);
        const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        expect(ContentLength).toBe(bytes.length);
        expect(sha256(await Body!.transformToByteArray())).toBe(sha256(bytes));
      }),
      { numRuns: 40 },
    );
  });

  it("gives exactly the bytes of any range", async () => {
    const bytes = Uint8Array.from({ length: 997 }, (_, index) => (index * 7) % 256);
    await put("ranged", bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(996), fc.nat(1200), async (first, length) => {
        const { Body, ContentRange, $metadata } = await s3.send(
          new GetObjectCommand({ Bucket, Key: "ranged", Range: `bytes=${first}-${first + length}` }),
        );
        const expected = bytes.subarray(first, first + length + 1);
        expect(sha256(await Body!.transformToByteArray())).toBe(sha256(expected));
        expect($metadata.httpStatusCode).toBe(206);
        expect(ContentRange).toBe(`bytes ${first}-${first + expected.length - 1}/997`);
      }),
      { numRuns: 40 },
    );
  });

  it("reads the end of an object by a suffix range, and an open range", async () => {
    await put("digits", "0123456789");
    expect((await read("digits", { Range: "bytes=-3" })).text).toBe("789");
    expect((await read("digits", { Range: "bytes=-30" })).text).toBe("0123456789");
    expect((await read("digits", { Range: "bytes=7-" })).text).toBe("789");
  });

  it("answers 416 for a range behind the end and ignores what is no range", async () => {
    await put("digits", "0123456789");
    expect(await failure(read("digits", { Range: "bytes=10-" }))).toMatchObject({ name: "InvalidRange", status: 416 });
    const odd = await read("digits", { Range: "lines=1-2" });
    expect(odd).toMatchObject({ text: "0123456789", $metadata: { httpStatusCode: 200 } });
  });

  it("keeps system headers and user metadata, and lets a signed reader override them", async () => {
    await put("described", "{}", {
      ContentType: "application/json",
      CacheControl: "max-age=60",
      ContentDisposition: "attachment",
      ContentEncoding: "identity",
      ContentLanguage: "fi",
      Expires: new Date("2031-01-01T00:00:00Z"),
      Metadata: { device: "abc", Site: "north" },
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "described" }));
    expect(head).toMatchObject({
      ContentType: "application/json",
      CacheControl: "max-age=60",
      ContentDisposition: "attachment",
      ContentEncoding: "identity",
      ContentLanguage: "fi",
      ContentLength: 2,
      ExpiresString: "Wed, 01 Jan 2031 00:00:00 GMT",
      Metadata: { device: "abc", site: "north" },
      ServerSideEncryption: "AES256",
    });
    const overridden = await read("described", { ResponseContentType: "text/plain", ResponseCacheControl: "no-store" });
    expect(overridden).toMatchObject({ ContentType: "text/plain", CacheControl: "no-store", text: "{}" });
  });

  it("lets nobody override headers who signs no request", async () => {
    const own = await makeBucket(s3);
    await openToAll(s3, own);
    await s3.send(new PutObjectCommand({ Bucket: own, Key: "open", Body: "{}" }));
    const address = `${emulator.current.endpoint}/${own}/open`;
    expect((await fetch(address)).status).toBe(200);
    expect((await fetch(`${address}?response-content-type=text/plain`)).status).toBe(400);
  });

  it.each(["attachment; filename=a\u2013b.txt", "a\r\nb: c", "\u0000"])(
    "refuses to answer with the header %j, which HTTP cannot carry",
    async (ResponseContentDisposition) => {
      await put("plain", "text");
      expect(await failure(read("plain", { ResponseContentDisposition }))).toMatchObject({
        name: "InvalidArgument",
        status: 400,
        message: "Header value cannot be represented using ISO-8859-1.",
      });
    },
  );

  it("stores the default content type where none is sent", async () => {
    await fetchSigned(url("untyped"), { method: "PUT", body: Buffer.from("x") });
    expect((await read("untyped")).ContentType).toBe("binary/octet-stream");
  });

  it("refuses a key of more than 1,024 bytes and metadata of more than 2 KB", async () => {
    expect(await failure(put("ä".repeat(513), "x"))).toMatchObject({ name: "KeyTooLongError", status: 400 });
    const large = failure(put("meta", "x", { Metadata: { a: "x".repeat(2048) } }));
    expect(await large).toMatchObject({ name: "MetadataTooLarge", status: 400 });
  });

  it("serves a virtual-host address", async () => {
    const own = await makeBucket(s3);
    await openToAll(s3, own);
    await s3.send(new PutObjectCommand({ Bucket: own, Key: "hosted/file", Body: "by host" }));
    const { port } = new URL(emulator.current.endpoint);
    const { request } = await import("node:http");
    const text = await new Promise<string>((resolve, reject) => {
      request({ port, path: "/hosted/file", headers: { host: `${own}.s3.localhost:${port}` } }, (response) => {
        response.setEncoding("utf8").on("data", resolve);
      })
        .on("error", reject)
        .end();
    });
    expect(text).toBe("by host");
  });

  it("takes 10 MB at once and gives it back unchanged", async () => {
    const bytes = Buffer.alloc(10_000_000, "0123456789abcdef-");
    await put("large", bytes);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "large" }));
    expect(sha256(await Body!.transformToByteArray())).toBe(sha256(bytes));
  });
});

describe("conditions", () => {
  it("answers 304 to a reader who has the object already, with its entity tag", async () => {
    const { ETag } = await put("cached", "v1");
    const same = await fetchSigned(url("cached"), { headers: { "if-none-match": ETag! } });
    expect(same.status).toBe(304);
    expect(same.headers.get("etag")).toBe(ETag);
    const since = new Date(emulator.current.clock.now()).toUTCString();
    expect((await fetchSigned(url("cached"), { headers: { "if-modified-since": since } })).status).toBe(304);
    expect((await fetchSigned(url("cached"), { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it("answers 412 when the object is not what the reader expects", async () => {
    await put("guarded", "v1");
    const mismatch = failure(read("guarded", { IfMatch: '"other"' }));
    expect(await mismatch).toMatchObject({ name: "PreconditionFailed", status: 412 });
    const stale = failure(read("guarded", { IfUnmodifiedSince: new Date("2020-01-01") }));
    expect(await stale).toMatchObject({ status: 412 });
  });

  it("creates an object only once with If-None-Match: *", async () => {
    await put("once", "first", { IfNoneMatch: "*" });
    const second = failure(put("once", "second", { IfNoneMatch: "*" }));
    expect(await second).toMatchObject({ name: "PreconditionFailed", status: 412 });
    expect((await read("once")).text).toBe("first");
  });

  it("lets exactly one of many concurrent writers create an object", async () => {
    const write = () => fetchSigned(url("raced"), { method: "PUT", body: "x", headers: { "if-none-match": "*" } });
    const answers = await Promise.all(Array.from({ length: 12 }, write));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(11).fill(412)]);
  });

  it("replaces an object only while it is the one named by If-Match", async () => {
    const { ETag } = await put("swap", "one");
    await put("swap", "two", { IfMatch: ETag });
    expect(await failure(put("swap", "three", { IfMatch: ETag }))).toMatchObject({ status: 412 });
    expect(await failure(put("absent", "x", { IfMatch: ETag }))).toMatchObject({ name: "NoSuchKey", status: 404 });
    expect((await read("swap")).text).toBe("two");
  });
});

describe("integrity", () => {
  it.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
    "verifies and gives back a %s checksum",
    async (ChecksumAlgorithm) => {
      const Key = `sum-${ChecksumAlgorithm}`;
      const written = await put(Key, "123456789", { ChecksumAlgorithm });
      const member = `Checksum${ChecksumAlgorithm}` as const;
      expect(written[member]).toBeTruthy();
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect(head[member]).toBe(written[member]);
      expect(head.ChecksumType).toBe("FULL_OBJECT");
      // The SDK verifies the body against the checksum that came with it.
      expect((await read(Key, { ChecksumMode: "ENABLED" })).text).toBe("123456789");
    },
  );

  it("knows the published check values of the CRCs", async () => {
    const value = async (algorithm: "CRC32" | "CRC32C" | "CRC64NVME") => {
      const answer = await put("check", "123456789", { ChecksumAlgorithm: algorithm });
      return Buffer.from(answer[`Checksum${algorithm}`] ?? "", "base64").toString("hex");
    };
    expect(await value("CRC32")).toBe("cbf43926");
    expect(await value("CRC32C")).toBe("e3069283");
    expect(await value("CRC64NVME")).toBe("ae8b14860a799888");
  });

  it.each([
    ["sha512", createHash("sha512").digest("hex")],
    ["md5", "d41d8cd98f00b204e9800998ecf8427e"],
    ["xxhash64", "ef46db3751d8e999"],
    ["xxhash3", "2d06800538d394c2"],
    ["xxhash128", "99aa06d3014798d86001c324468d497f"],
  ])("knows the published %s of nothing, and refuses any other", async (algorithm, digest) => {
    const send = (value: Buffer) => {
      const headers = { [`x-amz-checksum-${algorithm}`]: value.toString("base64") };
      return fetchSigned(url("empty"), { method: "PUT", body: "", headers });
    };
    const bytes = Buffer.from(digest, "hex");
    expect((await send(bytes)).status).toBe(200);
    expect((await send(Buffer.alloc(bytes.length))).status).toBe(400);
  });

  it("stores a CRC64NVME where the writer sends no checksum", async () => {
    const response = await fetchSigned(url("plain"), { method: "PUT", body: "123456789" });
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(
      Buffer.from("ae8b14860a799888", "hex").toString("base64"),
    );
  });

  it("refuses a body that is not what its checksum says, and keeps the old object", async () => {
    await put("intact", "good");
    const headers = { "x-amz-checksum-crc32": Buffer.from("cbf43926", "hex").toString("base64") };
    const response = await fetchSigned(url("intact"), { method: "PUT", body: "damaged", headers });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>BadDigest</Code>");
    expect((await read("intact")).text).toBe("good");
  });

  it("verifies a checksum that comes in the trailer of a chunked upload", async () => {
    const send = (crc: string) =>
      fetchSigned(url("trailed"), {
        method: "PUT",
        headers: {
          "content-encoding": "aws-chunked",
          "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          "x-amz-trailer": "x-amz-checksum-crc32",
        },
        body: `9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:${Buffer.from(crc, "hex").toString("base64")}\r\n\r\n`,
      });
    expect((await send("00000000")).status).toBe(400);
    expect((await send("cbf43926")).status).toBe(200);
    const { text, ContentEncoding } = await read("trailed");
    expect([text, ContentEncoding]).toEqual(["123456789", undefined]);
  });

  it("verifies Content-MD5", async () => {
    const send = (md5: string) =>
      fetchSigned(url("md5"), { method: "PUT", body: "hello", headers: { "content-md5": md5 } });
    expect(await (await send("bm90IGEgZGlnZXN0")).text()).toContain("<Code>InvalidDigest</Code>");
    const wrong = await send(createHash("md5").update("other").digest("base64"));
    expect(await wrong.text()).toContain("<Code>BadDigest</Code>");
    expect((await send(createHash("md5").update("hello").digest("base64"))).status).toBe(200);
  });
});

describe("copying objects", () => {
  it("copies bytes, metadata and tags from any key", async () => {
    const Key = "from here/ä+ö & co.txt";
    await put(Key, "copied", { Metadata: { a: "1" }, Tagging: "team=iot", ContentType: "text/plain" });
    const CopySource = `${Bucket}/${Key.split("/").map(encodeURIComponent).join("/")}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
    expect(await read("copy")).toMatchObject({
      text: "copied",
      Metadata: { a: "1" },
      ContentType: "text/plain",
      TagCount: 1,
    });
  });

  it("replaces metadata and tags when told to", async () => {
    await put("original", "x", { Metadata: { a: "1" }, Tagging: "team=iot" });
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: "original",
        CopySource: `${Bucket}/original`,
        MetadataDirective: "REPLACE",
        Metadata: { b: "2" },
        TaggingDirective: "REPLACE",
        Tagging: "stage=prod",
      }),
    );
    expect((await read("original")).Metadata).toEqual({ b: "2" });
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "original" }));
    expect(TagSet).toEqual([{ Key: "stage", Value: "prod" }]);
  });

  it("refuses to copy an object onto itself without a change, and honours conditions on the source", async () => {
    const { ETag } = await put("self", "x");
    const copy = (more: object) =>
      s3.send(new CopyObjectCommand({ Bucket, Key: "self", CopySource: `${Bucket}/self`, ...more }));
    expect(await failure(copy({}))).toMatchObject({ name: "InvalidRequest", status: 400 });
    expect(await failure(copy({ StorageClass: "STANDARD_IA", CopySourceIfNoneMatch: ETag }))).toMatchObject({
      status: 412,
    });
    await copy({ StorageClass: "STANDARD_IA" });
    expect((await read("self")).StorageClass).toBe("STANDARD_IA");
  });
});

describe("tags, attributes and deletes", () => {
  it("sets, reads and removes an object's tags", async () => {
    await put("tagged", "x");
    const TagSet = [{ Key: "site", Value: "north" }];
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet } }));
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "tagged" }))).TagSet).toEqual(TagSet);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: "tagged" }));
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "tagged" }))).TagSet).toEqual([]);
    const eleven = Array.from({ length: 11 }, (_, index) => ({ Key: `k${index}`, Value: "" }));
    const tooMany = s3.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: eleven } }));
    expect(await failure(tooMany)).toMatchObject({ name: "BadRequest", status: 400 });
  });

  it("tells an object's attributes", async () => {
    const { ETag, ChecksumCRC32 } = await put("attributes", "12345", { ChecksumAlgorithm: "CRC32" });
    const ObjectAttributes = ["ETag", "Checksum", "ObjectSize", "StorageClass"] as const;
    const found = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: "attributes", ObjectAttributes: [...ObjectAttributes] }),
    );
    expect(found).toMatchObject({
      ETag: ETag?.replaceAll('"', ""),
      ObjectSize: 5,
      StorageClass: "STANDARD",
      Checksum: { ChecksumCRC32 },
    });
  });

  it("deletes one and many objects, also those that are not there", async () => {
    for (const key of ["gone-1", "gone-2"]) await put(key, "x");
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "gone-1" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "never-was" }));
    const Objects = [{ Key: "gone-2" }, { Key: "never-was" }];
    const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(["gone-2", "never-was"]);
    expect(Errors).toBeUndefined();
    expect(await failure(read("gone-1"))).toMatchObject({ name: "NoSuchKey", status: 404 });
    const head = s3.send(new HeadObjectCommand({ Bucket, Key: "gone-2" }));
    expect(await failure(head)).toMatchObject({ name: "NotFound", status: 404 });
  });

  it("deletes only the object that If-Match names", async () => {
    await put("conditional", "x");
    const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ Bucket, Key: "conditional", IfMatch }));
    expect(await failure(remove('"other"'))).toMatchObject({ status: 412 });
    await remove("*");
    expect(await failure(remove("*"))).toMatchObject({ status: 404 });
  });
});
