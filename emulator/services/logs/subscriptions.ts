import { gzipSync } from "node:zlib";
import { parseArn } from "../../core/arn";
import type { Host } from "../../core/service";
import type { LogGroup, SubscriptionFilter } from "./state";
import type { LogEvent } from "./stream";

/** Sends new events that match a subscription filter to its Lambda function, gzipped as CloudWatch Logs does. */
export class Subscriptions {
  constructor(private readonly host: Host) {}

  deliver(group: LogGroup, stream: string, events: readonly LogEvent[]): void {
    for (const filter of group.subscriptions.values()) {
      const matching = events.filter(({ message }) => filter.matches(message));
      if (matching.length)
        this.send(group, stream, filter, matching).catch((error) =>
          this.host.report(error, `subscription filter ${filter.filterName} of ${group.name}`),
        );
    }
  }

  private async send(group: LogGroup, stream: string, filter: SubscriptionFilter, events: readonly LogEvent[]) {
    const { account, region } = parseArn(group.arn)!;
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    const message = JSON.stringify({
      messageType: "DATA_MESSAGE",
      owner: account,
      logGroup: group.name,
      logStream: stream,
      subscriptionFilters: [filter.filterName],
      logEvents: events.map(({ id, timestamp, message: text }) => ({ id, timestamp, message: text })),
    });
    const payload = JSON.stringify({ awslogs: { data: gzipSync(message).toString("base64") } });
    const lambda = await this.host.bus.to("lambda");
    await lambda.invokeAsync(filter.destinationArn!, payload, {
      principal: `logs.${region}.amazonaws.com`,
      sourceArn: `${group.arn}:*`,
      sourceAccount: account,
    });
  }
}
