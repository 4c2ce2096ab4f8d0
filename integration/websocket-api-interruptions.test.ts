import { connect, type Socket } from "node:net";
import { ApiGatewayManagementApiClient, DeleteConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { ApiGatewayV2Client, DeleteApiCommand, DeleteStageCommand } from "@aws-sdk/client-apigatewayv2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Emulator } from "../emulator";
import { settings, startEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { makeRecorder } from "./harness/recorder";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

// Each test ends or resets its emulator in the middle of something.

let emulator: Emulator;
let faults: string[];
beforeEach(async () => {
  faults = [];
  emulator = await startEmulator({ port: 0, onFault: (error, where) => faults.push(`${where}: ${error}`) });
});
afterEach(async () => {
  await emulator.close();
  expect(faults).toEqual([]);
});

const gateway = () => new ApiGatewayV2Client(settings(emulator));

/** An API whose `$connect` says on a queue that it has begun, and then waits until the test lets it go on. */
async function waitingApi() {
  const recorder = await makeRecorder(emulator, "begun");
  const sqs = new SQSClient(settings(emulator));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "go" }));
  const lambda = new LambdaClient(settings(emulator));
  const functionArn = await makeFunction(
    lambda,
    "waiting",
    `const { SQSClient, SendMessageCommand, ReceiveMessageCommand } = require("@aws-sdk/client-sqs");
    const sqs = new SQSClient({});
    const queue = (name) => process.env.AWS_ENDPOINT_URL + "/000000000000/" + name;
    exports.handler = async (event) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: queue("begun"), MessageBody: JSON.stringify(event) }));
      await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue("go"), WaitTimeSeconds: 20 }));
      return { statusCode: 200 };
    };`,
    { Timeout: 25 },
  );
  const api = await WebSocketApi.create(gateway(), emulator);
  await api.add("$connect", { integration: proxyTo(functionArn) });
  await api.stage();
  const opening = TestClient.connect(api.url()).then(
    () => "open",
    ({ status }: { status?: number }) => status,
  );
  await recorder.next("CONNECT");
  return { api, opening, goOn: () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "go" })) };
}

describe("while $connect runs", () => {
  test("a reset ends the handshake with 503, and leaves nothing", async () => {
    const { api, opening } = await waitingApi();
    await emulator.reset();
    expect(await opening).toBe(503);
    await expect(TestClient.connect(api.url())).rejects.toMatchObject({ status: 403 });
    const again = await WebSocketApi.create(gateway(), emulator);
    await again.add("$default", { answers: true });
    await again.stage();
    const client = await TestClient.connect(again.url());
    expect(await client.ask("hello")).toEqual({});
  });

  test("the end of the emulator ends the handshake", async () => {
    const { opening } = await waitingApi();
    await emulator.close();
    expect(await opening).not.toBe("open");
  });

  test.each([
    ["API", (ApiId: string) => new DeleteApiCommand({ ApiId })],
    ["stage", (ApiId: string) => new DeleteStageCommand({ ApiId, StageName: "live" })],
  ])("the deletion of the %s turns the handshake down with 403", async (_what, command) => {
    const { api, opening, goOn } = await waitingApi();
    await gateway().send(command(api.id) as DeleteApiCommand);
    await goOn();
    expect(await opening).toBe(403);
  });
});

/** Sends text to the emulator over a line that stays open on this side, whatever the other one does. */
function halfOpen(text: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port: emulator.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("end", () => resolve(socket));
    socket.write(text);
  });
}

describe("the emulator closes at once", () => {
  test.each([
    ["a client that keeps its side open after a refused handshake", "/_aws/execute-api/nothing/live"],
    ["one that does so after a 404", "/nowhere"],
  ])("with %s", async (_what, path) => {
    const socket = await halfOpen(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await emulator.close();
    socket.destroy();
  });

  test.each(["reset", "close"] as const)("with a client that does not agree to its DELETE, at %s", async (how) => {
    const recorder = await makeRecorder(emulator);
    const api = await WebSocketApi.create(gateway(), emulator);
    await api.add("$connect", { integration: proxyTo(recorder.functionArn) });
    await api.stage();
    const { client, connectionId } = await recorder.connect(api.url());
    client.socket.pause();
    await new ApiGatewayManagementApiClient({ ...settings(emulator), endpoint: api.management() }).send(
      new DeleteConnectionCommand({ ConnectionId: connectionId }),
    );
    await emulator[how]();
    client.socket.resume();
    // The frame was sent; nobody waits for the answer any more.
    expect([1000, 1006]).toContain((await client.closed).code);
  });
});
