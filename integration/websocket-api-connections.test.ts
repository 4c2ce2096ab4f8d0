import { Agent, request } from "node:http";
import type { LookupFunction } from "node:net";
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client, CreateApiMappingCommand, CreateDomainNameCommand } from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let recorder: Recorder;
let api: WebSocketApi;
let management: ApiGatewayManagementApiClient;
beforeAll(async () => {
  recorder = await makeRecorder(emulator.current);
  api = await WebSocketApi.create(new ApiGatewayV2Client(settings(emulator.current)), emulator.current);
  await api.add("$connect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$disconnect", { integration: proxyTo(recorder.functionArn) });
  await api.stage();
  await api.stage({ StageName: "other" });
  management = new ApiGatewayManagementApiClient({ ...settings(emulator.current), endpoint: api.management() });
});

const connect = () => recorder.connect(api.url(), [], { headers: { "User-Agent": "probe" } });
const post = (ConnectionId: string, Data: string | Uint8Array, client = management) =>
  client.send(new PostToConnectionCommand({ ConnectionId, Data }));
const gone = expect.objectContaining({
  name: "GoneException",
  $metadata: expect.objectContaining({ httpStatusCode: 410 }),
});

describe("POST", () => {
  test("sends the client a text message", async () => {
    const { client, connectionId } = await connect();
    await post(connectionId, '{"temp":21.5,"name":"Työmaa"}');
    await post(connectionId, Buffer.from("two"));
    expect(await client.next()).toBe('{"temp":21.5,"name":"Työmaa"}');
    expect(await client.next()).toBe("two");
    client.socket.close();
  });

  test("keeps the order of messages that follow each other", async () => {
    const { client, connectionId } = await connect();
    for (let i = 0; i < 50; i++) await post(connectionId, String(i));
    await expect.poll(() => client.messages.length).toBe(50);
    expect(client.messages).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    client.socket.close();
  });

  test("takes 128 KB, and not a byte more", async () => {
    const { client, connectionId } = await connect();
    const largest = `${"ä".repeat(64 * 1024 - 1)}zz`;
    expect(Buffer.byteLength(largest)).toBe(128 * 1024);
    await post(connectionId, largest);
    expect(await client.next()).toBe(largest);
    await expect(post(connectionId, `${largest}!`)).rejects.toMatchObject({
      name: "PayloadTooLargeException",
      $metadata: { httpStatusCode: 413 },
    });
    client.socket.close();
  });

  test("is refused with 429 while the client does not read", async () => {
    const { client, connectionId } = await connect();
    client.socket.pause();
    const large = "x".repeat(128 * 1024);
    let sent = 0;
    let error: unknown;
    while (error === undefined && sent < 1_000) {
      error = await post(connectionId, large).then(
        () => undefined,
        (thrown) => thrown,
      );
      if (error === undefined) sent++;
    }
    expect(error).toMatchObject({ name: "LimitExceededException", $metadata: { httpStatusCode: 429 } });
    client.socket.resume();
    await expect.poll(() => client.messages.length, { timeout: 10_000 }).toBe(sent);
    await post(connectionId, "again");
    client.socket.terminate();
  });

  test("gives 410 while $connect still runs, and after the client has gone", async () => {
    const { client, connectionId } = await connect();
    client.socket.terminate();
    await recorder.next("DISCONNECT", connectionId);
    await expect(post(connectionId, "late")).rejects.toEqual(gone);

    const early = await makeFunction(
      new LambdaClient(settings(emulator.current)),
      "early",
      `const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require("@aws-sdk/client-apigatewaymanagementapi");
      exports.handler = async ({ requestContext: { connectionId, apiId, stage } }) => {
        const endpoint = process.env.AWS_ENDPOINT_URL + "/_aws/execute-api/" + apiId + "/" + stage;
        const client = new ApiGatewayManagementApiClient({ endpoint });
        const error = await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: "early" })).catch((e) => e);
        return { statusCode: error.name === "GoneException" ? 200 : 418 };
      };`,
    );
    const own = await WebSocketApi.create(new ApiGatewayV2Client(settings(emulator.current)), emulator.current);
    await own.add("$connect", { integration: proxyTo(early) });
    await own.stage();
    (await TestClient.connect(own.url())).socket.close();
  });

  test("gives 410 for another stage's connection, and 400 for what is no connection id", async () => {
    const { client, connectionId } = await connect();
    const other = new ApiGatewayManagementApiClient({
      ...settings(emulator.current),
      endpoint: api.management("other"),
    });
    await expect(post(connectionId, "x", other)).rejects.toEqual(gone);
    await expect(post("no id", "x")).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    client.socket.close();
  });

  test("finds a connection by its id alone, for clients that know only AWS_ENDPOINT_URL", async () => {
    const { client, connectionId } = await connect();
    await post(connectionId, "found", new ApiGatewayManagementApiClient(settings(emulator.current)));
    expect(await client.next()).toBe("found");
    client.socket.close();
  });
});

test("a call cut off in its body is not delivered, and disturbs nobody", async () => {
  const faults: string[] = [];
  await using own = await startEmulator({
    port: 0,
    verifySignatures: false,
    onFault: (error, where) => faults.push(`${where}: ${error}`),
  });
  const ownApi = await WebSocketApi.create(new ApiGatewayV2Client(settings(own)), own);
  const ownRecorder = await makeRecorder(own);
  await ownApi.add("$connect", { integration: proxyTo(ownRecorder.functionArn) });
  await ownApi.stage();
  const { client, connectionId } = await ownRecorder.connect(ownApi.url());
  const url = `${ownApi.management()}/@connections/${encodeURIComponent(connectionId)}`;
  const cut = request(url, { method: "POST", headers: { "Content-Length": "100" } });
  cut.on("error", () => {});
  cut.write("half of it");
  await vi.waitFor(() => expect(cut.socket?.bytesWritten).toBeGreaterThan(100));
  cut.destroy();
  expect((await fetch(url, { method: "POST", body: "whole" })).status).toBe(200);
  expect(await client.next()).toBe("whole");
  expect(faults).toEqual([]);
});

