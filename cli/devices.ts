import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Emulator } from "../emulator";
import { shellWords } from "./screen";

/** What a device's files are made of: an entry of the stack's output `devices`. */
export interface DeviceCredentials {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
  /** What it may publish to. */
  readonly topics: readonly string[];
}

/** A device that can connect: where, as whom, and with which files. */
export interface ReadyDevice {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

/**
 * Writes what each device needs to connect into a folder, keys readable by their owner only.
 *
 * @param endpoint AWS IoT's data endpoint, with a port where it is not 8883.
 */
export async function writeDevices(
  folder: string,
  devices: Readonly<Record<string, DeviceCredentials>>,
  endpoint: string,
  emulator: Pick<Emulator, "endpoint">,
): Promise<ReadyDevice[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const ca = join(folder, "root-ca.pem");
  await writeFile(ca, await (await fetch(`${emulator.endpoint}/_aws/iot/ca.pem`)).text());
  const [host = "", port = "8883"] = endpoint.split(":");
  return Promise.all(
    Object.entries(devices).map(async ([name, { certificate, privateKey, topics }]) => {
      const files = { ca, cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
      await writeFile(files.cert, certificate);
      await writeFile(files.key, privateKey, { mode: 0o600 });
      return { name, host, port: Number(port), topic: topics[0]!, files };
    }),
  );
}

/** A `mosquitto_pub` command that people can paste, with files relative to where they are. */
export function mosquittoPub({ name, host, port, topic, files }: ReadyDevice, message: string): string {
  const at = (path: string) => relative(process.cwd(), path);
  return shellWords([
    ...["mosquitto_pub", "--cafile", at(files.ca), "--cert", at(files.cert), "--key", at(files.key)],
    ...["-h", host, "-p", String(port), "-i", name, "-q", "1", "-t", topic, "-m", message],
  ]);
}
