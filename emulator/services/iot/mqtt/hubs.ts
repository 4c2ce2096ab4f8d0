import type { Host } from "../../../core/service";
import type { Certificate, Region } from "../state";
import { Hub } from "./hub";
import type { Peer } from "./session";

/** The MQTT brokers of all accounts and regions; each starts with its first client. */
export class Hubs {
  private readonly hubs = new Map<Region, Promise<Hub>>();

  constructor(private readonly host: Host) {}

  /** Hands a connection to the broker of its region. */
  connect(region: Region, peer: Peer): void {
    let hub = this.hubs.get(region);
    if (!hub) {
      hub = Hub.start(region, this.host);
      this.hubs.set(region, hub);
    }
    hub.then(
      (started) => {
        // A reset may have come between.
        if (this.hubs.get(region) === hub && !peer.stream.destroyed) started.connect(peer);
        else peer.stream.destroy();
      },
      (error) => {
        peer.stream.destroy();
        this.host.report(error, "MQTT broker");
      },
    );
  }

  /** The broker of a region, where it has one. */
  of(region: Region): Promise<Hub | undefined> {
    return this.hubs.get(region) ?? Promise.resolve(undefined);
  }

  /** Ends the connections of a certificate that is not good any more. */
  revoke(region: Region, certificate: Certificate): void {
    void this.of(region).then((hub) => hub?.disconnect(certificate));
  }

  async clear(): Promise<void> {
    const hubs = [...this.hubs.values()];
    this.hubs.clear();
    await Promise.all(hubs.map(async (hub) => (await hub).close()));
  }
}
