import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { unzipSync, type Zippable, zipSync } from "fflate";
import type { WireObject } from "./values";

// A zip of the same files must have the same bytes every time, because functions are compared by their hash. This is
// the earliest moment a zip can hold.
const epoch = new Date(1980, 0, 1);

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
    const files = await this.files();
    const entries: Zippable = {};
    for (const name of [...files.keys()].sort()) {
      // Mode 755: Lambda runs layers' binaries and custom bootstraps straight from the zip.
      entries[name] = [files.get(name)!, { mtime: epoch, os: 3, attrs: 0o100755 * 0x10000 }];
    }
    return Buffer.from(zipSync(entries, { level: 6 }));
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
    const files = new Map<string, Uint8Array>();
    if (typeof this.source.path === "string") await addFolder(resolve(this.directory, this.source.path), "", files);
    for (const [name, asset] of Object.entries(this.assets ?? {})) {
      if (asset instanceof Asset) files.set(name, await asset.content());
      else for (const [inner, content] of await asset.contents()) files.set(`${name}/${inner}`, content);
    }
    return files;
  }

  private async contents(): Promise<Map<string, Uint8Array>> {
    const whole = await this.existingZip();
    return whole ? new Map(Object.entries(unzipSync(whole))) : this.files();
  }
}

async function addFolder(folder: string, prefix: string, files: Map<string, Uint8Array>): Promise<void> {
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    // stat, not the entry's own kind: links inside a folder are followed, as Pulumi does.
    if ((await stat(path)).isDirectory()) await addFolder(path, `${prefix}${entry}/`, files);
    else files.set(prefix + entry, await readFile(path));
  }
}

async function fetchRemote(uri: string): Promise<Buffer> {
  if (uri.startsWith("file://")) return readFile(new URL(uri));
  const response = await fetch(uri);
  if (!response.ok) throw new Error(`${uri} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
