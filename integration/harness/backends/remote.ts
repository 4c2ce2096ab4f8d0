import { Clock, type Emulator } from "../../../emulator";
import type { BackendNote } from "./backend";
import { needsEmbedded } from "./needs";

/** The clock of a backend: it goes by itself, and nobody moves it. */
class RealTime extends Clock {
  override advance(): never {
    return needsEmbedded("the clock");
  }
  override idle(): never {
    return needsEmbedded("the clock");
  }
  override after(): never {
    return needsEmbedded("the clock");
  }
}

/** The endpoint that belongs to this worker. Each has one of its own, or there is one worker. */
function endpointOf({ endpoints }: BackendNote): string {
  const worker = Number(process.env.VITEST_POOL_ID ?? 1);
  const endpoint = endpoints[(worker - 1) % endpoints.length];
  if (!endpoint) throw new Error("the backend has no endpoint");
  return endpoint;
}

async function empty(endpoint: string, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const response = await fetch(endpoint + path, { method: "POST" });
  if (!response.ok) throw new Error(`${endpoint}${path} answers ${response.status}: ${await response.text()}`);
}

/**
 * A backend in the shape of an embedded AWS, emptied. What only the embedded AWS has skips the test that asks for it.
 */
export async function startRemote(backend: BackendNote): Promise<Emulator> {
  const endpoint = endpointOf(backend);
  const reset = () => empty(endpoint, backend.resetPath);
  await reset();
  const close = async () => {};
  return {
    endpoint,
    port: Number(new URL(endpoint).port),
    clock: new RealTime(),
    faults: {
      inject: () => needsEmbedded("the faults"),
      watch: () => needsEmbedded("the faults"),
      // Nothing was injected.
      list: () => [],
      clear() {},
    },
    get journal() {
      return needsEmbedded("the journal");
    },
    get inspection() {
      return needsEmbedded("the inspection");
    },
    get denials() {
      return needsEmbedded("the denials");
    },
    watch: () => needsEmbedded("the requests"),
    watchAccess: () => needsEmbedded("the decisions of IAM"),
    watchDenials: () => needsEmbedded("the denials"),
    intercept: () => needsEmbedded("the interceptors"),
    reset,
    close,
    [Symbol.asyncDispose]: close,
  };
}
