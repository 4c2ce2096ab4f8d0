import type { IClientOptions } from "mqtt";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Credentials, Subjects } from "./harness/access";
import { Devices, inbox } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { signedMqttUrl } from "./harness/signed-mqtt";
import { openSocket } from "./harness/sockets";

const emulator = useEmulator();
let devices: Devices;
beforeAll(() => {
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());

const known: Credentials = { accessKeyId: "test", secretAccessKey: "test" };
const signedUrl = (credentials: Credentials, options: Parameters<typeof signedMqttUrl>[2] = {}) =>
  signedMqttUrl(emulator.current, credentials, options);

const connect = (url: string, options: IClientOptions = {}) => devices.open(url, options);

test("hands messages between a device with a certificate and a client that signs", async () => {
  const device = await devices.connect(await devices.certificate(), { clientId: "device" });
  const browser = await connect(signedUrl(known), { clientId: "browser" });
  const [toDevice, toBrowser] = [inbox(device), inbox(browser)];
  await device.subscribeAsync("down/#");
  await browser.subscribeAsync("up/#");
  await device.publishAsync("up/1", "hello", { qos: 1 });
  await browser.publishAsync("down/1", "hi", { qos: 1 });
  await vi.waitFor(() => expect([toDevice, toBrowser]).toEqual([[["down/1", "hi"]], [["up/1", "hello"]]]));
});

test("lets a role's session in, whose token is not part of the signature", async () => {
  const subjects = new Subjects(emulator.current);
  const { credentials: session } = await subjects.session(await subjects.role("page", [{ Action: "iot:Connect" }]));
  await connect(signedUrl(session), { clientId: "session" });
  await expect(openSocket(signedUrl({ ...session, sessionToken: "other" }), ["mqtt"])).rejects.toThrow("403");
});

test("answers 403 to a wrong secret, an unknown key, an old signature and none", async () => {
  const old = new Date(Date.now() - 3_600_000);
  for (const url of [
    signedUrl({ ...known, secretAccessKey: "wrong" }),
    signedUrl({ ...known, accessKeyId: "AKIAUNKNOWN" }),
    signedUrl(known, { time: old }),
    signedUrl(known).replace(/\?.*/, ""),
  ]) {
    await expect(openSocket(url, ["mqtt"])).rejects.toThrow("403");
  }
});

test("keeps accounts and regions apart", async () => {
  const here = await connect(signedUrl(known), { clientId: "here" });
  const elsewhere = await connect(signedUrl(known, { region: "us-west-2" }), { clientId: "here" });
  const foreign = await connect(signedUrl({ ...known, accessKeyId: "111122223333" }), { clientId: "here" });
  const boxes = [here, elsewhere, foreign].map((client) => inbox(client));
  for (const client of [here, elsewhere, foreign]) await client.subscribeAsync("#");
  for (const client of [here, elsewhere, foreign]) await client.publishAsync("a", "1", { qos: 1 });
  await vi.waitFor(() => expect(boxes.map(({ length }) => length)).toEqual([1, 1, 1]));
});
