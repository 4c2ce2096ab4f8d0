import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { adminRole } from "./harness/permissions";
import { type MethodSetup, outcome, RestApiBuilder } from "./harness/rest-api";

// Both tables of https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
const emulator = useEmulator();
let client: APIGatewayClient;
let s3: S3Client;
let role: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
  role = await adminRole(client);
  for (const Bucket of ["box", "private"]) await s3.send(new CreateBucketCommand({ Bucket }));
});

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0x00, 0x80]);
const damaged = Buffer.from(png.toString("utf8"));
const text = Buffer.from("aGVsbG8gw6Q=");
const decoded = Buffer.from("hello ä");
const base64 = (bytes: Buffer) => Buffer.from(bytes.toString("base64"));

type Handling = "CONVERT_TO_BINARY" | "CONVERT_TO_TEXT" | undefined;
const handlings: Handling[] = [undefined, "CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];

/** A service integration that puts the body into a bucket, under the last part of the path. */
const toS3 = (integration: MethodSetup["integration"] = {}): MethodSetup => ({
  method: {
    requestParameters: { "method.request.path.key": true, "method.request.header.Content-Type": false },
  },
  integration: {
    type: "AWS",
    integrationHttpMethod: "PUT",
    uri: "arn:aws:apigateway:eu-west-1:s3:path/box/{key}",
    credentials: role,
    ...integration,
    requestParameters: {
      "integration.request.path.key": "method.request.path.key",
      "integration.request.header.Content-Type": "method.request.header.Content-Type",
      ...integration.requestParameters,
    },
  },
});

const stored = async (Key: string, Bucket = "box") => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
};
const keys = async (Bucket = "box") => {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key);
};

/** One API with a method per content handling: `PUT /<handling>/{key}` stores, `GET /<handling>/{key}` fetches. */
async function deployed(binaryMediaTypes: string[] | undefined): Promise<string> {
  const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes });
  for (const contentHandling of handlings) {
    await api.add(`PUT /${contentHandling}/{key}`, toS3({ contentHandling }));
    const get = toS3({ integrationHttpMethod: "GET" });
    await api.add(`GET /${contentHandling}/{key}`, { ...get, responses: [{ contentHandling }] });
  }
  return api.deploy();
}

describe("what a client sends reaches S3", () => {
  const put = async (url: string, handling: Handling, key: string, type: string, body: Buffer) => {
    const response = await fetch(`${url}/${handling}/${key}`, {
      method: "PUT",
      headers: { "content-type": type },
      body: new Uint8Array(body),
    });
    return response.status === 200 ? stored(key) : response.status;
  };

  test("as text without binary media types, decoded from Base64 where the integration converts to binary", async () => {
    const url = await deployed(undefined);
    expect(await put(url, undefined, "a1", "image/png", png)).toEqual(damaged);
    expect(await put(url, undefined, "a2", "text/plain", text)).toEqual(text);
    expect(await put(url, "CONVERT_TO_BINARY", "a3", "image/png", base64(png))).toEqual(png);
    expect(await put(url, "CONVERT_TO_BINARY", "a4", "text/plain", text)).toEqual(decoded);
    expect(await put(url, "CONVERT_TO_TEXT", "a5", "image/png", png)).toEqual(damaged);
    expect(await put(url, "CONVERT_TO_TEXT", "a6", "text/plain", text)).toEqual(text);
    // What is no Base64 cannot be decoded: nothing is stored.
    expect(await put(url, "CONVERT_TO_BINARY", "a7", "text/plain", png)).toBe(500);
    expect(await keys()).not.toContain("a7");
  });

  test.each([["image/png"], ["image/*"]])("as bytes for the binary media type %s, as text for others", async (type) => {
    const url = await deployed([type]);
    expect(await put(url, undefined, "b1", "image/png", png)).toEqual(png);
    expect(await put(url, undefined, "b2", "image/png; q=1", png)).toEqual(png);
    expect(await put(url, undefined, "b3", "text/plain", text)).toEqual(text);
    expect(await put(url, undefined, "b4", "text/plain", png)).toEqual(damaged);
    expect(await put(url, "CONVERT_TO_BINARY", "b5", "image/png", png)).toEqual(png);
    expect(await put(url, "CONVERT_TO_BINARY", "b6", "text/plain", text)).toEqual(decoded);
    expect(await put(url, "CONVERT_TO_TEXT", "b7", "image/png", png)).toEqual(base64(png));
    expect(await put(url, "CONVERT_TO_TEXT", "b8", "text/plain", text)).toEqual(text);
  });

  test("byte for byte with */*, up to 10 MB; one byte more is refused with 413 and not stored", async () => {
    const url = await deployed(["*/*"]);
    const largest = randomBytes(10 * 1024 * 1024);
    const sha = (body: Buffer) => createHash("sha256").update(body).digest("hex");
    const kept = await put(url, undefined, "c1", "text/plain", largest);
    expect(Buffer.isBuffer(kept) && sha(kept)).toBe(sha(largest));
    expect(await put(url, undefined, "c2", "text/plain", Buffer.concat([largest, png.subarray(0, 1)]))).toBe(413);
    expect(await keys()).not.toContain("c2");
    expect(await put(url, "CONVERT_TO_TEXT", "c3", "text/plain", png)).toEqual(base64(png));
  });
});

