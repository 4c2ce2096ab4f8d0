import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DeployError } from "./errors";
import { inUse, type Lock, lockFile } from "./lock";
import { type Cipher, openCipher } from "./secrets";
import type { WireObject } from "./values";

/** What the engine remembers of one resource. */
export interface ResourceState {
  urn: string;
  type: string;
  name: string;
  parent?: string;
  /** False for components and the stack itself, which exist only here. */
  custom: boolean;
  /** The physical id; components have none. */
  id?: string;
  /** As the program gave them, with the generated name; of assets only the hash. */
  inputs: WireObject;
  outputs: WireObject;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** `<urn>::<id>` of an explicit provider resource. */
  provider?: string;
  /** The property whose value was generated. */
  autonamed?: string;
  /** Recorded only: nothing stands behind it at the endpoint. */
  recorded?: true;
  /** Read with `Type.get`, owned by someone else: never updated or deleted. */
  external?: true;
  protect?: boolean;
  retainOnDelete?: boolean;
  deletedWith?: string;
  /** Replaced already; only its deletion is left to do. */
  obsolete?: true;
  /** Created only partly: why. The next deployment makes it anew. */
  incomplete?: string;
  timeouts?: { create?: string; update?: string; delete?: string };
}

/** An operation that was under way when the state was last written. */
export interface PendingOperation {
  urn: string;
  operation: "create" | "update" | "delete";
}

export interface StackState {
  resources: ResourceState[];
  pending: PendingOperation[];
}

interface StateFile extends StackState {
  version: 1;
  project: string;
  stack: string;
  /** For the key of the passphrase; without a passphrase there is none. */
  salt?: string;
}

/** Where the state of one stack is kept between deployments. */
export interface StateStore {
  /** Keeps other deployments away until it is given back. Rejects while another one has it. */
  lock(): Promise<Lock>;
  load(): Promise<StackState>;
  /** Resolves when what `current` gives at some moment after the call is stored. It gives live objects: keep a copy. */
  save(current: () => StackState): Promise<void>;
}

const empty = (): StackState => ({ resources: [], pending: [] });

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The first thing that is missing in a state file, which somebody has edited then. */
function damageOf({ resources, pending }: StateFile): string | undefined {
  for (const [i, resource] of resources.entries()) {
    if (!isObject(resource)) return `resources[${i}] is no resource`;
    const { urn, type, name, custom, inputs, outputs, dependencies, propertyDependencies } = resource;
    const fields = {
      ...{ urn: typeof urn === "string", type: typeof type === "string", name: typeof name === "string" },
      ...{ custom: typeof custom === "boolean", inputs: isObject(inputs), outputs: isObject(outputs) },
      ...{ dependencies: Array.isArray(dependencies), propertyDependencies: isObject(propertyDependencies) },
    };
    const [bad] = Object.entries(fields).find(([, good]) => !good) ?? [];
    if (bad) return `resources[${i}]${typeof urn === "string" ? ` (${urn})` : ""} has no ${bad}`;
  }
  const known = Array.isArray(pending) && pending.every((note) => isObject(note) && typeof note.urn === "string");
  return known ? undefined : "it has no list of pending operations";
}

/** Keeps the state only as long as the process lives. */
export class MemoryStore implements StateStore {
  /** Copied when it is read: a copy at each step would cost more than the steps themselves. */
  private current: () => StackState = empty;
  private locked = false;

  async lock(): Promise<Lock> {
    if (this.locked) throw inUse("this stack");
    this.locked = true;
    return {
      [Symbol.asyncDispose]: async () => {
        this.locked = false;
      },
    };
  }

  async load(): Promise<StackState> {
    return structuredClone(this.current());
  }

  async save(current: () => StackState): Promise<void> {
    this.current = current;
  }
}

/**
 * Keeps the state in a JSON file that only its owner can read, replaced as a whole after every step, so that a crash
 * never leaves half a file. With a passphrase each secret is encrypted (AES-256-GCM, key by scrypt); without one,
 * secrets are in the file in clear. Code and other assets are never in it, only their hashes.
 */
export class FileStore implements StateStore {
  private cipher: Promise<Cipher | undefined> | undefined;
  private writing: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    private readonly project: string,
    private readonly stack: string,
    private readonly passphrase?: string,
  ) {}

  lock(): Promise<Lock> {
    return lockFile(this.path);
  }

  async load(): Promise<StackState> {
    const text = await readFile(this.path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new DeployError(`the state file ${this.path} cannot be read: ${error.message}`);
    });
    if (text === undefined) return empty();
    const file = this.parse(text);
    this.cipher = openCipher(this.passphrase, file.salt);
    const cipher = await this.cipher;
    if (file.salt && !cipher) {
      throw new DeployError(
        `the secrets in ${this.path} are encrypted: give the passphrase (option "passphrase" or PULUMI_CONFIG_PASSPHRASE)`,
      );
    }
    const resources = cipher ? cipher.decryptSecrets(file.resources, this.path) : file.resources;
    return { resources, pending: file.pending };
  }

  private parse(text: string): StateFile {
    let file: StateFile;
    try {
      file = JSON.parse(text);
    } catch {
      throw new DeployError(`${this.path} is not a state file: it is not JSON`);
    }
    if (file?.version !== 1 || !Array.isArray(file.resources)) {
      throw new DeployError(`${this.path} is not a state file of this engine`);
    }
    if (file.project !== this.project || file.stack !== this.stack) {
      throw new DeployError(
        `${this.path} holds stack "${file.stack}" of project "${file.project}", not "${this.stack}" of "${this.project}"`,
      );
    }
    const damage = damageOf(file);
    if (damage) throw new DeployError(`the state file ${this.path} is damaged: ${damage}`);
    return file;
  }

  save(current: () => StackState): Promise<void> {
    // All steps that finish while one write is under way share the next write.
    this.queued ??= this.writing.then(() => {
      this.queued = undefined;
      const written = this.write(current);
      this.writing = written.catch(() => undefined);
      return written;
    });
    return this.queued;
  }

  private async write(current: () => StackState): Promise<void> {
    this.cipher ??= openCipher(this.passphrase);
    const cipher = await this.cipher;
    const state = current();
    const file: StateFile = {
      version: 1,
      project: this.project,
      stack: this.stack,
      ...(cipher && { salt: cipher.salt }),
      pending: state.pending,
      resources: cipher ? cipher.encryptSecrets(state.resources) : state.resources,
    };
    await mkdir(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.${randomUUID()}.tmp`;
    try {
      await writeFile(temporary, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 });
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw new DeployError(`the state file ${this.path} cannot be written: ${(error as Error).message}`);
    }
  }
}
