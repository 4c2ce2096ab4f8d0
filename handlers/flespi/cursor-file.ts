import { open, readFile, rename } from "node:fs/promises";
import { BEGINNING, type Cursor } from "./cursor";

/** What the file holds. */
interface Content {
  channelId: string;
  nextKey: string;
}

/**
 * A cursor in a file, for one process at a time: two of them would each handle everything. It is written beside its
 * place, flushed and renamed, so that whatever ends the process leaves the old content or the new one.
 */
export function fileCursor(path: string, channelId: string): Cursor {
  let pauseUntil = 0;
  return {
    async open() {
      return Date.now() < pauseUntil ? undefined : readKey(path, channelId);
    },
    async move(from, to) {
      if ((await readKey(path, channelId)) !== from) return false;
      await replace(path, `${JSON.stringify({ channelId, nextKey: to } satisfies Content)}\n`);
      return true;
    },
    async close(notBefore = 0) {
      pauseUntil = notBefore;
    },
  };
}

/** @throws when the file is there and is no cursor of this channel: to begin anew would repeat everything */
async function readKey(path: string, channelId: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return BEGINNING;
    throw error;
  }
  const cure = "name another file, or delete it to begin at the channel's first message";
  let content: Partial<Content> | null = null;
  try {
    content = JSON.parse(text) as Partial<Content> | null;
  } catch {
    // Judged below.
  }
  if (typeof content?.nextKey !== "string" || !/^\d{1,38}$/.test(content.nextKey)) {
    throw new Error(`the cursor file ${path} does not hold a cursor; ${cure}`);
  }
  if (content.channelId !== channelId) {
    throw new Error(`the cursor file ${path} is of channel ${content.channelId}, not of ${channelId}; ${cure}`);
  }
  return content.nextKey;
}

async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
