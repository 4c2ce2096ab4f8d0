import { request } from "node:http";
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const s3 = () => new S3Client({ ...settings(emulator.current), forcePathStyle: true });

const authorization =
  "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/** A request with a Host header of its own, which fetch does not allow. */
function ask(path: string, headers: Record<string, string>, method = "GET") {
  return new Promise<{ status?: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { port } = emulator.current;
    request({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body });
    })
      .on("error", reject)
      .end();
  });
}

beforeAll(async () => {
  const CreateBucketConfiguration = { LocationConstraint: "eu-west-1" } as const;
  await s3().send(new CreateBucketCommand({ Bucket: "photos", CreateBucketConfiguration }));
  await s3().send(new PutObjectCommand({ Bucket: "photos", Key: "a b/ü.txt", Body: "hello" }));
});

describe("an S3 address", () => {
  it.each([
    "photos.s3.localhost",
    "photos.localhost:4566",
    "photos.s3.eu-west-1.amazonaws.com",
    "photos.s3-eu-west-1.amazonaws.com",
  ])("finds the bucket in the host %s", async (host) => {
    const { status, body } = await ask("/a%20b/%C3%BC.txt", { host, authorization });
    expect([status, body]).toEqual([200, "hello"]);
  });

  it("is refused with InvalidURI when the bucket is not valid percent-encoding", async () => {
    const { status, body } = await ask("/%E0%A4%A/x", { authorization });
    expect([status, body]).toEqual([400, expect.stringContaining("<Code>InvalidURI</Code>")]);
  });

  it("is refused with InvalidArgument when a number is none", async () => {
    const { status, body } = await ask("/photos?list-type=2&max-keys=abc", { authorization });
    expect([status, body]).toEqual([400, expect.stringContaining("<Code>InvalidArgument</Code>")]);
  });

  it("ignores a condition whose date cannot be read", async () => {
    const { status } = await ask("/photos/a%20b/%C3%BC.txt", { authorization, "if-modified-since": "yesterday" });
    expect(status).toBe(200);
  });
});

describe("a web page of another origin", () => {
  const origin = "https://app.example.com";
  const preflight = { origin, "access-control-request-method": "PUT" };

  it("may do what the bucket's CORS configuration says, and no more", async () => {
    expect((await ask("/photos/x", preflight, "OPTIONS")).status).toBe(403);
    const CORSRules = [{ AllowedOrigins: [origin], AllowedMethods: ["PUT", "GET"] }];
    await s3().send(new PutBucketCorsCommand({ Bucket: "photos", CORSConfiguration: { CORSRules } }));
    const allowed = await ask("/photos/x", preflight, "OPTIONS");
    expect([allowed.status, allowed.headers["access-control-allow-origin"]]).toEqual([200, origin]);
    expect((await ask("/photos/x", { ...preflight, origin: "https://evil.example" }, "OPTIONS")).status).toBe(403);
  });

  it("can read the error of a request that failed", async () => {
    const { status, headers } = await ask("/photos/missing", { authorization, origin });
    expect([status, headers["access-control-allow-origin"]]).toEqual([404, origin]);
    await expect(s3().send(new GetObjectCommand({ Bucket: "photos", Key: "missing" }))).rejects.toThrow();
  });
});
