import { ApiGatewayV2Client } from "@aws-sdk/client-apigatewayv2";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { makeRecorder, type Recorder } from "./harness/recorder";
import { proxyTo, TestClient, WebSocketApi } from "./harness/websocket-api";

const emulator = useEmulator();
let client: ApiGatewayV2Client;
let recorder: Recorder;
let api: WebSocketApi;
beforeAll(async () => {
  client = new ApiGatewayV2Client(settings(emulator.current));
  recorder = await makeRecorder(emulator.current);
  api = await WebSocketApi.create(client, emulator.current);
  await api.add("$connect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$disconnect", { integration: proxyTo(recorder.functionArn) });
  await api.add("$default", { answers: true });
  await api.add("recorded", { integration: proxyTo(recorder.functionArn) });
  await api.stage();
});

const frame = 32 * 1024;

/** Sends one message cut into frames of at most this size. */
function sendInFrames({ socket }: TestClient, message: string, size: number): void {
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length || at === 0; at += size)
    socket.send(bytes.subarray(at, at + size), { binary: false, fin: at + size >= bytes.length });
}

/** A message of this many bytes for the route that is recorded. */
const recorded = (size: number) => {
  const start = '{"action":"recorded","fill":"';
  return `${start}${"x".repeat(size - start.length - 2)}"}`;
};

describe("sizes", () => {
  test("a message of 128 KB in frames of 32 KB passes", async () => {
    const { client: opened } = await recorder.connect(api.url());
    sendInFrames(opened, "x".repeat(4 * frame), frame);
    expect(await opened.next()).toBe("{}");
    opened.socket.close();
  });

  test.each([
    ["a frame of more than 32 KB", (c: TestClient) => c.send(recorded(frame + 1))],
    ["a message of more than 128 KB", (c: TestClient) => sendInFrames(c, recorded(4 * frame + 1), frame)],
    [
      "a large last frame",
      (c: TestClient) => {
        const message = recorded(frame + 2);
        c.socket.send(message.slice(0, 1), { fin: false });
        c.socket.send(message.slice(1), { fin: true });
      },
    ],
  ])("%s closes the connection with 1009, and its message reaches nobody", async (_what, send) => {
    const { client: opened, connectionId } = await recorder.connect(api.url());
    send(opened);
    expect((await opened.closed).code).toBe(1009);
    expect(opened.messages).toEqual([]);
    expect((await recorder.next("DISCONNECT", connectionId)).requestContext.disconnectStatusCode).toBe(1009);
    expect(recorder.seen.filter(({ requestContext }) => requestContext.eventType === "MESSAGE")).toEqual([]);
  });

  test("frames of any size within the limits pass, however they are cut and mixed with pings", async () => {
    const { client: opened } = await recorder.connect(api.url());
    const parts = fc.array(fc.record({ size: fc.integer({ min: 1, max: frame }), ping: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (cuts) => {
        const answered = opened.next();
        cuts.forEach(({ size, ping }, index) => {
          opened.socket.send("x".repeat(size), { fin: index === cuts.length - 1 });
          if (ping) opened.socket.ping("p".repeat(size % 126));
        });
        expect(await answered).toBe("{}");
      }),
      { numRuns: 30 },
    );
    opened.socket.close();
  });

  test("a binary frame closes the connection with 1003", async () => {
    const { client: opened } = await recorder.connect(api.url());
    opened.socket.send(Buffer.from([1, 2, 3]));
    expect((await opened.closed).code).toBe(1003);
  });
});

describe("times", () => {
  test("10 minutes without a message close the connection with 1001", async () => {
    const { client: opened, connectionId } = await recorder.connect(api.url());
    await emulator.current.clock.advance("9 minutes");
    await opened.ask("still here");
    await emulator.current.clock.advance("9 minutes");
    await opened.ask("and still");
    await emulator.current.clock.advance("10 minutes");
    expect(await opened.closed).toEqual({ code: 1001, reason: "Going away" });
    expect((await recorder.next("DISCONNECT", connectionId)).requestContext).toMatchObject({
      disconnectStatusCode: 1001,
      disconnectReason: "Going away",
    });
  });

  test("a ping counts as activity", async () => {
    const { client: opened } = await recorder.connect(api.url());
    const ponged = new Promise((resolve) => opened.socket.once("pong", resolve));
    await emulator.current.clock.advance("9 minutes");
    opened.socket.ping();
    await ponged;
    await emulator.current.clock.advance("9 minutes");
    await opened.ask("still here");
    opened.socket.close();
  });

  test("2 hours close it with 1001, however much passes", async () => {
    const { client: opened } = await recorder.connect(api.url());
    for (let minutes = 0; minutes < 117; minutes += 9) {
      await emulator.current.clock.advance("9 minutes");
      await opened.ask("still here");
    }
    await emulator.current.clock.advance("4 minutes");
    expect((await opened.closed).code).toBe(1001);
  });
});

describe("rates", () => {
  test("new connections beyond the account's rate get 429, until a second has passed", async () => {
    await using own = await startEmulator({ port: 0, quotas: { connectionsPerSecond: 1 / 60 } });
    const slow = await WebSocketApi.create(new ApiGatewayV2Client(settings(own)), own);
    await slow.add("$default");
    await slow.stage();
    await TestClient.connect(slow.url());
    await expect(TestClient.connect(slow.url())).rejects.toMatchObject({
      status: 429,
      body: expect.stringContaining('"message":"Too Many Requests"'),
    });
    await own.clock.advance("1 minute");
    await TestClient.connect(slow.url());
  });

  test("the stage's limit for $connect refuses handshakes with 429", async () => {
    const limited = await WebSocketApi.create(client, emulator.current);
    await limited.add("$connect");
    await limited.add("$default");
    const slow = { ThrottlingRateLimit: 1 / 60, ThrottlingBurstLimit: 1 };
    await limited.stage({ RouteSettings: { $connect: slow } });
    const opened = await TestClient.connect(limited.url());
    await expect(TestClient.connect(limited.url())).rejects.toMatchObject({ status: 429 });
    await emulator.current.clock.advance("1 minute");
    (await TestClient.connect(limited.url())).socket.close();
    opened.socket.close();
  });

  test("messages beyond the stage's limit close the connection with 1008; other routes have their own", async () => {
    const limited = await WebSocketApi.create(client, emulator.current);
    await limited.add("slow", { answers: true });
    await limited.add("$default", { answers: true });
    const slow = { ThrottlingRateLimit: 1 / 60, ThrottlingBurstLimit: 2 };
    await limited.stage({ DefaultRouteSettings: { ThrottlingRateLimit: 1000 }, RouteSettings: { slow } });
    const opened = await TestClient.connect(limited.url());
    for (let i = 0; i < 2; i++) await opened.ask({ action: "slow" });
    for (let i = 0; i < 5; i++) await opened.ask({ action: "other" });
    opened.send({ action: "slow" });
    expect((await opened.closed).code).toBe(1008);
  });
});
