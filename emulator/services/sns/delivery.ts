import { randomUUID } from "node:crypto";
import { Redelivery } from "../../core/redelivery";
import type { Host } from "../../core/service";
import { callerOf, deliver, post, queueMessage, Refused, type Sending } from "./endpoints";
import { confirmation } from "./message";
import type { Published } from "./publish";
import { Signer } from "./signing";
import type { Subscription, Topic } from "./state";

/** Waits between tries: 3 retries, 20 seconds apart, as EffectiveDeliveryPolicy shows them. */
const retries = 3;
const retryDelay = 20_000;

/** Until the next try; undefined when there is to be none. */
function pause(error: unknown, failures: number): number | undefined {
  if (!(error instanceof Refused)) throw error;
  return error.permanent || failures > retries ? undefined : retryDelay;
}

/** Sends messages on to subscribers, in the background: publishers wait for none of them. */
export class Delivery {
  readonly signer: Signer;
  private readonly redelivery: Redelivery;

  constructor(private readonly host: Host) {
    this.signer = new Signer(host.clock);
    this.redelivery = new Redelivery(host, "delivery");
  }

  /** Sends a message to all confirmed subscribers whose filter lets it through. */
  publish(topic: Topic, published: Published): void {
    const time = this.host.clock.now();
    for (const subscription of topic.subscriptions.values()) {
      if (subscription.token !== undefined) continue;
      const message = { body: published.textFor(subscription.protocol), attributes: published.attributes };
      if (subscription.filter && !subscription.filter.matches(message)) continue;
      const place = { service: "sns", operation: "Publish", resources: [topic.arn, subscription.arn] };
      void this.host.faults.deliveries.send(place, subscription.arn, () =>
        this.start({ subscription, published, time }),
      );
    }
  }

  private start(sending: Sending): Promise<void> {
    return this.redelivery.start({
      attempt: (signal) => deliver(this.host, this.signer, sending, signal),
      pause,
      giveUp: (error) => this.giveUp(sending, error),
    });
  }

  /** Asks an HTTP endpoint to confirm its subscription. */
  askToConfirm(subscription: Subscription): void {
    const { token } = subscription;
    if (token === undefined) return;
    const id = randomUUID();
    const { clock } = this.host;
    const time = clock.now();
    const body = async () =>
      JSON.stringify(await confirmation(subscription, token, id, time, this.signer, this.host.endpoint()));
    void this.redelivery.start({
      attempt: async (signal) =>
        post(subscription, { type: "SubscriptionConfirmation", id, body: await body() }, signal),
      pause,
      giveUp: (error) => this.host.report(error, `could not ask ${subscription.arn} to confirm`),
    });
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.redelivery.clear();
  }

  /** To the subscription's dead-letter queue; without one the message is lost, as on AWS, and here reported. */
  private async giveUp(sending: Sending, error: unknown): Promise<void> {
    const { arn, deadLetterQueue, topic } = sending.subscription;
    if (deadLetterQueue === undefined) return this.host.report(error, `dropped a message to ${arn}`);
    try {
      const sqs = await this.host.bus.to("sqs");
      await sqs.send(deadLetterQueue, await queueMessage(this.host, this.signer, sending), callerOf(topic));
    } catch (reason) {
      this.host.report(reason, `dropped a message to ${arn}: its dead-letter queue refused it, too`);
    }
  }
}
