import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  DeleteCertificateCommand,
  IoTClient,
  RegisterCertificateWithoutCACommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closed, Devices, type Identity, inbox } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let devices: Devices;
let identity: Identity;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  identity = await devices.certificate();
});
afterAll(() => devices.close());

const setStatus = ({ id }: Identity, newStatus: "ACTIVE" | "INACTIVE" | "REVOKED") =>
  devices.iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus }));

/** What ends an attempt to connect; a test fails when it is let in. */
const refused = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => {
      throw new Error("the connection was expected to be refused, and the client was let in");
    },
    (error: Error) => error.message,
  );

describe("who gets in", () => {
  test("hands a device's message to another device over TLS with certificates", async () => {
    const sender = await devices.connect(identity, { clientId: "sender" });
    const receiver = await devices.connect(identity, { clientId: "receiver" });
    const messages = inbox(receiver);
    await receiver.subscribeAsync("sensors/+/temperature", { qos: 1 });
    await sender.publishAsync("sensors/kitchen/temperature", "21.5", { qos: 1 });
    await vi.waitFor(() => expect(messages).toEqual([["sensors/kitchen/temperature", "21.5"]]));
  });

  test("lets nobody take a device over by registering its certificate in another account", async () => {
    const other = new IoTClient(settings(emulator.current, { accessKeyId: "222222222222" }));
    const certificatePem = identity.cert;
    await other.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: "ACTIVE" }));
    const client = await devices.connect(identity, { clientId: "stays" });
    expect(client.connected).toBe(true);
    other.destroy();
  });

  const mosquitto = spawnSync("mosquitto_pub", ["--help"]).error ? undefined : "mosquitto_pub";
  test.skipIf(!mosquitto)("takes messages from mosquitto_pub, where that is on the PATH", async () => {
    const receiver = await devices.connect(identity, { clientId: "receiver-of-mosquitto" });
    const messages = inbox(receiver);
    await receiver.subscribeAsync("mosquitto/#");
    const { url, ca } = await devices.endpoint();
    const { hostname, port } = new URL(url);
    const folder = await mkdtemp(join(tmpdir(), "sensorcast-"));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const identityFiles = ["--cert", await file("cert", identity.cert), "--key", await file("key", identity.key)];
    const options = ["-h", hostname, "-p", port, "--cafile", await file("ca", ca), ...identityFiles];
    await promisify(execFile)("mosquitto_pub", [
      ...options,
      "-i",
      "mosquitto",
      "-q",
      "1",
      "-t",
      "mosquitto/1",
      "-m",
      "hi",
    ]);
    await rm(folder, { recursive: true });
    await vi.waitFor(() => expect(messages).toEqual([["mosquitto/1", "hi"]]));
  });

  test("refuses a client that shows no certificate", async () => {
    expect(await refused(devices.connect({ cert: "", key: "" }))).toMatch(/closed|reset/);
  });

  test("refuses a certificate of the same authority that this account does not have", async () => {
    const gone = await devices.certificate("none", false);
    await devices.iot.send(new DeleteCertificateCommand({ certificateId: gone.id }));
    expect(await refused(devices.connect(gone))).toMatch(/closed|reset/);
  });

  test("shows a certificate that clients refuse who do not trust its authority", async () => {
    expect(await refused(devices.connect(identity, { ca: [] }))).toMatch(/certificate/);
  });

  test("refuses an inactive certificate until it is active, and a revoked one", async () => {
    const certificate = await devices.certificate(undefined, false);
    expect(await refused(devices.connect(certificate))).toMatch(/closed|reset/);
    await setStatus(certificate, "ACTIVE");
    await devices.connect(certificate, { clientId: "now-active" });
    await setStatus(certificate, "REVOKED");
    expect(await refused(devices.connect(certificate))).toMatch(/closed|reset/);
  });

  test("ends the connections of a certificate that is deactivated, and no others", async () => {
    const certificate = await devices.certificate();
    const ending = await devices.connect(certificate, { clientId: "ending" });
    const staying = await devices.connect(identity, { clientId: "staying" });
    await setStatus(certificate, "INACTIVE");
    await closed(ending);
    await staying.publishAsync("still/here", "yes", { qos: 1 });
    expect(staying.connected).toBe(true);
  });

  test("refuses MQTT 5 with reason 132, unsupported protocol version", async () => {
    expect(await refused(devices.connect(identity, { protocolVersion: 5 }))).toMatch(/Unsupported Protocol Version/i);
  });

  test("refuses a client id of more than 128 bytes", async () => {
    expect(await refused(devices.connect(identity, { clientId: "x".repeat(129) }))).toMatch(/[Ii]dentifier/);
    await devices.connect(identity, { clientId: "x".repeat(128) });
  });
});

