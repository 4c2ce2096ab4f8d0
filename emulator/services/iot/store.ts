import type { Clock } from "../../core/clock";
import { type Host, type Operations, type Scope, Scoped } from "../../core/service";
import { Region } from "./state";

export type Sdk = typeof import("@aws-sdk/client-iot");

export type IotOperations = Operations<Sdk>;

/** AWS IoT Core of every account and region of the emulator. */
export class Store {
  private readonly regions = new Scoped((scope) => this.make(scope));
  /** Called with each region when it is first used: where brokers get their listeners. */
  readonly onRegion: ((region: Region) => void)[] = [];
  readonly clock: Clock;

  constructor(readonly host: Host) {
    this.clock = host.clock;
  }

  region(scope: Scope): Region {
    return this.regions.of(scope);
  }

  all(): Iterable<Region> {
    return this.regions.all();
  }

  clear(): void {
    this.regions.clear();
  }

  private make({ account, region }: Scope): Region {
    const report = (error: unknown, where: string) => this.host.report(error, where);
    const made = new Region({ account, region }, this.clock, report, this.host.faults);
    for (const prepare of this.onRegion) prepare(made);
    return made;
  }
}
