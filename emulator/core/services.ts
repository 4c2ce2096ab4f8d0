import { registry } from "../registry";
import type { Access, Accesses } from "./access/access";
import { executeApi } from "./address";
import type { Bus, Ports } from "./bus";
import { AwsError } from "./errors";
import type { Faults, KnownErrors } from "./faults/faults";
import { faultyPorts } from "./faults/ports";
import type { Journal } from "./journal/journal";
import { recordedPorts } from "./journal/ports";
import { jsonRpc } from "./protocols/json-rpc";
import { readModel, type ServiceModel } from "./protocols/model";
import { query } from "./protocols/query";
import { rest } from "./protocols/rest";
import type { MakeWire, Wire } from "./protocols/wire";
import type { Context, Host, Service } from "./service";

type AnyOperation = (input: unknown, context: Context) => unknown;
type AnyAccess = (input: unknown, context: Context) => Accesses;

/** A service that runs: its operations, its protocol and its model. */
export interface Running {
  readonly name: string;
  readonly model: ServiceModel;
  readonly wire: Wire;
  readonly service: Service;
  /** What it offers to other services; calls through them can fail, and the journal tells of them. */
  readonly ports: Partial<Ports>;
  operation(name: string): AnyOperation | undefined;
  /** What a call of an operation needs permission for; nothing where everybody may call it. */
  accesses(name: string, input: unknown, context: Context): readonly Access[];
}

const wires: Record<ServiceModel["protocol"], MakeWire> = {
  json: jsonRpc,
  "rest-json": rest,
  "rest-xml": rest,
  query,
};

/** The services of one emulator: loads each on first use and is the bus between them. */
export class Services implements Pick<Bus, "to" | "ready"> {
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly hostFor: (service: string) => Host,
    private readonly faults: Faults,
    private readonly journal: Journal,
  ) {}

  /**
   * The service with this signing name.
   *
   * @throws AwsError 501 that names the service when the emulator has none of that name.
   */
  get(name: string): Running {
    const known = this.running.get(name);
    if (known) return known;
    const entry = Object.hasOwn(registry, name) ? registry[name] : undefined;
    if (!entry) {
      throw new AwsError(
        "NotImplemented",
        `The service "${name}" is not emulated by Sensorcast; it has ${Object.keys(registry).join(", ")}.`,
        501,
      );
    }
    const definition = entry.load();
    const model = readModel(definition.sdk() as Record<string, unknown>, definition.client);
    const service = definition.create(this.hostFor(name)) as Service;
    const operations = service.operations as Record<string, AnyOperation | undefined>;
    const table = service.access as Record<string, AnyAccess | undefined>;
    const made: Running = {
      name,
      model,
      service,
      // A call that a fault refuses has been made all the same: the journal tells of it.
      ports: recordedPorts(faultyPorts(service.ports ?? {}, this.faults), this.journal),
      wire: wires[model.protocol](model),
      operation: (operation) => (Object.hasOwn(operations, operation) ? operations[operation] : undefined),
      accesses(operation, input, context) {
        const entry = Object.hasOwn(table, operation) ? table[operation] : undefined;
        const needed = entry ? entry(input, context) : { action: `${name}:${operation}`, resource: "*" };
        return needed === "public" ? [] : Array.isArray(needed) ? needed : [needed as Access];
      },
    };
    this.running.set(name, made);
    return made;
  }

  async to<Name extends keyof Ports>(port: Name): Promise<Ports[Name]> {
    const owner = Object.entries(registry).find(([, entry]) => entry.ports?.includes(port));
    const found = owner && this.get(owner[0]).ports[port];
    if (!found) throw new Error(`no service offers the port "${port}"`);
    return found;
  }

  ready<Name extends keyof Ports>(port: Name): Ports[Name] | undefined {
    for (const { ports } of this.running.values()) {
      const found = ports[port];
      if (found) return found;
    }
    return undefined;
  }

  /** The service that answers for a host name of somebody's own, such as a custom domain. */
  ownerOfHost(host: string): string | undefined {
    for (const { name, service } of this.running.values()) if (service.ownsHost?.(host)) return name;
    return undefined;
  }

  /** The service whose API has this execute-api id; REST APIs where nobody says so. */
  ownerOfApi(id: string): string {
    for (const { name, service } of this.running.values()) if (service.ownsApi?.(id)) return name;
    return "apigateway";
  }

  /** What faults may be about. */
  readonly known: KnownErrors = {
    names: () => [...Object.keys(registry), executeApi],
    operations: (service) => (service === executeApi ? undefined : this.get(service).model.operations.keys()),
    status: (service, code) => (service === executeApi ? undefined : statusOf(this.get(service).model, code)),
  };

  /** The services that have been loaded. */
  all(): Iterable<Running> {
    return this.running.values();
  }

  /** Names of the services that have been loaded. */
  loaded(): string[] {
    return [...this.running.keys()];
  }

  async reset(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ service }) => service.reset()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ service }) => (service.close ?? service.reset).call(service)));
    this.running.clear();
  }
}

/** The HTTP status of an error by its service's model. */
function statusOf({ errors }: ServiceModel, code: string): number | undefined {
  const traits = errors.get(code)?.getMergedTraits();
  if (!traits) return undefined;
  return Number(traits.httpError ?? (traits.error === "server" ? 500 : 400));
}
