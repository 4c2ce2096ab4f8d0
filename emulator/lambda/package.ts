import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { unzip, unzipSync } from "fflate";
import { limits } from "../core/limits";

/** A zip that cannot be used, and why. */
export class BadPackage extends Error {}

/**
 * Reads a zip's directory and refuses what Lambda refuses; nothing is unpacked.
 *
 * @throws BadPackage
 */
export function checkPackage(zip: Uint8Array): void {
  let files = 0;
  let size = 0;
  try {
    unzipSync(zip, {
      filter: ({ name, originalSize }) => {
        if (!name.endsWith("/")) files++;
        size += originalSize;
        if (escapes(name)) throw new BadPackage();
        return false;
      },
    });
  } catch {
    throw new BadPackage("Could not unzip uploaded file. Please check your file, then try to upload again.");
  }
  if (files === 0) throw new BadPackage("Uploaded file must be a non-empty zip");
  const { value: most } = limits.lambda.unzipped;
  if (size > most) {
    throw new BadPackage(`Unzipped size must be smaller than ${most} bytes`);
  }
}

/** A large package is unpacked beside the main thread; for a small one that thread's start would take longer. */
const unpack = async (zip: Uint8Array): Promise<Record<string, Uint8Array>> =>
  zip.length < 4 * 1024 * 1024 ? unzipSync(zip) : promisify<Uint8Array, Record<string, Uint8Array>>(unzip)(zip);

const escapes = (name: string) => name.includes("\0") || name.startsWith("/") || name.split(/[/\\]/).includes("..");

/** The emulator's folder for unpacked packages: made when first used, removed as a whole. */
export class PackageStore {
  private root?: Promise<string>;
  private counter = 0;
  private readonly busy = new Set<Promise<string>>();
  /** Removes the folder when the process ends without closing the emulator. */
  private atExit?: () => void;

  /** Unpacks a checked zip into a folder of its own and gives the folder's path. */
  unpack(zip: Uint8Array): Promise<string> {
    const work = this.write(zip).finally(() => this.busy.delete(work));
    this.busy.add(work);
    return work;
  }

  private async write(zip: Uint8Array): Promise<string> {
    this.root ??= this.prepare();
    const folder = join(await this.root, String(this.counter++));
    await mkdir(folder);
    const files = await unpack(zip);
    const made = new Map<string, Promise<unknown>>();
    await Promise.all(
      Object.entries(files).map(async ([name, content]) => {
        const path = resolve(folder, name);
        if (!path.startsWith(folder + sep)) return;
        const parent = name.endsWith("/") ? path : dirname(path);
        if (!made.has(parent)) made.set(parent, mkdir(parent, { recursive: true }));
        await made.get(parent);
        if (!name.endsWith("/")) await writeFile(path, content);
      }),
    );
    return folder;
  }

  /** Removes a folder that {@link unpack} gave. */
  async remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

  async clear(): Promise<void> {
    await Promise.allSettled(this.busy);
    const root = await this.root?.catch(() => undefined);
    this.root = undefined;
    if (this.atExit) process.off("exit", this.atExit);
    if (root) await rm(root, { recursive: true, force: true });
  }

  /**
   * The Node.js runtimes carry the AWS SDK, so packages may leave it out
   * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html). Links beside the packages make Node find the
   * emulator's own copy, after whatever a package brings itself.
   */
  private async prepare(): Promise<string> {
    const root = await realpath(await mkdtemp(join(tmpdir(), "sensorcast-lambda-")));
    this.atExit = () => rmSync(root, { recursive: true, force: true });
    process.once("exit", this.atExit);
    const modules = join(root, "node_modules");
    await mkdir(modules);
    for (const name of ["@aws-sdk/client-lambda", "@smithy/core"]) {
      const scope = name.split("/")[0]!;
      const at = require.resolve(name).split(join("node_modules", scope))[0]!;
      await symlink(join(at, "node_modules", scope), join(modules, scope), "junction").catch(() => undefined);
    }
    return root;
  }
}
