import type { RunningBackend } from "./backend";

/** How to know what answers at an endpoint, and how it is emptied. */
const known = [
  { name: "endpoint", health: "/_emulator/health", resetPath: "/_emulator/reset" },
  { name: "ministack", health: "/_ministack/health", resetPath: "/_ministack/reset" },
  { name: "localstack", health: "/_localstack/health", resetPath: "/_localstack/state/reset" },
] as const;

/**
 * An AWS that somebody else has started. It is not ended here, and the tests go through it one file at a time.
 *
 * @throws Error when nobody answers there.
 */
export async function reachEndpoint(url: string): Promise<RunningBackend> {
  const found = { endpoints: [url], close: async () => {} };
  for (const { name, health: path, resetPath } of known) {
    const response = await fetch(`${url}${path}`).catch((error: Error) => {
      throw new Error(`TEST_BACKEND=endpoint=${url}: nobody answers there (${error.cause ?? error.message})`);
    });
    const health = (await response.json().catch(() => ({}))) as { edition?: string };
    if (response.ok) return { name, resetPath, paid: health.edition === "pro", ...found };
  }
  return { name: "endpoint", ...found };
}