describe("what S3 answers reaches the client", () => {
  beforeAll(async () => {
    const objects: [string, string, Buffer][] = [
      ["picture", "image/png", png],
      ["note", "text/plain", text],
      ["plain", "text/plain", Buffer.from("no Base64!")],
    ];
    for (const [Key, ContentType, Body] of objects) {
      await s3.send(new PutObjectCommand({ Bucket: "box", Key, ContentType, Body }));
    }
  });
  const get = async (url: string, handling: Handling, key: string, accept: string) => {
    const response = await fetch(`${url}/${handling}/${key}`, { headers: { accept } });
    return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : response.status;
  };

  test("as text without binary media types, decoded where the response converts to binary", async () => {
    const url = await deployed(undefined);
    expect(await get(url, undefined, "picture", "image/png")).toEqual(damaged);
    expect(await get(url, undefined, "note", "text/plain")).toEqual(text);
    expect(await get(url, "CONVERT_TO_BINARY", "note", "text/plain")).toEqual(decoded);
    expect(await get(url, "CONVERT_TO_BINARY", "plain", "text/plain")).toBe(500);
    expect(await get(url, "CONVERT_TO_TEXT", "picture", "text/plain")).toEqual(damaged);
  });

  test("by its own type, what the client accepts first, and the content handling", async () => {
    const url = await deployed(["image/png"]);
    const table: [key: string, accept: string, Handling, Buffer | number][] = [
      ["note", "text/plain", undefined, text],
      ["note", "text/plain", "CONVERT_TO_BINARY", decoded],
      ["note", "text/plain", "CONVERT_TO_TEXT", text],
      ["note", "image/png", undefined, decoded],
      ["note", "image/png", "CONVERT_TO_BINARY", decoded],
      ["note", "image/png", "CONVERT_TO_TEXT", text],
      ["plain", "image/png", undefined, 500],
      ["picture", "text/plain", undefined, base64(png)],
      ["picture", "text/plain", "CONVERT_TO_BINARY", png],
      ["picture", "text/plain", "CONVERT_TO_TEXT", base64(png)],
      ["picture", "image/png", undefined, png],
      ["picture", "image/png", "CONVERT_TO_BINARY", png],
      ["picture", "image/png", "CONVERT_TO_TEXT", base64(png)],
      ["picture", "image/png, text/plain", undefined, png],
      ["picture", "text/plain, image/png", undefined, base64(png)],
    ];
    for (const [key, accept, handling, expected] of table) {
      const label = `${key} as ${accept} with ${handling}`;
      expect([label, await get(url, handling, key, accept)]).toEqual([label, expected]);
    }
  });

  test("byte for byte with */*", async () => {
    const url = await deployed(["*/*"]);
    expect(await get(url, undefined, "picture", "text/plain")).toEqual(png);
    expect(await get(url, undefined, "plain", "text/plain")).toEqual(Buffer.from("no Base64!"));
  });
});

test("*/* breaks a MOCK method, which converting to text mends", async () => {
  const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes: ["*/*"] });
  await api.add("OPTIONS /broken");
  await api.add("OPTIONS /mended", { integration: { contentHandling: "CONVERT_TO_TEXT" } });
  const url = await api.deploy();
  const options = async (path: string) => (await fetch(`${url}/${path}`, { method: "OPTIONS" })).status;
  expect(await options("broken")).toBe(500);
  expect(await options("mended")).toBe(200);
});

