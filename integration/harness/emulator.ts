import { afterAll, beforeAll, inject } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator as startEmbedded } from "../../emulator";
import { needsEmbedded } from "./backends/needs";
import { startRemote } from "./backends/remote";

/** What every SDK client of a test needs to reach an emulator. */
export interface ClientSettings {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  maxAttempts: number;
}

/** Settings for an SDK client: `new SQSClient(settings(emulator))`. Retries are off, so that a test sees each error once. */
export const settings = (
  { endpoint }: Pick<Emulator, "endpoint">,
  { region = "eu-west-1", accessKeyId = "test", maxAttempts = 1 } = {},
): ClientSettings => ({ endpoint, region, maxAttempts, credentials: { accessKeyId, secretAccessKey: "test" } });

/** An AWS for tests: an embedded one of its own, or the backend that TEST_BACKEND names, emptied and without the options. */
export function startAws(options: EmulatorOptions = {}): Promise<Emulator> {
  const backend = inject("backend");
  return backend ? startRemote(backend) : startEmbedded({ port: 0, ...options });
}

/** An embedded AWS beside the file's own. On another backend, the test is skipped. */
export async function startEmulator(options?: EmulatorOptions): Promise<Emulator> {
  return inject("backend") ? needsEmbedded("another instance") : startEmbedded(options);
}

/** An emulator for one test file, on a free port, closed afterwards. Read it inside tests only. */
export function useEmulator(options: EmulatorOptions = {}): { readonly current: Emulator } {
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startAws(options);
  });
  afterAll(() => emulator?.close());
  return {
    get current() {
      if (!emulator) throw new Error("the emulator starts before the first test; use it inside a test");
      return emulator;
    },
  };
}
