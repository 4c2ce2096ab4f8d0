import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  ChannelOptions,
  Cursor,
  FlespiHandler,
  FlespiLetter,
  FlespiMessage,
  ReceiverParts,
  Round,
} from "../../handlers/flespi";
import { CHANNEL_DEFAULTS, fileCursor } from "../../handlers/flespi";
import { channelId, type FlespiStandin, token } from "./flespi-standin";

/** A channel as receivers are told about it. */
export const channelOf = ({ url }: FlespiStandin, options: Partial<ChannelOptions> = {}): ChannelOptions => ({
  channelId: String(channelId),
  ...CHANNEL_DEFAULTS,
  ...{ token, url, limitCount: 10 },
  ...options,
});

/** Tries again at once. */
export const patience = {
  channel: { baseMs: 1, capMs: 1, attempts: 3 },
  handlers: { baseMs: 1, capMs: 1, attempts: 3 },
};

/** A round that ends when the channel is drained. */
export const round = (options: Partial<Round> = {}): Round => ({
  deadline: Date.now() + 20_000,
  waitSeconds: 0,
  ...options,
});

/** A directory for one test. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "flespi-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A receiver's parts that remember what came, with a cursor in a file. */
export function recording(flespi: FlespiStandin, cursorFile: string) {
  const received: FlespiMessage[] = [];
  const letters: { letter: FlespiLetter; json: string }[] = [];
  const handler: FlespiHandler = {
    async handle(messages) {
      received.push(...messages);
      return undefined;
    },
  };
  const cursor: Cursor = fileCursor(cursorFile, String(channelId));
  const parts: ReceiverParts = {
    channel: channelOf(flespi),
    ...{ cursor, handlers: [handler], patience },
    deadLetters: async (more) => void letters.push(...more),
  };
  return { parts, received, letters };
}
