import type { Ports } from "../core/bus";
import type { Host, Scope } from "../core/service";
import type { LogEvent } from "./environment";

interface Batch {
  readonly scope: Scope;
  readonly group: string;
  readonly stream: string;
  readonly events: LogEvent[];
}

/** Gathers log lines and hands them to CloudWatch Logs after the invocation's answer is on its way. */
export class LogWriter {
  private readonly batches = new Map<string, Batch>();
  private scheduled = false;

  constructor(private readonly host: Host) {}

  write(scope: Scope, group: string, stream: string, events: readonly LogEvent[]): void {
    const key = `${scope.account}/${scope.region}/${group}/${stream}`;
    const batch = this.batches.get(key);
    if (batch) batch.events.push(...events);
    else this.batches.set(key, { scope, group, stream, events: [...events] });
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  clear(): void {
    this.batches.clear();
  }

  private flush(): void {
    this.scheduled = false;
    const logs = this.host.bus.ready("logs");
    if (logs) this.hand(logs);
    else if (this.batches.size > 0) this.load();
  }

  private load(): void {
    this.host.bus.to("logs").then(
      (port) => this.hand(port),
      (error) => {
        this.batches.clear();
        this.host.report(error, "writing logs");
      },
    );
  }

  private hand(logs: Ports["logs"]): void {
    const batches = [...this.batches.values()];
    this.batches.clear();
    // Lines of many invocations at once: what a subscription makes of them comes of none in particular.
    this.host.journal.within([], () => {
      for (const { scope, group, stream, events } of batches) {
        try {
          logs.write(scope, group, stream, events);
        } catch (error) {
          this.host.report(error, "writing logs");
        }
      }
    });
  }
}
