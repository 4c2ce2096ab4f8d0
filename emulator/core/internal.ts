import type { IncomingHttpHeaders } from "node:http";
import type { Denial } from "./access/denial";
import { type Clock, toMilliseconds } from "./clock";
import { InvalidFault } from "./faults/check";
import type { Faults } from "./faults/faults";
import type { Answer } from "./protocols/wire";
import type { Services } from "./services";

/** A request to the emulator itself. */
export interface InternalRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Reads the whole body; rejects with AwsError 413 when it is too large. */
  body(): Promise<Buffer>;
}

/** What the emulator's own addresses tell and change. */
export interface InternalParts {
  readonly services: Services;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly denials: readonly Denial[];
  reset(): Promise<void>;
}

/** Answers one address; `id` is what stands for `{id}` in it. */
type Handler = (parts: InternalParts, request: InternalRequest, id: string) => Answer | Promise<Answer>;

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** A request that cannot be done as it is. */
class BadRequest extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("; "));
  }
}

async function readObject(request: InternalRequest): Promise<Record<string, unknown>> {
  const text = (await request.body()).toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, with what is no object.
  }
  throw new BadRequest(["the body has to be a JSON object"]);
}

/** By method and address below `/_emulator/`. */
const routes: Record<string, Handler> = {
  async "GET health"({ services }) {
    const { registry } = await import("../registry");
    const loaded = new Set(services.loaded());
    const states = Object.keys(registry).map((service) => [service, loaded.has(service) ? "running" : "available"]);
    return json(200, { services: Object.fromEntries(states), edition: "sensorcast" });
  },

  async "POST reset"({ reset }) {
    await reset();
    return json(200, { status: "reset" });
  },

  async "POST clock"({ clock }, request) {
    const { advance } = await readObject(request);
    const duration = typeof advance === "number" || typeof advance === "string" ? advance : "";
    try {
      toMilliseconds(duration);
    } catch (error) {
      throw new BadRequest([`advance: ${(error as Error).message}`]);
    }
    await clock.advance(duration);
    return json(200, { now: new Date(clock.now()).toISOString() });
  },

  "GET denials": ({ denials }) => json(200, { denials }),

  "GET faults": ({ faults }) => json(200, { faults: faults.list() }),

  async "POST faults"({ faults }, request) {
    try {
      return json(201, faults.inject(await readObject(request)));
    } catch (error) {
      throw error instanceof InvalidFault ? new BadRequest(error.problems) : error;
    }
  },

  "DELETE faults"({ faults }) {
    faults.clear();
    return json(200, { faults: [] });
  },

  "DELETE faults/{id}"({ faults }, _request, id) {
    const fault = faults.get(id);
    if (!fault) return json(404, { message: `There is no fault ${id}; GET faults lists all` });
    fault.remove();
    return json(200, fault);
  },
};

const local = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** The emulator's own addresses. A web page of another origin is refused: it could otherwise reset a developer's stack. */
export function internalAddresses(parts: InternalParts): (request: InternalRequest) => Promise<Answer> {
  return async (request) => {
    const { method, path, headers } = request;
    if (headers.origin && !local.test(headers.origin)) {
      return json(403, { message: `Origin ${headers.origin} may not use this address` });
    }
    const [name = "", id = "", ...more] = path.replace(/^\/_(emulator|localstack)\//, "").split("/");
    const address = [name, ...(id ? ["{id}"] : []), ...more].join("/");
    const key = `${method} ${address}`;
    if (!Object.hasOwn(routes, key)) {
      const known = Object.keys(routes).join(", ");
      return json(404, { message: `${method} ${path} is not an address of the emulator; it has ${known}` });
    }
    try {
      return await routes[key]!(parts, request, id);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      return json(400, { message: error.message, problems: error.problems });
    }
  };
}
