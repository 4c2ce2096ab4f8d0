import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DeployError } from "./errors";

/** Held while one deployment works on a state. */
export interface Lock {
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Keeps a second deployment away from a state file: two at once would create everything twice, and the state of one of
 * them would be lost. The lock is a file beside it with the number of the process that holds it, so that one which a
 * crash left behind does not count.
 */
export async function lockFile(path: string): Promise<Lock> {
  const lock = `${path}.lock`;
  try {
    await mkdir(dirname(path), { recursive: true });
    if (!(await take(lock))) {
      const holder = await holderOf(lock);
      if (holder !== undefined && isAlive(holder)) throw inUse(path, holder);
      // Moved away first: of two that find it abandoned, one gets it.
      const abandoned = `${lock}.${randomUUID()}`;
      await rename(lock, abandoned).catch(() => undefined);
      await rm(abandoned, { force: true });
      if (!(await take(lock))) throw inUse(path, await holderOf(lock));
    }
  } catch (error) {
    if (error instanceof DeployError) throw error;
    throw new DeployError(`the state file ${path} cannot be locked: ${(error as Error).message}`);
  }
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

/** False when another one has it. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function holderOf(lock: string): Promise<number | undefined> {
  const text = await readFile(lock, "utf8").catch(() => "");
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user answers EPERM, and is there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The refusal of a deployment while another one is under way. */
export const inUse = (what: string, holder?: number): DeployError =>
  new DeployError(
    `another deployment${holder === undefined ? "" : ` (process ${holder})`} is under way on ${what}: wait until it has ended`,
  );
