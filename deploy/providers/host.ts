import { InvalidInput } from "../errors";
import type { Credentials } from "../types";
import { Clients } from "./clients";
import { findResourceType } from "./index";
import type { ProviderContext } from "./types";

/** What the resource types and data sources of one provider instance share. */
export interface ProviderHost {
  resourceType: typeof findResourceType;
  context(region: string | undefined, timeout: number): ProviderContext;
}

export interface HostSettings {
  endpoint: string;
  credentials: Credentials;
  /** Where the program runs. */
  directory: string;
  /** The stack's config; its `aws:` values are the settings of the default provider. */
  config: Readonly<Record<string, string>>;
}

/** Makes provider instances: one set of clients per region, whatever number of provider resources there are. */
export class ProviderHosts {
  private readonly clients = new Map<string, Clients>();
  private readonly endpoint: URL;
  private readonly defaults: Record<string, unknown>;
  private readonly region: string;
  private accountId: Promise<string> | undefined;

  constructor(private readonly settings: HostSettings) {
    this.endpoint = new URL(settings.endpoint);
    const own = Object.entries(settings.config).filter(([key]) => key.startsWith("aws:"));
    this.defaults = Object.fromEntries(own.map(([key, value]) => [key.slice("aws:".length), value]));
    this.region = String(this.defaults.region);
  }

  /**
   * The provider instance for a resource or function type. `provider` holds the settings of an explicit
   * `aws.Provider`; of these the region and the default tags count, the endpoint and credentials are the deployment's.
   */
  for(type: string, provider: Record<string, unknown> | undefined, warn: (message: string) => void): ProviderHost {
    // Members of provider settings that are not strings arrive as JSON text.
    const settings = Object.fromEntries(
      Object.entries(provider ?? this.defaults).map(([key, value]) => [key, parse(value)]),
    );
    const providerRegion = typeof settings.region === "string" ? settings.region : undefined;
    const defaultTags = (settings.defaultTags as { tags?: Record<string, string> } | undefined)?.tags;
    return {
      resourceType: findResourceType,
      context: (resourceRegion, timeout) => {
        const region = resourceRegion ?? providerRegion ?? this.region;
        if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
          throw new InvalidInput(`"${region}" is not an AWS region (${type})`);
        return {
          clients: this.clientsOf(region),
          ...{
            region,
            timeout,
            warn,
            directory: this.settings.directory,
            endpoint: this.endpoint,
            local: isLocal(this.endpoint),
          },
          account: () => this.account(),
          tags: (own) => ({ ...defaultTags, ...own }),
        };
      },
    };
  }

  close(): void {
    for (const clients of this.clients.values()) clients.close();
    this.clients.clear();
  }

  private account(): Promise<string> {
    this.accountId ??= this.clientsOf(this.region)
      .sts.getCallerIdentity({})
      .then(({ Account = "000000000000" }) => Account);
    return this.accountId;
  }

  private clientsOf(region: string): Clients {
    let clients = this.clients.get(region);
    if (!clients) {
      const { endpoint, credentials } = this.settings;
      clients = new Clients({ endpoint, credentials, region });
      this.clients.set(region, clients);
    }
    return clients;
  }
}

const isLocal = ({ hostname }: URL) =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|host\.docker\.internal|.*\.localhost\.localstack\.cloud)$/.test(
    hostname,
  );

function parse(value: unknown): unknown {
  if (typeof value !== "string" || !/^[[{"]|^(true|false|null|-?\d+)$/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
