import Module, { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";

const { cache } = createRequire(__filename);

const installedAs = (names: string) => new RegExp(`node_modules[\\\\/](?:${names})[\\\\/]`);

/** Packages that take long to load, and keep nothing of a program. What they load themselves stays, too. */
const lasting = installedAs("@pulumi|@aws-sdk|@smithy|@grpc|google-protobuf|typescript|esbuild");
/** Among them what belongs to one run: it remembers sources, or holds the program. */
const passing =
  /node_modules[\\/](?:@cspotcode[\\/])?source-map-support[\\/]|[\\/]ts-node(?:@[\d.]+)?[\\/]|[\\/]cmd[\\/]run[\\/](?:run|index)\.js$/;

/** Whether a file is part of what stays loaded between runs. */
export const isLasting = (path: string): boolean => lasting.test(path) && !passing.test(path);

/** Looks after what is loaded in a process that runs programs again and again. */
export class WarmModules {
  private unrepeatable = false;

  /** Told of each script that V8 compiles. An ES module cannot be loaded a second time: the program needs a new process. */
  onScript({ url, isModule }: { url: string; isModule?: boolean }): void {
    if (isModule && url.startsWith("file:") && !isLasting(fileURLToPath(url))) this.unrepeatable = true;
  }

  /** Forgets all that is not to stay. Says whether the program can be run again in this process. */
  forget(): boolean {
    const stays = new Set(this.lasting());
    for (const [path, loaded] of Object.entries(cache)) {
      if (!loaded || stays.has(loaded)) continue;
      if (path.endsWith(".node")) this.unrepeatable = true;
      delete cache[path];
    }
    for (const one of stays) one.children = childrenOf(one).filter((child) => stays.has(child));
    // Where Node has found modules: files may come and go.
    const { _pathCache: found } = Module as unknown as { _pathCache: Record<string, string> };
    for (const [key, path] of Object.entries(found)) if (!isLasting(path)) delete found[key];
    return !this.unrepeatable;
  }

  /** The paths of modules that another process may load in advance, in their order. */
  loaded(): string[] {
    return this.lasting().map(({ filename }) => filename);
  }

  private lasting(): NodeModule[] {
    const seen = new Set<NodeModule>();
    const visit = (one: NodeModule) => {
      const { filename } = one;
      if (seen.has(one) || !filename || passing.test(filename) || !isInstalled(filename)) return;
      seen.add(one);
      for (const child of childrenOf(one)) visit(child);
    };
    for (const one of Object.values(cache)) if (one?.filename && isLasting(one.filename)) visit(one);
    // This program's own parts.
    for (const one of Object.values(cache)) if (one && dirname(one.filename ?? "") === __dirname) seen.add(one);
    return [...seen];
  }
}

/** What a module was the first to ask for. Entries that somebody else has put into the cache may have no list. */
const childrenOf = ({ children }: { children?: NodeModule[] }): NodeModule[] => children ?? [];

const isInstalled = (path: string) => path.includes(`${sep}node_modules${sep}`);