describe("connections", () => {
  test("closes the older connection of a client id when a newer one comes", async () => {
    const older = await devices.connect(identity, { clientId: "twin" });
    const newer = await devices.connect(identity, { clientId: "twin" });
    await closed(older);
    expect(newer.connected).toBe(true);
  });

  test("ends a connection that has been silent for 1.5 times its keep-alive", async () => {
    const client = await devices.connect(identity, { clientId: "silent", keepalive: 60 });
    await emulator.current.clock.advance("80 seconds");
    await client.publishAsync("not/silent", "", { qos: 1 });
    await emulator.current.clock.advance("80 seconds");
    expect(client.connected).toBe(true);
    await emulator.current.clock.advance("91 seconds");
    await closed(client);
  });

  test("tells of connections and their ends by lifecycle events", async () => {
    const watcher = await devices.connect(identity, { clientId: "watcher" });
    const messages = inbox(watcher);
    await watcher.subscribeAsync(["$aws/events/presence/+/visitor", "$aws/events/subscriptions/+/visitor"]);
    const client = await devices.connect(identity, { clientId: "visitor" });
    await client.subscribeAsync(["a/b", "c/+"]);
    await client.unsubscribeAsync("a/b");
    await client.endAsync();
    const event = (kind: string) =>
      messages.filter(([topic]) => topic === `$aws/events/${kind}/visitor`).map(([, text]) => JSON.parse(text));
    await vi.waitFor(() => expect(event("presence/disconnected")).toHaveLength(1));
    const session = event("presence/connected")[0].sessionIdentifier;
    const common = {
      clientId: "visitor",
      timestamp: expect.any(Number),
      sessionIdentifier: session,
      principalIdentifier: identity.id,
    };
    expect(event("presence/connected")).toEqual([
      { ...common, eventType: "connected", ipAddress: "127.0.0.1", versionNumber: 0 },
    ]);
    expect(event("subscriptions/subscribed")).toEqual([{ ...common, eventType: "subscribed", topics: ["a/b", "c/+"] }]);
    expect(event("subscriptions/unsubscribed")).toEqual([{ ...common, eventType: "unsubscribed", topics: ["a/b"] }]);
    expect(event("presence/disconnected")).toEqual([
      {
        ...common,
        eventType: "disconnected",
        clientInitiatedDisconnect: true,
        disconnectReason: "CLIENT_INITIATED_DISCONNECT",
        versionNumber: 0,
      },
    ]);
  });

  test("says in the lifecycle event why a connection ended", async () => {
    const watcher = await devices.connect(identity, { clientId: "reasons" });
    const messages = inbox(watcher);
    await watcher.subscribeAsync("$aws/events/presence/disconnected/+");
    const certificate = await devices.certificate();
    await devices.connect(certificate, { clientId: "double" });
    await devices.connect(certificate, { clientId: "double" });
    const lost = await devices.connect(certificate, { clientId: "lost" });
    lost.stream.destroy();
    const big = await devices.connect(certificate, { clientId: "big" });
    big.publish("too/big", Buffer.alloc(128 * 1024 + 1));
    await vi.waitFor(() => expect(messages).toHaveLength(3));
    await setStatus(certificate, "INACTIVE");
    await vi.waitFor(() => expect(messages).toHaveLength(4));
    const reasons = messages.map(([, text]) => JSON.parse(text)).map((e) => `${e.clientId} ${e.disconnectReason}`);
    expect(reasons.sort()).toEqual([
      "big CLIENT_ERROR",
      "double AUTH_ERROR",
      "double DUPLICATE_CLIENTID",
      "lost CONNECTION_LOST",
    ]);
  });
});

test("forgets certificates and ends connections at a reset, and takes new ones on the same port", async () => {
  const client = await devices.connect(identity, { clientId: "before" });
  await emulator.current.reset();
  await closed(client);
  expect(await refused(devices.connect(identity))).toMatch(/closed|reset/);
  await devices.connect(await devices.certificate(), { clientId: "after" });
});
