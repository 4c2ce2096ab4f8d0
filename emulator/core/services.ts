import { registry } from "../registry";
import type { Bus, Ports } from "./bus";
import { AwsError } from "./errors";
import { jsonRpc } from "./protocols/json-rpc";
import { readModel, type ServiceModel } from "./protocols/model";
import { query } from "./protocols/query";
import { rest } from "./protocols/rest";
import type { MakeWire, Wire } from "./protocols/wire";
import type { Context, Host, Service } from "./service";

type AnyOperation = (input: unknown, context: Context) => unknown;

/** A service that runs: its operations, its protocol and its model. */
export interface Running {
  readonly name: string;
  readonly model: ServiceModel;
  readonly wire: Wire;
  readonly service: Service;
  operation(name: string): AnyOperation | undefined;
}

const wires: Record<ServiceModel["protocol"], MakeWire> = {
  json: jsonRpc,
  "rest-json": rest,
  "rest-xml": rest,
  query,
};

/** The services of one emulator: loads each on first use and is the bus between them. */
export class Services implements Bus {
  private readonly running = new Map<string, Running>();

  constructor(private readonly hostFor: (service: string) => Host) {}

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
    const made: Running = {
      name,
      model,
      service,
      wire: wires[model.protocol](model),
      operation: (operation) => (Object.hasOwn(operations, operation) ? operations[operation] : undefined),
    };
    this.running.set(name, made);
    return made;
  }

  async to<Name extends keyof Ports>(port: Name): Promise<Ports[Name]> {
    const owner = Object.entries(registry).find(([, entry]) => entry.ports?.includes(port));
    const found = owner && this.get(owner[0]).service.ports?.[port];
    if (!found) throw new Error(`no service offers the port "${port}"`);
    return found;
  }

  ready<Name extends keyof Ports>(port: Name): Ports[Name] | undefined {
    for (const { service } of this.running.values()) {
      const found = service.ports?.[port];
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
