import { randomUUID } from "node:crypto";
import { deleteInOrder } from "./deleting";
import { cureFor, DeployError, describeError, type Failure, InvalidInput } from "./errors";
import { callFunction } from "./invokes";
import type { ProviderHost, ProviderHosts } from "./providers/host";
import { localConstructs, type RegisterChild } from "./remote";
import type { PendingOperation, ResourceState, StackState, StateStore } from "./state";
import { applyCustom, deleteResource, readExternal, type StepHost } from "./steps";
import type { Action, DeployEvent, Summary } from "./types";
import { makeUrn, splitProvider, urnName, urnType } from "./urn";
import { keepSecrets, toPlainObject, toStateObject, type Wire, type WireObject } from "./values";

/** A resource as the program registers it. */
export interface Registration {
  type: string;
  name: string;
  parent?: string;
  custom: boolean;
  /** A component of another package, which that package's provider would build. */
  remote: boolean;
  inputs: WireObject;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** `<urn>::<id>`. */
  provider?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  deleteBeforeReplace?: boolean;
  deletedWith?: string;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  aliases: Alias[];
  importId?: string;
  timeouts?: { create?: string; update?: string; delete?: string };
  /** Where the program creates it: `index.ts:12:3`. */
  position?: string;
}

/** A former name of a resource; missing parts are as they are now. */
export type Alias =
  | { urn: string }
  | { name?: string; type?: string; stack?: string; project?: string; parent?: string; noParent?: boolean };

/** What the program is told of its resource. */
export interface Registered {
  urn: string;
  id?: string;
  outputs: WireObject;
}

/** Thrown to calls after the first failure; the monitor answers them in the way that keeps the SDK quiet. */
export class Stopped extends Error {}

export interface EngineSettings {
  stack: string;
  project: string;
  /** The folder with Pulumi.yaml; places in the program are told relative to it. */
  root: string;
  /** Where relative paths of assets start. */
  directory: string;
  hosts: ProviderHosts;
  store: StateStore;
  emit: (event: DeployEvent) => void;
  /** The state may be older than what is at the endpoint: look whether things are still there. */
  verify: boolean;
}

/** Brings the endpoint to what the program registers, one resource at a time as they come, and keeps the state. */
export class Engine implements StepHost {
  /** What the program has registered in this run. */
  readonly current = new Map<string, ResourceState>();
  readonly actions = new Map<string, Action>();
  readonly failures: Failure[] = [];
  readonly recorded = new Set<string>();
  readonly recreated = new Set<string>();
  readonly summary: Summary = { created: 0, updated: 0, replaced: 0, deleted: 0, same: 0 };
  root: string | undefined;

  private readonly old = new Map<string, ResourceState>();
  private readonly obsolete = new Set<ResourceState>();
  private readonly registered = new Set<string>();
  private readonly formerUrns = new Map<string, string[]>();
  private readonly pending = new Set<PendingOperation>();
  private readonly inFlight = new Set<Promise<unknown>>();

  constructor(
    readonly settings: EngineSettings,
    state: StackState,
  ) {
    for (const resource of state.resources) {
      if (resource.obsolete) this.obsolete.add(resource);
      else this.old.set(resource.urn, resource);
    }
    for (const { urn, operation } of state.pending) {
      const what = `${urnType(urn)} "${urnName(urn)}"`;
      const message = `an earlier deployment was interrupted while it was about to ${operation} ${what}: check whether it exists`;
      this.settings.emit({ kind: "log", severity: "warning", urn, message });
    }
  }

  get failed(): boolean {
    return this.failures.length > 0;
  }

  register(request: Registration): Promise<Registered> {
    return this.track(async () => {
      const urn = makeUrn(this.settings.stack, this.settings.project, request.parent, request.type, request.name);
      let operation: Failure["operation"] = "create";
      try {
        if (this.registered.has(urn)) {
          throw new InvalidInput("another resource of this type has the same name; each needs its own");
        }
        this.registered.add(urn);
        const old = this.findOld(urn, request);
        if (request.remote) return await this.remote(urn, request);
        if (!request.custom) return await this.component(urn, request, old);
        if (request.type.startsWith("pulumi:providers:")) return await this.provider(urn, request, old);
        return await applyCustom(this, urn, request, old, (action) => {
          operation = action;
        });
      } catch (error) {
        throw this.fail(urn, request, operation, error);
      }
    });
  }

  readResource(request: Registration & { id: string }): Promise<Registered> {
    return this.track(async () => {
      const urn = makeUrn(this.settings.stack, this.settings.project, request.parent, request.type, request.name);
      try {
        return await readExternal(this, urn, request);
      } catch (error) {
        throw this.fail(urn, request, "read", error);
      }
    });
  }

  registerOutputs(urn: string, outputs: WireObject): Promise<void> {
    return this.track(async () => {
      const state = this.current.get(urn);
      if (state) state.outputs = await toStateObject(outputs, this.settings.directory);
    });
  }

