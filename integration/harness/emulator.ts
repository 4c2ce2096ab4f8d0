import { afterAll, beforeAll } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../emulator";

/** What every SDK client of a test needs to reach an emulator. */
export interface ClientSettings {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
}

/** Settings for an SDK client: `new SQSClient(settings(emulator))`. Retries are off, so that a test sees each error once. */
export const settings = (
  { endpoint }: Pick<Emulator, "endpoint">,
  { region = "eu-west-1", accessKeyId = "test", maxAttempts = 1 } = {},
): ClientSettings => ({ endpoint, region, maxAttempts, credentials: { accessKeyId, secretAccessKey: "test" } });

/** An emulator for one test file, on a free port, closed afterwards. Read it inside tests only. */
export function useEmulator(options: EmulatorOptions = {}): { readonly current: Emulator } {
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, ...options });
  });
  afterAll(() => emulator?.close());
  return {
    get current() {
      if (!emulator) throw new Error("the emulator starts before the first test; use it inside a test");
      return emulator;
    },
  };
}
