import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** A bundle and the files that it was made of, relative to the program's directory. */
export interface Bundle {
  readonly code: string;
  readonly inputs: readonly string[];
}

/** As it lies on the disk: each file with the time and the size that it had. */
interface Kept {
  readonly code: string;
  readonly stamps: Readonly<Record<string, string>>;
}

/** More bundles than this are not kept; the oldest go first. A bundle is about 200 KB. */
const most = 200;

/**
 * Bundling the AWS SDK takes a fifth of a second, for each function, at each preview and each deployment, although a
 * function seldom changes. So bundles are kept in node_modules/.cache, where tools keep such things, and are used again
 * while the text and all files that went in are the same, and nothing was installed since.
 */
export async function keptBundle(directory: string, key: readonly string[]): Promise<string | undefined> {
  const path = pathOf(directory, key);
  if (!path) return undefined;
  try {
    const { code, stamps } = JSON.parse(await readFile(path, "utf8")) as Kept;
    const same = await Promise.all(
      Object.entries(stamps).map(async ([file, stamp]) => (await stampOf(resolve(directory, file))) === stamp),
    );
    return same.every(Boolean) ? code : undefined;
  } catch {
    // Not there, or cut off: it is made anew.
    return undefined;
  }
}

/** Keeps a bundle for {@link keptBundle}. Where nothing can be written, nothing is kept. */
export async function keepBundle(directory: string, key: readonly string[], { code, inputs }: Bundle): Promise<void> {
  const path = pathOf(directory, key);
  if (!path) return;
  const folder = dirname(path);
  // What npm writes at each installation: another version of a package may now be found first.
  const installed = join(folder, "../../../.package-lock.json");
  const files = [...inputs.filter((file) => file !== "index.js" || existsSync(resolve(directory, file))), installed];
  try {
    const stamps = await Promise.all(files.map(async (file) => [file, await stampOf(resolve(directory, file))]));
    await mkdir(folder, { recursive: true });
    // Renamed into place: another process may read or write the same bundle at this moment.
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, JSON.stringify({ code, stamps: Object.fromEntries(stamps) } satisfies Kept));
    await rename(draft, path);
    await removeOldest(folder);
  } catch {
    // A read-only or full disk costs time, not the deployment.
  }
}

function pathOf(directory: string, key: readonly string[]): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const modules = join(at, "node_modules");
    const name = createHash("sha256").update(JSON.stringify(key)).digest("hex");
    if (existsSync(modules)) return join(modules, ".cache", "sensorcast", "bundles", `${name}.json`);
    if (dirname(at) === at) return undefined;
  }
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${found.mtimeMs}/${found.size}` : "none";
}

async function removeOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  dated.sort((one, other) => one.at - other.at);
  await Promise.all(dated.slice(0, names.length - most).map(({ name }) => rm(join(folder, name), { force: true })));
}
