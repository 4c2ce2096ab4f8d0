import { createHash, createHmac } from "node:crypto";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { IAM } from "@aws-sdk/client-iam";
import { Lambda } from "@aws-sdk/client-lambda";
import { S3 } from "@aws-sdk/client-s3";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import type { DeserializeMiddleware, MiddlewareStack, SourceData } from "@smithy/types";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { answer, makeFunction } from "./harness/functions";
import { makeSession, makeUser, type Person, type User } from "./harness/identities";

const emulator = useEmulator();
const everything = { Effect: "Allow", Action: "*", Resource: "*" };

type Settings = Person["settings"] & { systemClockOffset?: number; signer?: typeof unsigned };
const unsigned = { sign: async <Request>(request: Request) => request };

/** Changes requests on their way, after they were signed. */
type Change = (request: { headers: Record<string, string>; body?: string | Uint8Array }) => void;

function tamper<In extends object, Out extends object>(stack: MiddlewareStack<In, Out>, change: Change = () => {}) {
  const middleware: DeserializeMiddleware<In, Out> = (next) => (args) => {
    change(args.request as Parameters<Change>[0]);
    return next(args);
  };
  stack.add(middleware, { step: "deserialize", priority: "high" });
}

/** For each protocol a call that has a body, in which `aaa` stands. */
const callers: Record<string, (from: Settings, change?: Change) => Promise<unknown>> = {
  dynamodb(from, change) {
    const client = new DynamoDB(from);
    tamper(client.middlewareStack, change);
    return client.listTables({ ExclusiveStartTableName: "aaa" });
  },
  sqs(from, change) {
    const client = new SQS(from);
    tamper(client.middlewareStack, change);
    return client.listQueues({ QueueNamePrefix: "aaa" });
  },
  lambda(from, change) {
    const client = new Lambda(from);
    tamper(client.middlewareStack, change);
    const version = { FunctionName: "signed", Description: "aaa" };
    return client.publishVersion(version);
  },
  iam(from, change) {
    const client = new IAM(from);
    tamper(client.middlewareStack, change);
    return client.listUsers({ PathPrefix: "/aaa/" });
  },
  sns(from, change) {
    const client = new SNS(from);
    tamper(client.middlewareStack, change);
    return client.createTopic({ Name: "aaa" });
  },
  s3(from, change) {
    const client = new S3({ ...from, forcePathStyle: true });
    tamper(client.middlewareStack, change);
    const object = { Bucket: "signed", Key: "a", Body: "aaa" };
    return client.putObject(object);
  },
};

