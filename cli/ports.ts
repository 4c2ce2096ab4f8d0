import { once } from "node:events";
import { createServer } from "node:net";
import { type Emulator, type EmulatorOptions, startEmulator } from "../emulator";
import { UsageError } from "./arguments";

const usual = 4566;
const usualMqtt = 8883;
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
 * The port for MQTT over TLS: the one that was asked for, else 8883, or 0 for a free one where another program has that.
 * The broker does not listen before AWS IoT is used: that would be late to hear of a port that is taken.
 *
 * @throws UsageError when the port that was asked for is taken.
 */
export async function mqttPort(asked?: number): Promise<number> {
  const wanted = asked ?? usualMqtt;
  const server = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (asked === undefined) return 0;
    if (!isTaken(error)) throw error;
    throw new UsageError(
      `Port ${asked} is taken by another program. Leave --mqtt-port out to get ${usualMqtt}, or a free one.`,
    );
  }
  server.close();
  await once(server, "close");
  return wanted;
}
