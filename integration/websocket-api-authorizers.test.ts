import { createHash, createHmac } from "node:crypto";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
let lambda: LambdaClient;
let recorder: Recorder;
let echo: string;
/** Decides what its token says; the request that it got is in the context of what it allows. */
let gate: string;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  lambda = new LambdaClient(settings(emulator.current));
  recorder = await makeRecorder(emulator.current);
  echo = await makeFunction(
    lambda,
    "echo",
    "exports.handler = async (e) => ({ statusCode: 200, body: JSON.stringify(e) });",
  );
  gate = await makeFunction(
    lambda,
    "gate",
    `let calls = 0;
    exports.handler = async (event) => {
      calls++;
      const offered = event.headers["Sec-WebSocket-Protocol"];
      const token = event.queryStringParameters.token ?? (offered && offered.split(",")[0]);
      if (token === "unauthorized") throw "Unauthorized";
      if (token === "broken") throw new Error("broken");
      if (token === "hang") await new Promise((resolve) => setTimeout(resolve, 50_000));
      if (token === "garbage") return { hello: 1 };
      const size = Number(token);
      const Effect = token === "deny" ? "Deny" : "Allow";
      const Resource = token === "elsewhere" ? event.methodArn + "/other" : event.methodArn;
      return {
        principalId: "ada",
        policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect, Resource }] },
        context: size ? { fill: "x".repeat(size) } : { devices: "a,b", count: 2, admin: true, calls, request: JSON.stringify(event) },
      };
    };`,
    { Timeout: 60 },
  );
});

/** An API with this route set-up for `$connect`. */
async function apiWith(options: Parameters<WebSocketApi["authorizer"]>[1] = {}): Promise<WebSocketApi> {
  const api = await WebSocketApi.create(client, emulator.current);
  const AuthorizerId = await api.authorizer(gate, options);
  await api.add("$connect", {
    route: { AuthorizationType: "CUSTOM", AuthorizerId },
    integration: proxyTo(recorder.functionArn),
  });
  await api.add("$disconnect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$default", { integration: proxyTo(echo), answers: true });
  await api.stage({ StageVariables: { secret: "x" } });
  return api;
}

describe("a REQUEST authorizer", () => {
  let api: WebSocketApi;
  beforeAll(async () => {
    api = await apiWith();
  });

  test("lets in whom its policy allows, and its context comes with every event", async () => {
    const { client: opened, event, connectionId } = await recorder.connect(`${api.url()}?token=good`);
    const authorizer = {
      principalId: "ada",
      devices: "a,b",
      count: "2",
      admin: "true",
      integrationLatency: expect.any(Number),
    };
    expect(event.requestContext.authorizer).toMatchObject(authorizer);
    expect(await opened.ask({})).toMatchObject({ requestContext: { authorizer } });
    opened.socket.close();
    expect((await recorder.next("DISCONNECT", connectionId)).requestContext.authorizer).toMatchObject(authorizer);
  });

  test("is asked with the whole handshake", async () => {
    const { client: opened, event } = await recorder.connect(`${api.url()}?token=good&x=1`);
    const { request } = event.requestContext.authorizer as { request: string };
    expect(JSON.parse(request)).toEqual({
      type: "REQUEST",
      methodArn: `arn:aws:execute-api:eu-west-1:000000000000:${api.id}/live/$connect`,
      headers: expect.objectContaining({ "Sec-WebSocket-Version": "13" }),
      multiValueHeaders: expect.objectContaining({ "Sec-WebSocket-Version": ["13"] }),
      queryStringParameters: { token: "good", x: "1" },
      multiValueQueryStringParameters: { token: ["good"], x: ["1"] },
      stageVariables: { secret: "x" },
      requestContext: expect.objectContaining({ routeKey: "$connect", eventType: "CONNECT", apiId: api.id }),
    });
    opened.socket.close();
  });

  test.each([
    ["401 without an identity source", "", 401, "Unauthorized"],
    ["401 with an empty one", "?token=", 401, "Unauthorized"],
    ['401 when the function says "Unauthorized"', "?token=unauthorized", 401, "Unauthorized"],
    [
      "403 when the policy denies",
      "?token=deny",
      403,
      "User is not authorized to access this resource with an explicit deny",
    ],
    [
      "403 when the policy is for something else",
      "?token=elsewhere",
      403,
      "User is not authorized to access this resource",
    ],
    ["500 when the function fails", "?token=broken", 500, "Internal server error"],
    ["500 when it answers no policy", "?token=garbage", 500, "Internal server error"],
    ["500 when its answer is larger than 8 KB", "?token=8192", 500, "Internal server error"],
  ])("gives %s", async (_what, query, status, message) => {
    await expect(TestClient.connect(api.url() + query)).rejects.toMatchObject({
      status,
      body: expect.stringContaining(`"message":"${message}"`),
    });
  });

  test("is given 29 seconds", async () => {
    const opening = TestClient.connect(`${api.url()}?token=hang`);
    let isAnswered = false;
    opening.catch(() => {
      isAnswered = true;
    });
    await expect
      .poll(async () => {
        await emulator.current.clock.advance("29 seconds");
        return isAnswered;
      })
      .toBe(true);
    await expect(opening).rejects.toMatchObject({ status: 500 });
  });

  test("is asked anew for each connection, and not at all without an identity source", async () => {
    const calls = async () => {
      const { client: opened, event } = await recorder.connect(`${api.url()}?token=good`);
      opened.socket.close();
      return Number((event.requestContext.authorizer as { calls: string }).calls);
    };
    const before = await calls();
    await TestClient.connect(api.url()).catch(() => {});
    expect(await calls()).toBe(before + 1);
  });

  test("takes its identity from the offered subprotocols", async () => {
    const own = await apiWith({ IdentitySource: ["route.request.header.Sec-WebSocket-Protocol"] });
    await expect(TestClient.connect(own.url())).rejects.toMatchObject({ status: 401 });
    await expect(TestClient.connect(own.url(), ["deny"])).rejects.toMatchObject({ status: 403 });
  });

  test("takes it from stage variables and the context, all of which must be there", async () => {
    const own = await apiWith({ IdentitySource: ["stageVariables.secret", "context.identity.sourceIp"] });
    const { client: opened } = await recorder.connect(`${own.url()}?token=good`);
    opened.socket.close();
    const other = await apiWith({ IdentitySource: ["stageVariables.secret", "stageVariables.missing"] });
    await expect(TestClient.connect(`${other.url()}?token=good`)).rejects.toMatchObject({ status: 401 });
  });
});

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

