import { createHash, createHmac } from "node:crypto";
import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let url: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  const lambda = new LambdaClient(settings(emulator.current));
  const echo = await makeFunction(
    lambda,
    "echo",
    "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity) });",
  );
  // Whoever signs is let in, from other accounts as well.
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*" }];
  const policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const api = await RestApiBuilder.create(client, emulator.current, { policy });
  await api.add("ANY /{proxy+}", { method: { authorizationType: "AWS_IAM" }, integration: proxyTo(echo) });
  url = await api.deploy();
});

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
const known: Credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** The hash that the SDK's signer wants, on node:crypto. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", Buffer.from(secret as Uint8Array));
  }
  update(data: Uint8Array | string): void {
    this.hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.hash.digest()));
  }
  reset(): void {}
}

const signer = (credentials: Credentials) =>
  new SignatureV4({ service: "execute-api", region: "eu-west-1", credentials, sha256: Sha256 });

function requestFor(path: string, method: string, body?: string) {
  const { hostname, port, pathname, searchParams, host } = new URL(`${url}${path}`);
  const query = Object.fromEntries(searchParams);
  return { method, protocol: "http:", hostname, port: Number(port), path: pathname, query, headers: { host }, body };
}

async function signed(
  path: string,
  credentials: Credentials,
  { method = "POST", body = '{"a":1}', at = new Date() } = {},
) {
  const { headers } = await signer(credentials).sign(requestFor(path, method, body), { signingDate: at });
  return (changed: Partial<{ path: string; body: string }> = {}) => {
    const { host: _, ...rest } = headers;
    return fetch(`${url}${changed.path ?? path}`, { method, headers: rest, body: changed.body ?? body });
  };
}

describe("AWS_IAM", () => {
  test("lets a signed request in and tells who signed it", async () => {
    const send = await signed("/things/a b?x=1&y=a%2Fb", { ...known, accessKeyId: "111122223333" });
    const response = await send();
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      accessKey: "111122223333",
      accountId: "111122223333",
      userArn: "arn:aws:iam::111122223333:root",
    });
  });

  test("lets in the credentials of an assumed role, and refuses them without their session token", async () => {
    const iam = new IAMClient(settings(emulator.current));
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
    };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    const { Credentials } = await new STSClient(settings(emulator.current)).send(
      new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "probe" }),
    );
    const credentials = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const response = await (await signed("/x", credentials))();
    expect(await response.json()).toMatchObject({
      userArn: "arn:aws:sts::000000000000:assumed-role/caller/probe",
    });
    const { sessionToken: _, ...bare } = credentials;
    expect((await (await signed("/x", bare))()).status).toBe(403);
  });

  test("lets a presigned URL in until it expires", async () => {
    const presigned = await signer(known).presign(requestFor("/things", "GET"), { expiresIn: 60 });
    const query = new URLSearchParams(presigned.query as Record<string, string>);
    const link = `${url}/things?${query}`;
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(`${link}&more=1`)).status).toBe(403);
  });

  test("refuses a request without a signature", async () => {
    expect(await outcome(fetch(`${url}/x`))).toEqual({
      status: 403,
      body: '{"message":"Missing Authentication Token"}',
      errorType: "MissingAuthenticationTokenException",
    });
  });

  test.each([
    ["body", { body: '{"a":2}' }],
    ["path", { path: "/other" }],
    ["query", { path: "/things?x=2" }],
  ])("refuses a request whose %s was changed after signing", async (_, changed) => {
    const send = await signed("/things?x=1", known);
    const { status, body, errorType } = await outcome(send(changed));
    expect([status, errorType]).toEqual([403, "InvalidSignatureException"]);
    expect(JSON.parse(body).message).toMatch(/^The request signature we calculated/);
  });

  test("refuses a wrong secret, an unknown key and an unreadable header", async () => {
    const wrong = await signed("/x", { ...known, secretAccessKey: "other" });
    expect(await outcome(wrong())).toMatchObject({ status: 403, errorType: "InvalidSignatureException" });
    const unknown = await signed("/x", { ...known, accessKeyId: "AKIAIOSFODNN7EXAMPLE" });
    expect(await outcome(unknown())).toEqual({
      status: 403,
      body: '{"message":"The security token included in the request is invalid."}',
      errorType: "UnrecognizedClientException",
    });
    const other = fetch(`${url}/x`, { headers: { authorization: "Bearer abc" } });
    expect(await outcome(other)).toMatchObject({ status: 403, errorType: "IncompleteSignatureException" });
  });

  test("takes what callers sign by their own time after the emulator's clock was moved", async () => {
    await emulator.current.clock.advance("1 hour");
    const now = await signed("/x", known, { at: new Date() });
    expect(await outcome(now())).toMatchObject({ status: 200 });
  });

  test("refuses a signature that is older than five minutes", async () => {
    const old = await signed("/x", known, { at: new Date(Date.now() - 301_000) });
    const { status, body, errorType } = await outcome(old());
    expect([status, errorType]).toEqual([403, "InvalidSignatureException"]);
    expect(body).toContain("Signature expired");
  });
});

describe("a resource policy", () => {
  const policy = (...statements: object[]) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: statements.map((statement) => ({
        Effect: "Allow",
        Principal: "*",
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
        ...statement,
      })),
    });
  const deployed = async (text: string) => {
    const api = await RestApiBuilder.create(client, emulator.current, { policy: text });
    return (await api.add("GET /open")).deploy();
  };

  test("that allows everybody changes nothing", async () => {
    expect((await fetch(`${await deployed(policy({}))}/open`)).status).toBe(200);
  });

  test.each([
    [
      "denies the caller's address",
      [{}, { Effect: "Deny", Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } } }],
      " with an explicit deny",
    ],
    ["allows another stage only", [{ Resource: "execute-api:/dev/*" }], ""],
  ])("that %s refuses the request", async (_, statements, ending) => {
    const { status, body, errorType } = await outcome(fetch(`${await deployed(policy(...statements))}/open`));
    expect([status, errorType]).toEqual([403, "AccessDeniedException"]);
    expect(JSON.parse(body).Message).toMatch(
      new RegExp(
        `^User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:\\*{8}0000:\\w+/prod/GET/open${ending}$`,
      ),
    );
  });
});
