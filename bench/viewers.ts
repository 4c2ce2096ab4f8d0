import { once } from "node:events";
import { WebSocket } from "ws";
import type { Figure } from "./report";

/** A browser's place: a socket that gets everything, and the ids that it has seen. */
export interface Viewer {
  readonly socket: WebSocket;
  readonly seen: Map<string, number>;
}

async function connect(url: string, token: string): Promise<Viewer> {
  const socket = new WebSocket(url, ["sensorcast.v1", token]);
  const seen = new Map<string, number>();
  await once(socket, "open");
  const subscribed = new Promise<void>((resolve) => {
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as { type?: string } | { id: string }[];
      if (Array.isArray(frame)) for (const { id } of frame) seen.set(id, (seen.get(id) ?? 0) + 1);
      else if (frame.type === "subscribed") resolve();
    });
  });
  socket.send(JSON.stringify({ action: "subscribe", devices: ["*"] }));
  await subscribed;
  return { socket, seen };
}

/** Connects viewers a few at a time, as the account's rate of new connections asks for. */
export async function connectAll(count: number, url: string, token: string): Promise<Viewer[]> {
  const viewers: Viewer[] = [];
  while (viewers.length < count) {
    const some = Math.min(20, count - viewers.length);
    viewers.push(...(await Promise.all(Array.from({ length: some }, () => connect(url, token)))));
  }
  return viewers;
}

/** Waits for what needs no more than looking, as closely as can be. */
export const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
};

const percentile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

/** How long it takes from `send` to a browser, over 200 rounds. */
export async function latency(name: string, viewer: Viewer, send: () => Promise<unknown>): Promise<Figure[]> {
  const times: number[] = [];
  for (let round = 0; round < 220; round++) {
    const before = viewer.seen.size;
    const started = performance.now();
    await Promise.all([send(), until(() => viewer.seen.size > before)]);
    // The first rounds start functions.
    if (round >= 20) times.push(performance.now() - started);
  }
  return [
    { name: `${name} to browser, p50`, value: percentile(times, 0.5), unit: "ms" },
    { name: `${name} to browser, p99`, value: percentile(times, 0.99), unit: "ms" },
  ];
}