describe("a custom domain", () => {
  test("leads to the connections of the mapped stage", async () => {
    const { client, connectionId } = await connect();
    const gateway = new ApiGatewayV2Client(settings(emulator.current));
    const DomainName = "backend.localhost";
    const DomainNameConfigurations = [{ CertificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/1" }];
    await gateway.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations }));
    await gateway.send(new CreateApiMappingCommand({ DomainName, ApiId: api.id, Stage: "live", ApiMappingKey: "v1" }));
    // The name need not resolve: the agent goes to the emulator, whoever is asked for.
    const lookup: LookupFunction = (_name, options, done) =>
      options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
    const mapped = new ApiGatewayManagementApiClient({
      ...settings(emulator.current),
      endpoint: `http://${DomainName}:${emulator.current.port}/v1`,
      requestHandler: { httpAgent: new Agent({ lookup }) },
    });
    await post(connectionId, "by name", mapped);
    expect(await client.next()).toBe("by name");
    client.socket.close();
  });
});

describe("GET", () => {
  test("tells since when, from where and when last", async () => {
    const { client, connectionId, event } = await connect();
    const ask = () => management.send(new GetConnectionCommand({ ConnectionId: connectionId }));
    const first = await ask();
    const connectedAt = new Date(event.requestContext.connectedAt);
    expect(first).toMatchObject({
      ConnectedAt: connectedAt,
      LastActiveAt: connectedAt,
      Identity: { SourceIp: "127.0.0.1", UserAgent: "probe" },
    });
    await emulator.current.clock.advance("1 minute");
    await post(connectionId, "x");
    expect((await ask()).LastActiveAt!.getTime()).toBeGreaterThanOrEqual(connectedAt.getTime() + 60_000);
    client.socket.close();
  });
});

describe("DELETE", () => {
  test("closes the connection with 1000, and it is gone at once", async () => {
    const { client, connectionId } = await connect();
    const command = new DeleteConnectionCommand({ ConnectionId: connectionId });
    expect((await management.send(command)).$metadata.httpStatusCode).toBe(204);
    await expect(post(connectionId, "x")).rejects.toEqual(gone);
    expect((await client.closed).code).toBe(1000);
    await expect(management.send(command)).rejects.toEqual(gone);
    expect((await recorder.next("DISCONNECT", connectionId)).requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: "Connection Closed Normally",
    });
  });
});

describe("who may call", () => {
  const status = (name: string) => ({ name, $metadata: { httpStatusCode: 403 } });
  const as = (accessKeyId: string, secretAccessKey = "test") =>
    new ApiGatewayManagementApiClient({
      ...settings(emulator.current),
      endpoint: api.management(),
      credentials: { accessKeyId, secretAccessKey },
    });

  test("an unsigned call is refused", async () => {
    const response = await fetch(`${api.management()}/@connections/L0SM9cOFvHcCIhw%3D`, { method: "POST", body: "x" });
    expect(response.status).toBe(403);
    expect(response.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    expect(await response.json()).toEqual({ message: "Missing Authentication Token" });
  });

  test("a wrong secret, an unknown key and another account are refused", async () => {
    const { client, connectionId } = await connect();
    await expect(post(connectionId, "x", as("test", "wrong"))).rejects.toMatchObject(
      status("InvalidSignatureException"),
    );
    await expect(post(connectionId, "x", as("AKIAIOSFODNN7EXAMPLE"))).rejects.toMatchObject(
      status("UnrecognizedClientException"),
    );
    await expect(post(connectionId, "x", as("111122223333"))).rejects.toMatchObject(status("AccessDeniedException"));
    expect(client.messages).toEqual([]);
    client.socket.close();
  });

  test("a stage that is not there is refused", async () => {
    const nowhere = new ApiGatewayManagementApiClient({
      ...settings(emulator.current),
      endpoint: api.management("nowhere"),
    });
    await expect(post("L0SM9cOFvHcCIhw=", "x", nowhere)).rejects.toMatchObject(status("ForbiddenException"));
  });
});

test("calls beyond the account's rate get 429, and pass again later", async () => {
  await using own = await startEmulator({ port: 0, quotas: { requestsPerSecond: 1 / 60, requestBurst: 3 } });
  const ownApi = await WebSocketApi.create(new ApiGatewayV2Client(settings(own)), own);
  const ownRecorder = await makeRecorder(own);
  await ownApi.add("$connect", { integration: proxyTo(ownRecorder.functionArn) });
  await ownApi.stage();
  const endpoint = ownApi.management();
  const client = new ApiGatewayManagementApiClient({ ...settings(own), endpoint });
  const { connectionId, client: opened } = await ownRecorder.connect(ownApi.url());
  // The handshake counts as one of the three.
  await post(connectionId, "1", client);
  await post(connectionId, "2", client);
  await expect(post(connectionId, "3", client)).rejects.toMatchObject({
    name: "LimitExceededException",
    $metadata: { httpStatusCode: 429 },
  });
  await own.clock.advance("1 minute");
  await post(connectionId, "3", client);
  await expect.poll(() => opened.messages).toEqual(["1", "2", "3"]);
});
