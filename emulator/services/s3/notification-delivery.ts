import type { NotificationConfiguration } from "@aws-sdk/client-s3";
import { AwsError } from "../../core/errors";
import { backoff, Redelivery } from "../../core/redelivery";
import type { Host } from "../../core/service";
import { unableToValidate } from "./errors";
import type { ObjectEvent } from "./events";
import type { Bucket } from "./model";
import { refusal, send } from "./notification-destinations";
import { busEvent } from "./notification-eventbridge";
import { eventRecord, testEvent } from "./notification-record";
import { type Target, targetsOf, tellsOf } from "./notifications";

interface Delivery {
  readonly bucket: Bucket;
  readonly target: Target;
  readonly message: string;
  /** Of the event and its object, for the report of one that is given up. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * How long S3 goes on after a destination refused an event. AWS documents delivery at least once, typically
 * in seconds, and no number (https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html); six hours is what Lambda documents for the events that it was asked to take.
 */
const longestRetry = 6 * 3_600_000;

/** Tells queues, functions and topics what happened to a bucket's objects. */
export class Notifications {
  private readonly redelivery: Redelivery;
  private last = 0n;

  constructor(private readonly host: Host) {
    this.redelivery = new Redelivery(host, "s3 notifications");
  }

  /**
   * Refuses a configuration that names destinations which are not there or do not let the bucket send, as S3 does when
   * it is put.
   */
  async validate(bucket: Bucket, config: NotificationConfiguration): Promise<void> {
    const refused: { arn: string; reason: string }[] = [];
    for (const target of targetsOf(config)) {
      const reason = await refusal(this.host.bus, bucket, target);
      if (reason !== undefined) refused.push({ arn: target.arn, reason });
    }
    if (refused.length > 0) throw unableToValidate(refused);
  }

  /** Sends the test event of a new configuration to its queues and topics. */
  test(bucket: Bucket, config: NotificationConfiguration, requestId: string): void {
    const now = this.host.clock.now();
    const message = JSON.stringify(testEvent(bucket, now, requestId));
    for (const target of targetsOf(config)) {
      if (target.service === "lambda") continue;
      void this.start({ bucket, target, message, what: "s3:TestEvent", since: now });
    }
  }

  /** Sends an event to all who want to know of it. Never throws: the object is stored. */
  announce(event: ObjectEvent): void {
    const { bucket, name, version } = event;
    const { EventBridgeConfiguration: toEventBridge } = bucket.config.notification;
    const targets = targetsOf(bucket.config.notification).filter(({ entry }) => tellsOf(entry, name, version.key));
    if (targets.length === 0 && !toEventBridge) return;
    const since = this.host.clock.now();
    const sequencer = this.sequencer(since);
    if (toEventBridge) this.tellEventBridge(event, sequencer, since);
    const record = eventRecord(event, since, sequencer);
    for (const target of targets) {
      const message = JSON.stringify({ Records: [record(target.entry.Id ?? "")] });
      const what = `s3:${name} of ${bucket.name}/${version.key}`;
      this.deliver(event, target.arn, () => this.start({ bucket, target, message, what, since }));
    }
  }

  /** All events of the bucket, without any filter: rules choose. */
  private tellEventBridge(event: ObjectEvent, sequencer: string, since: number): void {
    const told = busEvent(event, sequencer);
    if (!told) return;
    const { bucket, name, version } = event;
    const attempt = async () => (await this.host.bus.to("events")).put(bucket, told);
    const what = `s3:${name} of ${bucket.name}/${version.key}, which EventBridge`;
    this.deliver(event, "EventBridge", () => this.send(attempt, since, what));
  }

  /** Once, or as faults have it. */
  private deliver({ bucket, name, version }: ObjectEvent, to: string, send: () => Promise<void>): void {
    const place = { service: "s3", operation: name, resources: [`arn:aws:s3:::${bucket.name}/${version.key}`] };
    void this.host.faults.deliveries.send(place, `${bucket.name} ${to}`, send);
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.redelivery.clear();
  }

  private start({ bucket, target, message, what, since }: Delivery): Promise<void> {
    return this.send(() => send(this.host.bus, bucket, target, message), since, `${what}, which ${target.arn}`);
  }

  private send(attempt: () => Promise<void>, since: number, what: string): Promise<void> {
    return this.redelivery.start({
      attempt,
      pause: (error, failures) => {
        if (!(error instanceof AwsError)) throw error;
        const delay = backoff(failures);
        return this.host.clock.now() + delay - since > longestRetry ? undefined : delay;
      },
      giveUp: (error) => this.host.report(error, `s3 notifications: dropped ${what} refused for 6 hours`),
    });
  }

  /** 18 hexadecimal digits that only grow, so that two of them compare as text. */
  private sequencer(now: number): string {
    const next = BigInt(now) << 20n;
    this.last = next > this.last ? next : this.last + 1n;
    return this.last.toString(16).toUpperCase().padStart(18, "0");
  }
}
