import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { unzipSync } from "fflate";
import { inParallel } from "./parallel";
import type { WireObject } from "./values";
import { makeZip } from "./zip";

/** A file, text or remote content that a program gives to a resource. */
export class Asset {
  constructor(
    private readonly source: WireObject,
    private readonly directory: string,
  ) {}

  async content(): Promise<Buffer> {
    const { path, text, uri } = this.source;
    if (typeof path === "string") return readFile(resolve(this.directory, path));
    if (typeof text === "string") return Buffer.from(text);
    if (typeof uri === "string") return fetchRemote(uri);
    throw new Error("an asset has no path, text or uri; its content is not kept in the state");
  }

  async hash(): Promise<string> {
    return sha256(await this.content());
  }

  /** The name of the file, where there is one. */
  get name(): string | undefined {
    const { path, uri } = this.source;
    return typeof path === "string" ? basename(path) : typeof uri === "string" ? basename(uri) : undefined;
  }
}

/** A folder, a zip file, or named assets and archives. */
export class Archive {
  constructor(
    private readonly source: WireObject,
    private readonly directory: string,
    private readonly assets?: Record<string, Asset | Archive>,
  ) {}

  /** The archive as a zip with files in the order of their names; an existing zip file is taken as it is. */
  async zip(): Promise<Buffer> {
    const whole = await this.existingZip();
    if (whole) return whole;
    return makeZip(await this.files());
  }

  /** A hash of the names and contents, the same for a folder and for a zip of it. */
  async hash(): Promise<string> {
    const whole = await this.existingZip();
    if (whole) return sha256(whole);
    const files = await this.files();
    const hash = createHash("sha256");
    for (const name of [...files.keys()].sort()) hash.update(`${name}\0${sha256(files.get(name)!)}\0`);
    return hash.digest("hex");
  }

  private async existingZip(): Promise<Buffer | undefined> {
    const { path, uri } = this.source;
    if (typeof uri === "string") return fetchRemote(uri);
    if (typeof path !== "string") return undefined;
    const full = resolve(this.directory, path);
    if ((await stat(full)).isDirectory()) return undefined;
    if (!/\.(zip|jar|war)$/i.test(full)) throw new Error(`${path} is neither a folder nor a zip file`);
    return readFile(full);
  }

  private async files(): Promise<Map<string, Uint8Array>> {
    const sources: Sources = new Map();
    await this.list("", sources);
    const files = new Map<string, Uint8Array>();
    // node_modules has thousands of files; a process may open only so many at once.
    await inParallel(sources, 16, async ([name, read]) => {
      files.set(name, await read());
    });
    return files;
  }

  /** Adds all files with the names they have in the archive, without reading them yet. */
  private async list(prefix: string, sources: Sources): Promise<void> {
    const whole = await this.existingZip();
    if (whole) {
      for (const [name, content] of Object.entries(unzipSync(whole))) sources.set(prefix + name, async () => content);
      return;
    }
    if (typeof this.source.path === "string") {
      await listFolder(resolve(this.directory, this.source.path), prefix, sources);
    }
    for (const [name, asset] of Object.entries(this.assets ?? {})) {
      if (asset instanceof Asset) sources.set(prefix + name, () => asset.content());
      else await asset.list(`${prefix}${name}/`, sources);
    }
  }
}

type Sources = Map<string, () => Promise<Uint8Array>>;

async function listFolder(folder: string, prefix: string, sources: Sources): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // Links inside a folder are followed, as Pulumi does.
    const isFolder = entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory();
    if (isFolder) await listFolder(path, `${prefix}${entry.name}/`, sources);
    else sources.set(prefix + entry.name, () => readFile(path));
  }
}

async function fetchRemote(uri: string): Promise<Buffer> {
  if (uri.startsWith("file://")) return readFile(new URL(uri));
  const response = await fetch(uri);
  if (!response.ok) throw new Error(`${uri} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
