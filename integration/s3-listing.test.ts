import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { failure, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3Client;
let Bucket: string;

const keys = [
  ...["a", "a/", "a/b", "a/b/c", "a/b/d", "a0", "ab", "b", "b//c", "b/c", "b/c/d", "photos/2026/06/1.jpg"],
  ...["photos/2026/06/2.jpg", "photos/2026/07/1.jpg", "photos/index", "z z/ä", "z z/ö+&", "é", "\ufffd", "😀", "😀/x"],
];
const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

beforeAll(async () => {
  s3 = s3Client(emulator.current);
  Bucket = await makeBucket(s3);
  const shuffled = [...keys].sort((a, b) => a.length - b.length);
  for (const Key of shuffled) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});

interface Expected {
  keys: string[];
  prefixes: string[];
}

/** What a listing must give, from a plain array. */
function reference(all: readonly string[], prefix: string, delimiter: string): Expected {
  const found: Expected = { keys: [], prefixes: [] };
  for (const key of all.filter((candidate) => candidate.startsWith(prefix))) {
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (end < 0) found.keys.push(key);
    else found.prefixes.push(key.slice(0, end + delimiter.length));
  }
  return { keys: found.keys, prefixes: [...new Set(found.prefixes)] };
}

const prefixes = fc.constantFrom("", "a", "a/", "a/b", "b/", "photos/", "photos/2026/0", "z z/", "😀", "nothing");
const delimiters = fc.constantFrom("", "/", "b", "/0", "2026");
const pageSizes = fc.integer({ min: 1, max: 8 });

describe("listing objects", () => {
  it("gives, page by page, exactly the keys and common prefixes of a plain list (version 2)", async () => {
    await fc.assert(
      fc.asyncProperty(prefixes, delimiters, pageSizes, async (Prefix, Delimiter, MaxKeys) => {
        const got: Expected = { keys: [], prefixes: [] };
        let ContinuationToken: string | undefined;
        do {
          const page = await s3.send(
            new ListObjectsV2Command({ Bucket, Prefix, Delimiter, MaxKeys, ContinuationToken }),
          );
          expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
          expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
          got.keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
          got.prefixes.push(...(page.CommonPrefixes ?? []).map((common) => common.Prefix!));
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken);
        expect(got).toEqual(reference(byBytes, Prefix, Delimiter));
      }),
      { numRuns: 80 },
    );
  });

  it("gives the same by markers (version 1)", async () => {
    await fc.assert(
      fc.asyncProperty(prefixes, delimiters, pageSizes, async (Prefix, Delimiter, MaxKeys) => {
        const got: Expected = { keys: [], prefixes: [] };
        for (let Marker: string | undefined, more = true; more; ) {
          const page = await s3.send(new ListObjectsCommand({ Bucket, Prefix, Delimiter, MaxKeys, Marker }));
          got.keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
          got.prefixes.push(...(page.CommonPrefixes ?? []).map((common) => common.Prefix!));
          more = page.IsTruncated === true;
          Marker = page.NextMarker ?? page.Contents?.at(-1)?.Key;
        }
        expect(got).toEqual(reference(byBytes, Prefix, Delimiter));
      }),
      { numRuns: 40 },
    );
  });

  it("starts after any key, present or not, and rolls up what is left", async () => {
    const starts = fc.oneof(fc.constantFrom(...keys), fc.string({ minLength: 1, maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(starts, delimiters, async (StartAfter, Delimiter) => {
        const page = await s3.send(new ListObjectsV2Command({ Bucket, StartAfter, Delimiter }));
        const behind = byBytes.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(StartAfter)) > 0);
        const got = {
          keys: (page.Contents ?? []).map(({ Key }) => Key),
          prefixes: (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        };
        expect(got).toEqual(reference(behind, "", Delimiter));
      }),
      { numRuns: 40 },
    );
  });

  it("encodes names when asked to, and names the owner when asked to", async () => {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "z z/", EncodingType: "url", FetchOwner: true }),
    );
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(["z+z/%C3%A4", "z+z/%C3%B6%2B%26"]);
    expect(page.Prefix).toBe("z+z/");
    expect(page.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    const plain = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "z z/" }));
    expect(plain.Contents?.[0]?.Owner).toBeUndefined();
  });

  it("gives nothing and no next page for a page size of 0", async () => {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect(page).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it("refuses page sizes, tokens and encodings that there are not", async () => {
    const list = (more: object) => failure(s3.send(new ListObjectsV2Command({ Bucket, ...more })));
    for (const more of [{ MaxKeys: -1 }, { ContinuationToken: "made up" }, { EncodingType: "rot13" }]) {
      expect(await list(more)).toMatchObject({ name: "InvalidArgument", status: 400 });
    }
  });
});

describe("listing many objects", () => {
  it("lists hundreds of keys in order, however they came and went", async () => {
    const large = await makeBucket(s3);
    const names = Array.from({ length: 700 }, (_, index) => `k/${(index * 7919) % 701}/${index % 7}`);
    for (let start = 0; start < names.length; start += 50) {
      const batch = names.slice(start, start + 50);
      await Promise.all(batch.map((Key) => s3.send(new PutObjectCommand({ Bucket: large, Key, Body: "x" }))));
    }
    const gone = names.filter((_, index) => index % 3 === 0);
    const Objects = gone.map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: large, Delete: { Objects, Quiet: true } }));
    const listed: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: large, MaxKeys: 400, ContinuationToken }));
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key!));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(listed).toEqual(names.filter((_, index) => index % 3 !== 0).sort());
    const folders = await s3.send(new ListObjectsV2Command({ Bucket: large, Prefix: "k/1", Delimiter: "/" }));
    expect(folders.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(
      reference(listed, "k/1", "/").prefixes.slice(0, 1000),
    );
  });
});

describe("listing versions", () => {
  it("gives every version and delete marker once, newest first, whatever the page size", async () => {
    const versioned = await makeBucket(s3);
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }));
    const expected: string[] = [];
    for (const Key of ["a", "b/1", "c"]) {
      const ids: (string | undefined)[] = [];
      for (const Body of ["1", "2"]) {
        ids.unshift((await s3.send(new PutObjectCommand({ Bucket: versioned, Key, Body }))).VersionId);
      }
      ids.unshift((await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key }))).VersionId);
      expected.push(...ids.map((id) => `${Key} ${id}`));
    }
    for (const MaxKeys of [1, 2, 3, 4, 100]) {
      const got: string[] = [];
      let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
      for (let more = true; more; ) {
        const page = await s3.send(new ListObjectVersionsCommand({ Bucket: versioned, MaxKeys, ...markers }));
        // The two lists of a page come apart; within one key the markers of this test are the newest.
        const entries = [...(page.DeleteMarkers ?? []), ...(page.Versions ?? [])];
        got.push(...entries.map(({ Key, VersionId }) => `${Key} ${VersionId}`));
        markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        more = page.IsTruncated === true;
      }
      expect([...got].sort()).toEqual([...expected].sort());
      if (MaxKeys === 1) expect(got).toEqual(expected);
    }
    expect((await s3.send(new ListObjectsV2Command({ Bucket: versioned }))).KeyCount).toBe(0);
  });
});