describe("a mailbox in S3", () => {
  let url: string;
  beforeAll(async () => {
    const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes: ["*/*"] });
    const refused = { statusCode: "502", selectionPattern: "[45]\\d{2}" };
    const post = (bucket: string, credentials = role): MethodSetup => ({
      method: { requestParameters: { "method.request.header.Content-Type": false } },
      integration: {
        type: "AWS",
        integrationHttpMethod: "PUT",
        uri: "arn:aws:apigateway:eu-west-1:s3:path/{bucket}/{key}",
        credentials,
        requestParameters: {
          "integration.request.path.bucket": `'${bucket}'`,
          "integration.request.path.key": "context.requestId",
          "integration.request.header.Content-Type": "method.request.header.Content-Type",
          "integration.request.header.x-amz-meta-source-ip": "context.identity.sourceIp",
          "integration.request.header.x-amz-meta-stage": "context.stage",
          "integration.request.header.x-amz-meta-kind": "'letter'",
        },
      },
      responses: [{ responseParameters: { "method.response.header.x-id": "context.requestId" } }, refused],
    });
    await api.add("POST /letters", post("box"));
    await api.add("POST /lost", post("nowhere"));
    await api.add("POST /nobody", post("box", "arn:aws:iam::000000000000:role/nobody"));
    await api.add("PUT /files/{key+}", toS3());
    const named = { "integration.request.path.key": "method.request.querystring.name" };
    await api.add("PUT /named", toS3({ requestParameters: named }));
    url = await api.deploy();
  });
  const send = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/${path}`, { method: "POST", headers, body: new Uint8Array(png) });

  test("names each letter by its request id and keeps its type and metadata", async () => {
    const response = await send("letters", { "content-type": "application/x-own; v=1" });
    expect(response.status).toBe(200);
    const Key = response.headers.get("x-amzn-requestid")!;
    expect(await stored(Key)).toEqual(png);
    const { ContentType, Metadata } = await s3.send(new HeadObjectCommand({ Bucket: "box", Key }));
    expect(ContentType).toBe("application/x-own; v=1");
    expect(Metadata).toEqual({ "source-ip": "127.0.0.1", stage: "prod", kind: "letter" });
  });

  test("answers S3's refusal by the pattern of its status, and 500 where there is no such role", async () => {
    expect(await outcome(send("lost"))).toMatchObject({ status: 502 });
    const before = await keys();
    expect((await send("nobody")).status).toBe(500);
    expect(await keys()).toEqual(before);
  });

  /** Sends a path as it stands: `fetch` would resolve `..` itself. */
  const put = async (path: string) => {
    const { hostname, port, pathname } = new URL(url);
    const sent = request({ hostname, port, path: `${pathname}/${path}`, method: "PUT" }).end(png);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  test("takes what a path or a query holds for a key, never for another bucket or operation", async () => {
    for (const path of ["files/2026/11/a%20b.bin", "files/x%3Facl", "files/y%23z", "named?name=q%3Facl%23r"]) {
      expect(await put(path)).toBe(200);
    }
    expect(await keys()).toEqual(expect.arrayContaining(["2026/11/a b.bin", "q?acl#r", "x?acl", "y#z"]));
    const climbing = ["..%2Fprivate%2Fa", "%2E%2E/private/b", "../private/c", "d%2F..%2F..%2Fprivate%2Fe"];
    for (const path of climbing.flatMap((one) => [`files/${one}`, `named?name=${one}`])) await put(path);
    expect(await keys("private")).toEqual([]);
    expect(await keys()).toEqual(expect.arrayContaining(["../private/a", "d/../../private/e"]));
    expect(await put("named?name=..")).toBe(500);
  });
});

test.each([
  ["NEVER", undefined, "text/plain", 415],
  ["WHEN_NO_TEMPLATES", undefined, "text/plain", 200],
  ["WHEN_NO_TEMPLATES", "application/json", "text/plain", 415],
  ["WHEN_NO_MATCH", "application/json", "text/plain", 200],
  ["NEVER", "text/plain", "text/plain", 200],
])("%s with a template for %s answers %s with %s", async (passthroughBehavior, template, type, status) => {
  const api = await RestApiBuilder.create(client, emulator.current);
  const requestTemplates = template ? { [template]: "$input.body" } : undefined;
  await api.add("PUT /{key}", toS3({ passthroughBehavior, requestTemplates }));
  const url = await api.deploy();
  const key = `${passthroughBehavior}-${template?.replace("/", "-")}`;
  const response = await fetch(`${url}/${key}`, { method: "PUT", headers: { "content-type": type }, body: "hi" });
  expect(response.status).toBe(status);
  expect((await keys()).includes(key)).toBe(status === 200);
});
