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

/** The usual port of MQTT over TLS, or 0 for a free one where another program has that. */
export async function mqttPort(): Promise<number> {
  const server = createServer().listen(8883, "127.0.0.1");
  try {
    await once(server, "listening");
    return 8883;
  } catch {
    return 0;
  } finally {
    server.close();
  }
}