  /** A data source; the error of a failed one goes to the program, which may catch it. */
  invoke(token: string, args: WireObject, provider?: string): Promise<WireObject> {
    return this.track(async () => {
      if (token === "pulumi:pulumi:getResource") return this.getResource(String(args.urn));
      const host = this.hostFor(token, provider);
      return callFunction(token, toPlainObject(args, this.settings.directory), host);
    });
  }

  /** Waits for everything under way. */
  async settle(): Promise<void> {
    while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight);
  }

  /** After the program has ended well: deletes what it did not register any more. */
  async deleteRest(): Promise<void> {
    await this.delete([...this.obsolete, ...this.old.values()]);
  }

  /** Deletes everything there is. */
  async destroy(): Promise<void> {
    for (const [urn, state] of this.current) this.old.set(urn, state);
    this.current.clear();
    await this.delete([...this.obsolete, ...this.old.values()]);
  }

  private async delete(resources: ResourceState[]): Promise<void> {
    const guarded = resources.filter(({ protect, retainOnDelete }) => protect && !retainOnDelete);
    for (const resource of guarded) {
      this.fail(resource.urn, resource, "delete", new InvalidInput(protectedMessage));
    }
    if (guarded.length > 0) return;
    const leaving = new Set(resources.map(({ urn }) => urn));
    await deleteInOrder(resources, async (resource) => {
      try {
        const goesAlong = resource.deletedWith !== undefined && leaving.has(resource.deletedWith);
        await deleteResource(this, resource, { goesAlong });
      } catch (error) {
        this.fail(resource.urn, resource, "delete", error);
        return false;
      }
      if (resource.obsolete) this.obsolete.delete(resource);
      else this.old.delete(resource.urn);
      await this.save();
      return true;
    });
  }

  /** The state as it is now: new resources, old ones that were not reached yet, replaced ones that still exist. */
  snapshot(): StackState {
    const resources = [...this.current.values(), ...this.old.values(), ...this.obsolete];
    return { resources, pending: [...this.pending] };
  }

  save(): Promise<void> {
    return this.settings.store.save(() => this.snapshot());
  }

  /** Notes an operation before it starts, so that a crash in the middle can be told afterwards. */
  async during<T>(operation: PendingOperation["operation"], urn: string, run: () => Promise<T>): Promise<T> {
    const note: PendingOperation = { urn, operation };
    this.pending.add(note);
    // Not waited for: the write goes on while AWS works; what it protects from is a crash, not an error.
    this.save().catch(() => undefined);
    try {
      return await run();
    } finally {
      this.pending.delete(note);
    }
  }

  /** A resource is done: from now on this is its state. */
  async commit(state: ResourceState, action: Action, old?: ResourceState): Promise<void> {
    if (old) this.old.delete(old.urn);
    this.current.set(state.urn, state);
    this.actions.set(state.urn, action);
    if (state.recorded) this.recorded.add(state.type);
    if (state.urn !== this.root) this.count(action);
    await this.save();
  }

  count(action: Action): void {
    const counter = { create: "created", import: "created", update: "updated", replace: "replaced" } as const;
    if (action === "same") this.summary.same++;
    else if (action === "delete") this.summary.deleted++;
    else if (action !== "read") this.summary[counter[action]]++;
  }

  /** A replaced resource lives on until everything that used it has been moved. */
  retire(old: ResourceState): void {
    this.old.delete(old.urn);
    this.obsolete.add({ ...old, obsolete: true });
  }

  hostFor(type: string, provider: string | undefined): ProviderHost {
    const explicit = provider ? this.current.get(splitProvider(provider).urn) : undefined;
    return this.settings.hosts.for(
      type,
      explicit && toPlainObject(explicit.inputs, this.settings.directory),
      (message) => this.settings.emit({ kind: "log", severity: "warning", message }),
    );
  }

  fail(
    urn: string,
    { type, name, position }: { type: string; name: string; position?: string },
    operation: Failure["operation"],
    error: unknown,
  ): Stopped {
    if (error instanceof Stopped) return error;
    const verb = { import: "imported", read: "read" }[operation as string] ?? `${operation}d`;
    const cure = cureFor(error);
    const message = [
      `${type} "${name}" could not be ${verb}: ${describeError(error)}`,
      ...(cure ? [`  what helps: ${cure}`] : []),
      ...(position ? [`  created at ${position}`] : []),
      `  ${urn}`,
    ].join("\n");
    this.failures.push({ urn, type, name, operation, message, code: describeCode(error) });
    this.settings.emit({ kind: "failed", urn, type, name, message });
    return new Stopped(message);
  }

  private track<T>(run: () => Promise<T>): Promise<T> {
    if (this.failed) return Promise.reject(new Stopped("an earlier step failed"));
    const running = run();
    this.inFlight.add(running);
    const done = () => this.inFlight.delete(running);
    running.then(done, done);
    return running;
  }

  private async component(urn: string, request: Registration, old?: ResourceState): Promise<Registered> {
    const inputs = await toStateObject(request.inputs, this.settings.directory);
    const state = { ...baseState(urn, request), inputs, outputs: old?.outputs ?? {} };
    const action = old ? "same" : "create";
    if (request.type === "pulumi:pulumi:Stack") this.root = urn;
    await this.commit(state, action, old);
    this.settings.emit({
      kind: "done",
      urn,
      type: state.type,
      name: state.name,
      action,
      milliseconds: 0,
      recorded: false,
    });
    return { urn, outputs: {} };
  }

  private async provider(urn: string, request: Registration, old?: ResourceState): Promise<Registered> {
    const inputs = await toStateObject(request.inputs, this.settings.directory);
    const id = old?.id ?? randomUUID();
    const state = { ...baseState(urn, request), id, inputs, outputs: inputs };
    const action = old ? "same" : "create";
    await this.commit(state, action, old);
    this.settings.emit({
      kind: "done",
      urn,
      type: state.type,
      name: state.name,
      action,
      milliseconds: 0,
      recorded: false,
    });
    return { urn, id, outputs: inputs };
  }

  private async remote(urn: string, request: Registration): Promise<Registered> {
    const construct = localConstructs[request.type];
    if (!construct) {
      throw new InvalidInput(
        `this component is built by another package's provider, which needs the Pulumi CLI; there is no local construct for it, only for ${Object.keys(localConstructs).join(", ")}`,
      );
    }
    const inputs = toPlainObject(request.inputs, this.settings.directory);
    const base = { propertyDependencies: {}, remote: false, ignoreChanges: [], replaceOnChanges: [], custom: true };
    const component = await this.component(urn, { ...request, remote: false }, this.old.get(urn));
    const { provider, dependencies: needed } = request;
    const register: RegisterChild = (type, name, childInputs, { parent = urn, dependencies = [] } = {}) => {
      const kept = keepSecrets(request.inputs, childInputs);
      const child = { ...base, type, name, parent, inputs: kept, dependencies: [...needed, ...dependencies] };
      return this.register({ ...child, additionalSecretOutputs: [], aliases: [], provider });
    };
    const host = this.hostFor(request.type, provider);
    const region = typeof inputs.region === "string" ? inputs.region : undefined;
    const outputs = await construct(request.name, inputs, register, host.context(region, 120_000));
    this.current.get(urn)!.outputs = outputs;
    return { ...component, outputs };
  }

  private getResource(urn: string): WireObject {
    const state = this.current.get(urn);
    if (!state) throw new DeployError(`${urn} is not part of this stack`);
    return { urn, id: state.id ?? "", state: state.outputs as Wire };
  }

  /** The resource of the last deployment that this one continues, under its name or one of its former names. */
  private findOld(urn: string, request: Registration): ResourceState | undefined {
    const { stack, project } = this.settings;
    const former = request.aliases.map((alias) => {
      if ("urn" in alias) return alias.urn;
      const parent = alias.noParent ? undefined : (alias.parent ?? request.parent);
      return makeUrn(
        alias.stack || stack,
        alias.project || project,
        parent,
        alias.type || request.type,
        alias.name || request.name,
      );
    });
    // A parent that was renamed takes its children along; names that start with the parent's are renamed likewise.
    for (const parent of (request.parent && this.formerUrns.get(request.parent)) || []) {
      const [oldName, newName] = [urnName(parent), urnName(request.parent!)];
      const name = request.name.startsWith(newName) ? oldName + request.name.slice(newName.length) : request.name;
      former.push(makeUrn(stack, project, parent, request.type, name));
      former.push(makeUrn(stack, project, parent, request.type, request.name));
    }
    if (former.length > 0) this.formerUrns.set(urn, former);
    for (const candidate of [urn, ...former]) {
      const old = this.old.get(candidate);
      if (old) return old;
    }
    return undefined;
  }
}

const describeCode = (error: unknown) => (error instanceof Error && error.name !== "Error" ? error.name : undefined);

export const protectedMessage = "it is protected; deploy it with the option `protect: false` first if it may really go";

/** The parts of a state that come straight from the registration. */
export const baseState = (urn: string, request: Registration) => ({
  urn,
  type: request.type,
  name: request.name,
  ...(request.parent && { parent: request.parent }),
  custom: request.custom,
  dependencies: request.dependencies,
  propertyDependencies: request.propertyDependencies,
  ...(request.provider && { provider: request.provider }),
  ...(request.protect && { protect: true }),
  ...(request.retainOnDelete && { retainOnDelete: true }),
  ...(request.deletedWith && { deletedWith: request.deletedWith }),
  ...(request.timeouts && { timeouts: request.timeouts }),
});
