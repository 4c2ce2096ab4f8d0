import { join } from "node:path";
import type { ConfigValues } from "../deploy";
import type { Emulator } from "../emulator";
import { type DeviceCredentials, mosquittoPub, writeDevices } from "./devices";
import { curl, paint } from "./screen";
import { sampleReading, simulate } from "./simulate";
import { simulateMqtt } from "./simulate-mqtt";

/** Devices that `--simulate` drives. */
const lorries = ["lorry-1", "lorry-2", "lorry-3"];

/** What the stack of `index.ts` is told beside its files. */
export const ownConfig = (simulated: boolean): ConfigValues => ({
  devices: ["sensor-1", ...(simulated ? lorries : [])],
});

/**
 * Prints commands that people can paste to send something through the stack of `index.ts`; simulates devices where that
 * is asked for.
 *
 * @param folder where certificates and keys of devices go.
 * @returns what ends the simulation.
 */
export async function tryOwnStack(
  outputs: Readonly<Record<string, unknown>>,
  emulator: Emulator,
  { folder, simulated }: { folder: string; simulated: boolean },
): Promise<() => Promise<void>> {
  const text = (name: string) => String(outputs[name]);
  const url = text("url");
  const headers = {
    "content-type": "application/json",
    ...(typeof outputs.apiKey === "string" && { "x-api-key": outputs.apiKey }),
  };
  const reading = JSON.stringify([sampleReading(Date.now() / 1000)]);
  console.log(`\n${paint("bold", "Send a reading")}\n  ${curl(url, headers, reading)}`);
  const publish = { AuthDetails: text("postboxToken"), "content-type": "application/json" };
  console.log(
    `\n${paint("bold", "Publish anything of up to 10 MB (a file: --data-binary @file)")}\n  ${curl(text("postboxUrl"), publish, "{}")}`,
  );
  const credentials = outputs.devices as Record<string, DeviceCredentials>;
  // Another run at the same time has an authority of its own.
  const devices = await writeDevices(join(folder, String(emulator.port)), credentials, text("iotEndpoint"), emulator);
  const sensor = devices.find(({ name }) => name === "sensor-1");
  console.log(`\n${paint("bold", "Publish by MQTT")}\n  ${mosquittoPub(sensor!, '{"temp":21.3,"humd":45.2}')}`);

  const noAnswer = (why: string) => console.log(paint("red", `the simulated devices got no answer: ${why}`));
  const stop = simulated ? simulate(url, headers, noAnswer) : undefined;
  const stopMqtt = await simulateMqtt(
    devices.filter(({ name }) => lorries.includes(name)),
    noAnswer,
  );
  return async () => {
    stop?.();
    await stopMqtt();
  };
}
