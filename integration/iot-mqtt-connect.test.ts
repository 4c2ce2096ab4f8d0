import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Devices, inbox } from "./harness/devices";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let devices: Devices;
beforeAll(() => {
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());

test("hands a device's message to another device over TLS with certificates", async () => {
  const identity = await devices.certificate();
  const sender = await devices.connect(identity, { clientId: "sender" });
  const receiver = await devices.connect(identity, { clientId: "receiver" });
  const messages = inbox(receiver);
  await receiver.subscribeAsync("sensors/+/temperature", { qos: 1 });
  await sender.publishAsync("sensors/kitchen/temperature", "21.5", { qos: 1 });
  await vi.waitFor(() => expect(messages).toEqual([["sensors/kitchen/temperature", "21.5"]]));
});
