import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { proxyTo, type TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
let recorder: Recorder;
let api: WebSocketApi;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  recorder = await makeRecorder(emulator.current);
  const lambda = new LambdaClient(settings(emulator.current));
  const echo = await makeFunction(
    lambda,
    "echo",
    "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });",
  );
  api = await WebSocketApi.create(client, emulator.current);
  await api.add("$connect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$disconnect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$default", { integration: proxyTo(echo), answers: true });
  await api.stage({ StageVariables: { table: "connections" } });
});

const connectionId = expect.stringMatching(/^[\w-]{15}=$/);
const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
const common = {
  extendedRequestId: expect.stringMatching(/=$/),
  requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
  messageDirection: "IN",
  stage: "live",
  connectedAt: expect.any(Number),
  requestTimeEpoch: expect.any(Number),
  requestId,
  connectionId,
};

describe("the event", () => {
  test("of a handshake carries headers, query, stage variables and the context", async () => {
    const { client: opened, event } = await recorder.connect(`${api.url()}?device=a&device=b&x=1`, [], {
      headers: { "User-Agent": "probe", "X-Many": "one" },
    });
    expect(event).toEqual({
      headers: expect.objectContaining({
        Host: expect.any(String),
        "Sec-WebSocket-Key": expect.any(String),
        "Sec-WebSocket-Version": "13",
        "X-Many": "one",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Amzn-Trace-Id": expect.stringMatching(/^Root=1-/),
      }),
      multiValueHeaders: expect.objectContaining({ "X-Many": ["one"] }),
      queryStringParameters: { device: "b", x: "1" },
      multiValueQueryStringParameters: { device: ["a", "b"], x: ["1"] },
      stageVariables: { table: "connections" },
      requestContext: {
        ...common,
        routeKey: "$connect",
        eventType: "CONNECT",
        identity: { userAgent: "probe", sourceIp: "127.0.0.1" },
        domainName: `${api.id}.execute-api.localhost:${emulator.current.port}`,
        apiId: api.id,
      },
      isBase64Encoded: false,
    });
    opened.socket.close();
  });

  test("of a message has its text and id, and no headers", async () => {
    const { client: opened } = await recorder.connect(api.url());
    const event = await opened.ask({ action: "anything", temp: 21.5 });
    expect(event).toEqual({
      stageVariables: { table: "connections" },
      requestContext: {
        ...common,
        routeKey: "$default",
        messageId: expect.stringMatching(/^[\w-]{15}=$/),
        eventType: "MESSAGE",
        identity: { sourceIp: "127.0.0.1" },
        domainName: expect.any(String),
        apiId: api.id,
      },
      body: '{"action":"anything","temp":21.5}',
      isBase64Encoded: false,
    });
    opened.socket.close();
  });

  test("keeps one connection id from the handshake to the end", async () => {
    const { client: opened, event } = await recorder.connect(api.url());
    const { connectionId, connectedAt } = event.requestContext;
    const message = await opened.ask<{ requestContext: { connectionId: string; connectedAt: number } }>({});
    expect(message.requestContext).toMatchObject({ connectionId, connectedAt });
    opened.socket.close(1000, "done");
    const last = await recorder.next("DISCONNECT", connectionId);
    expect(last.requestContext).toMatchObject({ connectedAt, disconnectStatusCode: 1000, disconnectReason: "done" });
  });

  test("of the end comes for a client, too, that left while $connect ran", async () => {
    const socket = new WebSocket(`${api.url()}?hasty=1`);
    socket.on("error", () => {});
    const { requestContext } = await recorder.next("CONNECT");
    socket.terminate();
    const last = await recorder.next("DISCONNECT", requestContext.connectionId);
    expect(last.requestContext.disconnectStatusCode).toBe(1006);
  });

  test.each([
    ["with code and reason", (s: TestClient) => s.socket.close(4001, "bored"), 4001, "bored"],
    ["without a code", (s: TestClient) => s.socket.close(), 1005, "Client-side close frame status not set"],
    ["without a word", (s: TestClient) => s.socket.terminate(), 1006, "Connection closed abnormally"],
  ])("of a client that leaves %s says so", async (_how, leave, disconnectStatusCode, disconnectReason) => {
    const { client: opened, connectionId } = await recorder.connect(api.url());
    leave(opened);
    const { requestContext, ...event } = await recorder.next("DISCONNECT", connectionId);
    expect(requestContext).toEqual({
      ...common,
      routeKey: "$disconnect",
      disconnectStatusCode,
      disconnectReason,
      eventType: "DISCONNECT",
      identity: { sourceIp: "127.0.0.1" },
      domainName: expect.any(String),
      apiId: api.id,
    });
    expect(event).toMatchObject({
      headers: { Host: expect.any(String), "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" },
      multiValueHeaders: { "x-api-key": [""] },
      isBase64Encoded: false,
    });
  });
});
