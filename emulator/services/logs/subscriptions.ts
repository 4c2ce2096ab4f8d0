import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { sessionOf } from "../../core/access/authorizer";
import { parseArn } from "../../core/arn";
import { AwsError, mayPass } from "../../core/errors";
import { backoff, Redelivery } from "../../core/redelivery";
import type { Host } from "../../core/service";
import type { PortCaller, ServiceCaller } from "../../core/service-caller";
import { destinationFails } from "./errors";
import type { LogGroup, SubscriptionFilter } from "./state";
import type { LogEvent } from "./stream";

type Destination = Pick<SubscriptionFilter, "destinationArn" | "roleArn" | "distribution">;

/** CloudWatch Logs, for a group, as the policies of functions see it. */
function callerOf({ arn }: LogGroup): ServiceCaller {
  return { principal: "logs.amazonaws.com", sourceArn: `${arn}:*`, sourceAccount: parseArn(arn)!.account };
}

/**
 * How long what may pass is tried again: "for up to 24 hours"
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html).
 */
const longestRetry = 24 * 3_600_000;

/** Sends new events that match a subscription filter to its function or data stream, gzipped as CloudWatch Logs does. */
export class Subscriptions {
  private readonly redelivery: Redelivery;

  constructor(private readonly host: Host) {
    this.redelivery = new Redelivery(host, "subscription filters");
  }

  /**
   * Refuses a destination that cannot be sent to: the policy of a function has to allow it, a data stream gets a test
   * message (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).
   */
  async check(group: LogGroup, destination: Destination): Promise<void> {
    const { destinationArn = "" } = destination;
    const vendor = destinationArn.split(":")[2]!;
    try {
      if (vendor === "kinesis") return await this.put(group, destination, randomUUID(), testMessage(this.host));
      const policy = await (await this.host.bus.to("lambda")).policy(destinationArn);
      const asked = { action: "lambda:InvokeFunction", resource: destinationArn, policy };
      if (!this.host.bus.access.checkService(callerOf(group), asked)) return;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
    }
    throw destinationFails(vendor);
  }

  deliver(group: LogGroup, stream: string, events: readonly LogEvent[]): void {
    for (const filter of group.subscriptions.values()) {
      const matching = events.filter(({ message }) => filter.matches(message));
      if (matching.length) this.start(group, stream, filter, matching);
    }
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.redelivery.clear();
  }

  private start(group: LogGroup, stream: string, filter: SubscriptionFilter, events: readonly LogEvent[]): void {
    const { clock } = this.host;
    const since = clock.now();
    void this.redelivery.start({
      attempt: () => this.send(group, stream, filter, events),
      pause(error, failures) {
        const pause = backoff(failures);
        return mayPass(error) && clock.now() + pause - since <= longestRetry ? pause : undefined;
      },
      giveUp: (error) => this.host.report(error, `subscription filter ${filter.filterName} of ${group.name}`),
    });
  }

  private async send(group: LogGroup, stream: string, filter: SubscriptionFilter, events: readonly LogEvent[]) {
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    const message = {
      messageType: "DATA_MESSAGE",
      owner: parseArn(group.arn)!.account,
      logGroup: group.name,
      logStream: stream,
      subscriptionFilters: [filter.filterName],
      logEvents: events.map(({ id, timestamp, message: text }) => ({ id, timestamp, message: text })),
    };
    const { destinationArn = "", distribution } = filter;
    if (destinationArn.split(":")[2] === "kinesis") {
      return this.put(group, filter, distribution === "Random" ? randomUUID() : stream, message);
    }
    const payload = JSON.stringify({ awslogs: { data: gzipSync(JSON.stringify(message)).toString("base64") } });
    await (await this.host.bus.to("lambda")).invokeAsync(destinationArn, payload, callerOf(group));
  }

  private async put(group: LogGroup, { destinationArn = "", roleArn = "" }: Destination, key: string, message: object) {
    const by = this.assume(group, roleArn);
    const data = gzipSync(JSON.stringify(message));
    await (await this.host.bus.to("kinesis")).putRecord(destinationArn, { data, partitionKey: key }, by);
  }

  private assume(group: LogGroup, roleArn: string): PortCaller {
    const { principal: service, sourceArn, sourceAccount } = callerOf(group);
    // AWS makes up a name for each session.
    const acting = { roleArn, service, sessionName: "cloudwatch-logs", sourceArn, sourceAccount };
    const denial = this.host.bus.access.checkTrust(acting);
    if (denial) throw new AwsError("AccessDenied", denial.message, 403);
    return sessionOf(acting);
  }
}

const testMessage = ({ clock }: Host) => ({
  messageType: "CONTROL_MESSAGE",
  owner: "CloudwatchLogs",
  logGroup: "",
  logStream: "",
  subscriptionFilters: [],
  logEvents: [
    {
      id: "",
      timestamp: clock.now(),
      message: "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.",
    },
  ],
});
