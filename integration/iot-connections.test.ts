import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  IoTDataPlaneClient,
  ListSubscriptionsCommand,
} from "@aws-sdk/client-iot-data-plane";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { closed, Devices, type Identity, inbox } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let devices: Devices;
let data: IoTDataPlaneClient;
let identity: Identity;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  data = new IoTDataPlaneClient(settings(emulator.current));
  identity = await devices.certificate();
});
afterAll(() => devices.close());

const get = (clientId: string) => data.send(new GetConnectionCommand({ clientId, includeSocketInformation: true }));

test("tells of a client while it is connected, and for half an hour after that", async () => {
  const client = await devices.connect(identity, { clientId: "valve 1/a", keepalive: 300 });
  expect(await get("valve 1/a")).toMatchObject({
    connected: true,
    cleanSession: true,
    clientId: "valve 1/a",
    sourceIp: "127.0.0.1",
    sourcePort: expect.any(Number),
    keepAliveDuration: 300,
    connectedSince: expect.any(Number),
  });
  await client.endAsync();
  await vi.waitFor(async () =>
    expect(await get("valve 1/a")).toMatchObject({
      connected: false,
      disconnectReason: "CLIENT_INITIATED_DISCONNECT",
      disconnectedSince: expect.any(Number),
    }),
  );
  await emulator.current.clock.advance("31 minutes");
  expect((await refusal(get("valve 1/a")))[0]).toBe("ResourceNotFoundException");
});

test("lists the subscriptions of a client, page by page", async () => {
  const client = await devices.connect(identity, { clientId: "lister" });
  await client.subscribeAsync({ a: { qos: 1 }, "b/#": { qos: 0 }, c: { qos: 0 } });
  await client.unsubscribeAsync("c");
  const list = (nextToken?: string) =>
    data.send(new ListSubscriptionsCommand({ clientId: "lister", maxResults: 1, nextToken }));
  const first = await list();
  const second = await list(first.nextToken);
  expect([first.subscriptions, second.subscriptions, second.nextToken]).toEqual([
    [{ topicFilter: "a", qos: 1 }],
    [{ topicFilter: "b/#", qos: 0 }],
    undefined,
  ]);
});

test("ends a connection, with its will or without, and with its session or without", async () => {
  const watcher = await devices.connect(identity, { clientId: "watcher" });
  const messages = inbox(watcher);
  await watcher.subscribeAsync("wills/#");
  for (const [clientId, preventWillMessage, cleanSession] of [
    ["quiet", true, false],
    ["loud", false, true],
  ] as const) {
    const will = { topic: `wills/${clientId}`, payload: Buffer.from("gone"), qos: 1 as const, retain: false };
    const client = await devices.connect(identity, { clientId, clean: false, will });
    await client.subscribeAsync("kept", { qos: 1 });
    await data.send(new DeleteConnectionCommand({ clientId, preventWillMessage, cleanSession }));
    await closed(client);
    let sessionPresent: boolean | undefined;
    await devices.connect(identity, { clientId, clean: false }, (again) =>
      again.once("connect", (packet) => {
        sessionPresent = packet.sessionPresent;
      }),
    );
    expect(sessionPresent).toBe(!cleanSession);
  }
  await vi.waitFor(() => expect(messages).toEqual([["wills/loud", "gone"]]));
  const unknown = data.send(new DeleteConnectionCommand({ clientId: "nobody" }));
  expect((await refusal(unknown))[0]).toBe("ResourceNotFoundException");
});