describe("AWS_IAM", () => {
  let api: WebSocketApi;
  beforeAll(async () => {
    api = await WebSocketApi.create(client, emulator.current);
    await api.add("$connect", {
      route: { AuthorizationType: "AWS_IAM" },
      integration: proxyTo(recorder.functionArn),
    });
    await api.add("$default", { integration: proxyTo(echo), answers: true });
    await api.stage();
  });

  const signer = (secretAccessKey: string) =>
    new SignatureV4({
      service: "execute-api",
      region: "eu-west-1",
      credentials: { accessKeyId: "000000000000", secretAccessKey },
      sha256: Sha256,
    });
  const request = () => {
    const { hostname, port, pathname, host } = new URL(api.url());
    return {
      method: "GET",
      protocol: "ws:",
      hostname,
      port: Number(port),
      path: pathname,
      query: {},
      headers: { host },
    };
  };
  async function presigned(secret = "test", signingDate = new Date(), expiresIn = 300): Promise<string> {
    const { query } = await signer(secret).presign(request(), { expiresIn, signingDate });
    return `${api.url()}?${new URLSearchParams(query as Record<string, string>)}`;
  }

  test("lets in who signed the address, and says who it was", async () => {
    const { client: opened, event } = await recorder.connect(await presigned());
    expect(event.requestContext.identity).toMatchObject({ accountId: "000000000000", accessKey: "000000000000" });
    opened.socket.close();
  });

  test("lets in who signed the headers", async () => {
    const { headers } = await signer("test").sign(request());
    const { client: opened } = await recorder.connect(api.url(), [], { headers });
    opened.socket.close();
  });

  test("refuses an unsigned handshake", async () => {
    await expect(TestClient.connect(api.url())).rejects.toMatchObject({
      status: 403,
      errorType: "MissingAuthenticationTokenException",
    });
  });

  test("refuses a wrong secret and a signature of yesterday", async () => {
    const invalid = { status: 403, errorType: "InvalidSignatureException" };
    await expect(TestClient.connect(await presigned("wrong"))).rejects.toMatchObject(invalid);
    const yesterday = new Date(Date.now() - 86_400_000);
    await expect(TestClient.connect(await presigned("test", yesterday))).rejects.toMatchObject(invalid);
    // The signer says for how long: a number, and no more than a week.
    const never = await presigned("test", new Date(), Number.NaN);
    await expect(TestClient.connect(never)).rejects.toMatchObject(invalid);
  });
});
