import { credentials as channelCredentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import engineProto from "@pulumi/pulumi/proto/engine_pb";
import { InvalidInput } from "../errors";
import { type ProviderHost, ProviderHosts } from "../providers/host";
import type { Credentials } from "../types";

/** Where a provider server sends its calls. */
export interface ServingSettings {
  /**
   * Wins over the `endpoints` of the provider's config. Without either nothing is done, so that nothing reaches a real
   * account by mistake.
   */
  endpoint?: string;
  credentials?: Credentials;
  /** Where relative paths of assets start: the program's folder. */
  directory: string;
}

/** One provider of a stack, default or explicit, as one connection of the CLI knows it. */
export interface Instance {
  host(typeName: string, urn: string): ProviderHost;
}

interface Configured {
  hosts: ProviderHosts;
  settings: Record<string, unknown>;
}

/** How many connections are remembered: one for each provider of a stack and run of the CLI. */
const most = 1000;

/** The providers that the CLI has attached, each by its connection. */
export class Instances {
  private readonly configured = new Map<string, Configured>();
  private readonly engines = new Map<string, { address: string; client: EngineClient }>();
  /** By endpoint and access key: the SDK's clients are shared between runs. */
  private readonly hosts = new Map<string, ProviderHosts>();

  constructor(private readonly settings: ServingSettings) {}

  /** The CLI tells where its engine listens before it asks for anything. */
  attach(peer: string, engineAddress: string): void {
    this.engines.get(peer)?.client.close();
    const client = new EngineClient(engineAddress, channelCredentials.createInsecure());
    this.engines.set(peer, { address: engineAddress, client });
    forgetOldest(this.engines, (engine) => engine.client.close());
  }

  /** Where the engine of this connection listens. */
  engineAddress(peer: string): string | undefined {
    return this.engines.get(peer)?.address;
  }

  configure(peer: string, settings: Record<string, unknown>): void {
    const endpoint = this.settings.endpoint ?? endpointOf(settings.endpoints);
    const text = (name: string) => (typeof settings[name] === "string" && settings[name] ? settings[name] : undefined);
    const credentials = {
      accessKeyId: text("accessKey") ?? this.settings.credentials?.accessKeyId ?? "test",
      secretAccessKey: text("secretKey") ?? this.settings.credentials?.secretAccessKey ?? "test",
      sessionToken: text("token") ?? this.settings.credentials?.sessionToken,
    };
    const region = text("region") ?? process.env.AWS_REGION ?? "eu-west-1";
    const key = JSON.stringify([endpoint, credentials, region]);
    const { directory } = this.settings;
    const hosts =
      this.hosts.get(key) ?? new ProviderHosts({ endpoint, credentials, directory, config: { "aws:region": region } });
    this.hosts.set(key, hosts);
    this.configured.set(peer, { hosts, settings });
    forgetOldest(this.configured, () => undefined);
  }

  of(peer: string): Instance {
    const configured = this.configured.get(peer);
    if (!configured) throw new InvalidInput("the provider is not configured on this connection");
    const { hosts, settings } = configured;
    return { host: (typeName, urn) => hosts.for(typeName, settings, (message) => this.log(peer, message, urn)) };
  }

  /** Tells the user something, on the resource that it is about. */
  log(peer: string, message: string, urn = "", severity: "info" | "warning" | "error" = "warning"): void {
    const { INFO, WARNING, ERROR } = engineProto.LogSeverity;
    const request = new engineProto.LogRequest()
      .setSeverity({ info: INFO, warning: WARNING, error: ERROR }[severity])
      .setMessage(message)
      .setUrn(urn);
    // An engine that has ended already has nobody to tell it to.
    this.engines.get(peer)?.client.log(request, () => undefined);
  }

  close(): void {
    for (const hosts of this.hosts.values()) hosts.close();
    for (const { client } of this.engines.values()) client.close();
  }
}

function forgetOldest<Value>(map: Map<string, Value>, close: (value: Value) => void): void {
  const [oldest] = map.size > most ? map : [];
  if (!oldest) return;
  close(oldest[1]);
  map.delete(oldest[0]);
}

/** The one URL in `aws:endpoints`, `[{"sqs": "http://localhost:4566", …}]`. */
function endpointOf(endpoints: unknown): string {
  const parsed: unknown = typeof endpoints === "string" ? JSON.parse(endpoints) : endpoints;
  const lists = Array.isArray(parsed) ? parsed : [parsed ?? {}];
  const urls = new Set(lists.flatMap((services) => Object.values(services as Record<string, unknown>)).map(String));
  const [url, other] = urls;
  if (!url) {
    throw new InvalidInput("there is no endpoint: give --endpoint, or aws:endpoints in the stack's config");
  }
  if (other) throw new InvalidInput(`aws:endpoints names ${[...urls].join(" and ")}: all services must be at one URL`);
  return url;
}