type Outcome = readonly [code: string, status: number];
interface Refusals {
  readonly wrong: Outcome;
  readonly skewed: Outcome;
  readonly body: Outcome;
  readonly unknown: Outcome;
  readonly expired: Outcome;
  readonly missing: Outcome;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html, as each protocol has it. */
const inJson = (status: number): Refusals => ({
  wrong: ["InvalidSignatureException", status],
  skewed: ["InvalidSignatureException", status],
  body: ["InvalidSignatureException", status],
  unknown: ["UnrecognizedClientException", status],
  expired: ["ExpiredTokenException", status],
  missing: ["MissingAuthenticationTokenException", status],
});
const inQuery: Refusals = {
  wrong: ["SignatureDoesNotMatch", 403],
  skewed: ["SignatureDoesNotMatch", 403],
  body: ["SignatureDoesNotMatch", 403],
  unknown: ["InvalidClientTokenId", 403],
  expired: ["ExpiredToken", 403],
  missing: ["MissingAuthenticationToken", 403],
};
const refusals: Record<string, Refusals> = {
  dynamodb: inJson(400),
  lambda: inJson(403),
  iam: inQuery,
  sns: inQuery,
  // Speaks JSON, and has kept its codes.
  sqs: inQuery,
  s3: {
    wrong: ["SignatureDoesNotMatch", 403],
    skewed: ["RequestTimeTooSkewed", 403],
    body: ["XAmzContentSHA256Mismatch", 400],
    unknown: ["InvalidAccessKeyId", 403],
    expired: ["ExpiredToken", 400],
    missing: ["AccessDenied", 403],
  },
};

let user: User;
let iam: IAM;
beforeAll(async () => {
  const admin = settings(emulator.current);
  iam = new IAM(admin);
  await new S3({ ...admin, forcePathStyle: true }).createBucket({ Bucket: "signed" });
  await makeFunction(new Lambda(admin), "signed", answer(1));
});
beforeEach(async () => {
  user = await makeUser(emulator.current);
  await user.allow(everything);
});

const outcome = async (call: Promise<unknown>): Promise<Outcome> => {
  const error = await call.then(
    () => expect.fail("the call succeeded, though it should have failed"),
    (reason: Error & { $metadata: { httpStatusCode: number } }) => reason,
  );
  return [error.name, error.$metadata.httpStatusCode];
};

describe.each(Object.keys(callers))("%s", (service) => {
  const expected = refusals[service]!;
  const call = (from: Settings, change?: Change) => callers[service]!(from, change);

  it("takes what is signed with a key that IAM made", async () => {
    await call(user.settings);
  });

  it("refuses a wrong secret", async () => {
    const credentials = { ...user.settings.credentials, secretAccessKey: "x".repeat(40) };
    expect(await outcome(call({ ...user.settings, credentials }))).toEqual(expected.wrong);
  });

  it("refuses a header that was changed after signing", async () => {
    const change: Change = ({ headers }) => {
      headers["content-type"] += "; charset=utf-8";
    };
    expect(await outcome(call(user.settings, change))).toEqual(expected.wrong);
  });

  it("refuses a body that was changed after signing", async () => {
    const change: Change = (request) => {
      const text = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
      request.body = text.replace("aaa", "bbb");
    };
    expect(await outcome(call(user.settings, change))).toEqual(expected.body);
  });

  it.each([
    ["old", -20],
    ["early", 20],
  ])("refuses a signature that is too %s", async (_, minutes) => {
    const systemClockOffset = minutes * 60_000;
    expect(await outcome(call({ ...user.settings, systemClockOffset }))).toEqual(expected.skewed);
  });

  it("refuses a key that is inactive or deleted", async () => {
    const key = { UserName: user.name, AccessKeyId: user.settings.credentials.accessKeyId };
    await iam.updateAccessKey({ ...key, Status: "Inactive" });
    expect(await outcome(call(user.settings))).toEqual(expected.unknown);
    await iam.updateAccessKey({ ...key, Status: "Active" });
    await call(user.settings);
    await iam.deleteAccessKey(key);
    expect(await outcome(call(user.settings))).toEqual(expected.unknown);
  });

  it("refuses a session whose token is missing, and one that is over", async () => {
    const session = await makeSession(emulator.current, everything);
    await call(session.settings);
    const { accessKeyId, secretAccessKey } = session.settings.credentials;
    const credentials = { accessKeyId, secretAccessKey };
    expect(await outcome(call({ ...session.settings, credentials }))).toEqual(expected.unknown);
    await emulator.current.clock.advance("61 minutes");
    expect(await outcome(call(session.settings))).toEqual(expected.expired);
  });

  it("refuses a call without a signature", async () => {
    expect(await outcome(call({ ...user.settings, signer: unsigned }))).toEqual(expected.missing);
  });
});

it("says by how much a signature is too old", async () => {
  const late = callers.dynamodb!({ ...user.settings, systemClockOffset: -20 * 60_000 });
  await expect(late).rejects.toMatchObject({
    message: expect.stringMatching(
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    ),
  });
});

describe("a presigned URL", () => {
  const sha256 = class {
    private readonly hash;
    constructor(secret?: SourceData) {
      this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Uint8Array);
    }
    update(data: Uint8Array | string) {
      this.hash.update(data);
    }
    digest = async () => this.hash.digest();
    reset() {}
  };
  const presign = async (method: string, { credentials }: Person["settings"], key = "a") => {
    const { host, hostname, port } = new URL(emulator.current.endpoint);
    const signer = new SignatureV4({ service: "s3", region: "eu-west-1", credentials, uriEscapePath: false, sha256 });
    const request = { method, hostname, port: Number(port), protocol: "http:", path: `/signed/${key}`, query: {} };
    const unsignedBody = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const signingDate = new Date(emulator.current.clock.now());
    const signed = await signer.presign(
      { ...request, headers: { host, ...unsignedBody } },
      { expiresIn: 60, signingDate },
    );
    return `${emulator.current.endpoint}/signed/${key}?${new URLSearchParams(signed.query as Record<string, string>)}`;
  };
  const answerTo = async (url: string, init?: RequestInit) => {
    const response = await fetch(url, init);
    const text = await response.text();
    return [response.status, /<Code>(.*)<\/Code><Message>(.*)<\/Message>/s.exec(text)?.slice(1).join(": ") ?? text];
  };

  it("does what its signer may do, as long as the signer may", async () => {
    await callers.s3!(user.settings);
    const url = await presign("GET", user.settings);
    expect(await answerTo(url)).toEqual([200, "aaa"]);
    await user.allow();
    expect(await answerTo(url)).toEqual([
      403,
      expect.stringContaining("no identity-based policy allows the s3:GetObject"),
    ]);
  });

  it("is for its own method and key only", async () => {
    const url = await presign("GET", user.settings);
    const code = expect.stringContaining("SignatureDoesNotMatch");
    expect(await answerTo(url, { method: "DELETE" })).toEqual([403, code]);
    expect(await answerTo(url.replace("/signed/a", "/signed/b"))).toEqual([403, code]);
  });

  it("ends with its time, and with the session that signed it", async () => {
    const url = await presign("GET", user.settings);
    await emulator.current.clock.advance("61 seconds");
    expect(await answerTo(url)).toEqual([403, "AccessDenied: Request has expired"]);
    const session = await makeSession(emulator.current, everything);
    await emulator.current.clock.advance("3590 seconds");
    const late = await presign("GET", session.settings);
    expect(await answerTo(late)).toEqual([200, "aaa"]);
    await emulator.current.clock.advance("11 seconds");
    expect(await answerTo(late)).toEqual([400, "ExpiredToken: The provided token has expired."]);
  });
});
