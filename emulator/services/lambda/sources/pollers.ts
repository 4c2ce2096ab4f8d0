import type { Host } from "../../../core/service";
import type { Invoker } from "../invoker";
import { dynamodbSource } from "./dynamodb";
import { kinesisSource } from "./kinesis";
import type { Mapping, Poller, SourceKind } from "./mapping";
import { sqsSource } from "./sqs";

/** The sources that functions can read from, by the service in their ARN. */
export const sourceKinds: Readonly<Record<string, SourceKind>> = {
  sqs: sqsSource,
  kinesis: kinesisSource,
  dynamodb: dynamodbSource,
};

/** The pollers of all enabled mappings. */
export class Pollers {
  private readonly running = new Map<Mapping, Poller>();

  constructor(
    private readonly host: Host,
    private readonly invoker: Invoker,
  ) {}

  /** Starts, restarts or stops the poller of a mapping, as the mapping now says. */
  refresh(mapping: Mapping): void {
    this.stop(mapping);
    if (!mapping.enabled) return;
    const kind = sourceKinds[mapping.config.EventSourceArn!.split(":")[2]!]!;
    this.running.set(mapping, kind.start(mapping, { host: this.host, invoker: this.invoker }));
  }

  stop(mapping: Mapping): void {
    const poller = this.running.get(mapping);
    this.running.delete(mapping);
    poller?.stop().catch((error) => this.host.report(error, "stopping a poller"));
  }

  async close(): Promise<void> {
    const pollers = [...this.running.values()];
    this.running.clear();
    await Promise.all(pollers.map((poller) => poller.stop()));
  }
}
