import { once } from "node:events";
import { createServer } from "node:net";
import { type Emulator, type EmulatorOptions, startEmulator } from "../emulator";
import { UsageError } from "./arguments";

const usual = 4566;
const tries = 50;

const isTaken = (error: unknown) => (error as NodeJS.ErrnoException).code === "EADDRINUSE";

/**
 * Starts an emulator on the port that was asked for, else on 4566 or the next free one.
 *
 * @throws UsageError when the port that was asked for is taken.
 */
export async function startOnPort(asked: number | undefined, options: EmulatorOptions = {}): Promise<Emulator> {
  if (asked !== undefined) {
    try {
      return await startEmulator({ ...options, port: asked });
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new UsageError(`Port ${asked} is taken by another program. Leave --port out to get the next free one.`);
    }
  }
  for (let port = usual; ; port++) {
    try {
      return await startEmulator({ ...options, port });
    } catch (error) {
      if (!isTaken(error) || port >= usual + tries) throw error;
    }
  }
}

/**
 * Hears at once of a port for MQTT over TLS that is taken: the broker does not listen before AWS IoT is used.
 *
 * @throws UsageError when another program has it.
 */
export async function checkMqttPort(asked: number | undefined): Promise<void> {
  if (asked === undefined) return;
  const server = createServer().listen(asked, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new UsageError(`Port ${asked} is taken by another program. Leave --mqtt-port out to get a free one.`);
  }
  server.close();
  await once(server, "close");
}
