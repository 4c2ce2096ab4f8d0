import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
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

/**
 * What npm, pnpm and Yarn write into node_modules at each installation: another version of a package may now be found
 * first, and pnpm leaves the files of the one before where they were.
 */
const installations = [".package-lock.json", ".modules.yaml", ".yarn-state.yml", ".yarn-integrity"];

/** What esbuild reads in the program's directory to find modules, besides the modules. */
const settings = ["package.json", "tsconfig.json"];

/** More bundles than this are not kept; the oldest go first. With SDK clients a bundle is half a megabyte or more. */
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
    if (Object.entries(stamps).some(([file, stamp]) => stampOf(resolve(directory, file)) !== stamp)) return undefined;
    // The one that was not used for the longest time goes first.
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return code;
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
  const modules = join(folder, "../../..");
  const files = [
    ...inputs,
    ...installations.map((file) => join(modules, file)),
    ...settings.map((file) => join(directory, file)),
  ];
  try {
    const stamps = files.map((file) => [file, stampOf(resolve(directory, file))]);
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

/** Not asynchronous: for hundreds of small files at a time, that takes ten times as much of the processor. */
function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs}/${found.size}` : "none";
}

async function removeOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  dated.sort((one, other) => one.at - other.at);
  await Promise.all(dated.slice(0, names.length - most).map(({ name }) => rm(join(folder, name), { force: true })));
}
