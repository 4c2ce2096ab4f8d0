import { APIGatewayClient, PutGatewayResponseCommand } from "@aws-sdk/client-api-gateway";
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { FaultOptions, RequestRecord } from "../emulator";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { useRemoteFunctions } from "./harness/remote-function";
import { outcome, RestApiBuilder, proxyTo as restProxyTo } from "./harness/rest-api";
import { proxyTo, type Refusal, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
afterEach(() => emulator.current.faults.clear());
const inject = (options: FaultOptions) => emulator.current.faults.inject(options);
const remote = useRemoteFunctions();
const service = "execute-api";

describe("a REST API", () => {
  let rest: RestApiBuilder;
  let url: string;
  beforeAll(async () => {
    rest = await RestApiBuilder.create(new APIGatewayClient(settings(emulator.current)), emulator.current);
    await rest.add("POST /readings");
    await rest.add("GET /status");
    url = await rest.deploy();
  });
  const post = () => fetch(`${url}/readings`, { method: "POST" });

  it("answers 429 to a method that is throttled, and nothing else to others", async () => {
    inject({ fault: "throttle", service, operation: "POST */readings" });
    expect(await outcome(post())).toEqual({
      status: 429,
      body: '{"message":"Too Many Requests"}',
      errorType: "TooManyRequestsException",
    });
    expect((await fetch(`${url}/status`)).status).toBe(200);
  });

  it("fails as the gateway does, or with what is named", async () => {
    const usual = inject({ fault: "error", service, resource: rest.id });
    expect(await outcome(post())).toEqual({
      status: 500,
      body: '{"message": "Internal server error"}',
      errorType: "InternalServerErrorException",
    });
    usual.remove();
    inject({ fault: "error", service, code: "ServiceUnavailableException" });
    expect(await outcome(post())).toMatchObject({ status: 503, body: '{"message":"Service Unavailable"}' });
  });

  it("answers with the API's own gateway response", async () => {
    const own = await RestApiBuilder.create(new APIGatewayClient(settings(emulator.current)), emulator.current);
    await own.add("GET /");
    await new APIGatewayClient(settings(emulator.current)).send(
      new PutGatewayResponseCommand({
        restApiId: own.id,
        responseType: "THROTTLED",
        statusCode: "503",
        responseTemplates: { "application/json": '{"later":true}' },
      }),
    );
    await own.deploy();
    inject({ fault: "throttle", service, resource: `arn:aws:execute-api:*:*:${own.id}/prod/GET/*` });
    expect(await outcome(fetch(`${own.url()}/`))).toMatchObject({ status: 503, body: '{"later":true}' });
  });

  it("cuts the connection of a caller, and shows it to who watches", async () => {
    const records: RequestRecord[] = [];
    const stop = emulator.current.watch((record) => records.push(record));
    inject({ fault: "drop", service, operation: "POST /prod/readings" });
    await expect(post()).rejects.toThrow("fetch failed");
    stop();
    expect(records.map(({ operation, status, fault }) => [operation, status, fault])).toEqual([
      ["POST /prod/readings", 0, "drop"],
    ]);
  });

  it("is slow where it is told to be", async () => {
    const fault = inject({ fault: "latency", service, operation: "POST *", delayMs: 600_000, clock: "emulator" });
    const answer = post();
    await vi.waitFor(() => expect(fault.hits).toBe(1), { interval: 5 });
    await emulator.current.clock.advance("10 minutes");
    expect((await answer).status).toBe(200);
  });

  it("has done the work when only its answer is lost", async () => {
    const functionArn = await makeFunction(
      new LambdaClient(settings(emulator.current)),
      "worker",
      remote.code("worker"),
    );
    await rest.add("POST /work", { integration: restProxyTo(functionArn) });
    await rest.deploy();
    inject({ fault: "drop", service, operation: "POST */work", after: true });
    const answer = fetch(`${url}/work`, { method: "POST", body: "kept" });
    const run = await remote.next("worker");
    expect(run.event.body).toBe("kept");
    run.succeed({ statusCode: 200 });
    await expect(answer).rejects.toThrow("fetch failed");
  });
});

describe("a WebSocket API", () => {
  let recorder: Recorder;
  let api: WebSocketApi;
  let management: ApiGatewayManagementApiClient;
  beforeAll(async () => {
    recorder = await makeRecorder(emulator.current);
    api = await WebSocketApi.create(new ApiGatewayV2Client(settings(emulator.current)), emulator.current);
    for (const route of ["$connect", "$disconnect", "say"])
      await api.add(route, { integration: proxyTo(recorder.functionArn) });
    await api.stage();
    management = new ApiGatewayManagementApiClient({ ...settings(emulator.current), endpoint: api.management() });
  });
  const connect = () => recorder.connect(api.url());
  const post = (ConnectionId: string, Data = "hello") =>
    management.send(new PostToConnectionCommand({ ConnectionId, Data }));

  it("refuses a handshake, and lets the next one in", async () => {
    inject({ fault: "throttle", service, operation: "CONNECT *", count: 1 });
    const refused = await TestClient.connect(api.url()).catch((error: Refusal) => error);
    expect(refused).toMatchObject({ status: 429, errorType: "TooManyRequestsException" });
    const { client } = await connect();
    client.socket.close();
  });

  it("cuts a handshake, also after $connect, and then tells $disconnect", async () => {
    const early = inject({ fault: "drop", service, operation: "CONNECT /live", resource: api.id });
    await expect(TestClient.connect(api.url())).rejects.toThrow("socket hang up");
    early.remove();
    inject({ fault: "drop", service, operation: "CONNECT /live", after: true, count: 1 });
    await expect(TestClient.connect(api.url())).rejects.toThrow("socket hang up");
    const { requestContext } = await recorder.next("CONNECT");
    await recorder.next("DISCONNECT", requestContext.connectionId);
  });

  it("cuts a connection without a close frame when a message comes, and tells $disconnect so", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "drop", service, operation: "MESSAGE /live", count: 1 });
    client.send({ action: "say" });
    expect(await client.closed).toEqual({ code: 1006, reason: "" });
    const { requestContext } = await recorder.next("DISCONNECT", connectionId);
    expect(requestContext).toMatchObject({
      disconnectStatusCode: 1006,
      disconnectReason: "Connection closed abnormally",
    });
  });

  it("cuts a connection after a message was handled", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "drop", service, resource: `${api.id}/live/say`, after: true });
    client.send({ action: "say" });
    await recorder.next("MESSAGE", connectionId);
    expect((await client.closed).code).toBe(1006);
  });

  it("answers a message with an error, and keeps the connection", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "error", service, operation: "MESSAGE *", count: 1 });
    expect(await client.ask({ action: "say" })).toMatchObject({ message: "Internal server error", connectionId });
    client.send({ action: "say" });
    await recorder.next("MESSAGE", connectionId);
    client.socket.close();
  });

  it("loses a post and its client's connection, though the post was accepted", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "drop", service, operation: "DELIVER /live", resource: `*/@connections/${connectionId}` });
    await post(connectionId);
    expect((await client.closed).code).toBe(1006);
    expect(client.messages).toEqual([]);
    await expect(post(connectionId)).rejects.toThrow(expect.objectContaining({ name: "GoneException" }));
  });

  it("loses a client's connection right after a post", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "drop", service, operation: "DELIVER *", after: true });
    await post(connectionId, "last");
    expect(await client.next()).toBe("last");
    expect((await client.closed).code).toBe(1006);
  });

  it("says that a connection is gone, or that there are too many posts, when told to", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "error", service, operation: "PostToConnection", code: "GoneException", count: 1 });
    await expect(post(connectionId)).rejects.toMatchObject({
      name: "GoneException",
      $metadata: { httpStatusCode: 410 },
    });
    inject({ fault: "throttle", service, operation: "PostToConnection", count: 1 });
    await expect(post(connectionId)).rejects.toMatchObject({
      name: "LimitExceededException",
      $metadata: { httpStatusCode: 429 },
    });
    await post(connectionId, "there after all");
    expect(await client.next()).toBe("there after all");
    client.socket.close();
  });

  it("sends a post whose answer is lost, and so twice where it is tried again", async () => {
    const { client, connectionId } = await connect();
    inject({ fault: "drop", service, operation: "PostToConnection", after: true, count: 1 });
    await expect(post(connectionId, "twice")).rejects.toThrow();
    await post(connectionId, "twice");
    expect([await client.next(), await client.next()]).toEqual(["twice", "twice"]);
    client.socket.close();
  });

  it("fails the other calls of the management API by their names", async () => {
    const { client, connectionId: ConnectionId } = await connect();
    inject({ fault: "throttle", service, operation: "GetConnection" });
    inject({ fault: "error", service, operation: "DeleteConnection" });
    await expect(management.send(new GetConnectionCommand({ ConnectionId }))).rejects.toMatchObject({
      name: "LimitExceededException",
    });
    await expect(management.send(new DeleteConnectionCommand({ ConnectionId }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 500 },
    });
    await post(ConnectionId, "still here");
    expect(await client.next()).toBe("still here");
    client.socket.close();
  });
});
