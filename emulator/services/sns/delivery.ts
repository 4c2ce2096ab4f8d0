import { randomUUID } from "node:crypto";
import type { Timer } from "../../core/clock";
import type { Host } from "../../core/service";
import { allowsService } from "../../core/service-caller";
import { deliver, post, queueMessage, Refused, type Sending } from "./endpoints";
import { confirmation } from "./message";
import type { Published } from "./publish";
import { Signer } from "./signing";
import type { Subscription, Topic } from "./state";

/** Waits between tries: 3 retries, 20 seconds apart, as EffectiveDeliveryPolicy shows them. */
const retries = 3;
const retryDelay = 20_000;

/** Sends messages on to subscribers, in the background: publishers wait for none of them. */
export class Delivery {
  readonly signer: Signer;
  private readonly waiting = new Set<Timer>();
  private stopped = new AbortController();

  constructor(private readonly host: Host) {
    this.signer = new Signer(host.clock);
  }

  /** Sends a message to all confirmed subscribers whose filter lets it through. */
  publish(topic: Topic, published: Published): void {
    const time = this.host.clock.now();
    for (const subscription of topic.subscriptions.values()) {
      if (subscription.token !== undefined) continue;
      const message = { body: published.textFor(subscription.protocol), attributes: published.attributes };
      if (subscription.filter && !subscription.filter.matches(message)) continue;
      this.run(() => this.attempt({ subscription, published, time }, 0));
    }
  }

  /** Asks an HTTP endpoint to confirm its subscription. */
  askToConfirm(subscription: Subscription): void {
    const { token } = subscription;
    if (token === undefined) return;
    this.run(async () => {
      const id = randomUUID();
      const message = await confirmation(
        subscription,
        token,
        id,
        this.host.clock.now(),
        this.signer,
        this.host.endpoint(),
      );
      this.ask(subscription, id, JSON.stringify(message), 0);
    });
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.stopped.abort();
    this.stopped = new AbortController();
    for (const timer of this.waiting) timer.cancel();
    this.waiting.clear();
  }

  private ask(subscription: Subscription, id: string, body: string, failures: number): void {
    const { signal } = this.stopped;
    this.run(async () => {
      try {
        await post(subscription, { type: "SubscriptionConfirmation", id, body }, signal);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (signal.aborted) return;
        if (error.permanent || failures >= retries) {
          return this.host.report(error, `could not ask ${subscription.arn} to confirm`);
        }
        this.later(() => this.ask(subscription, id, body, failures + 1));
      }
    });
  }

  private async attempt(sending: Sending, failures: number): Promise<void> {
    const { signal } = this.stopped;
    try {
      await deliver(this.host, this.signer, sending, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refused)) throw error;
      if (!error.permanent && failures < retries) {
        return this.later(() => this.run(() => this.attempt(sending, failures + 1)));
      }
      await this.giveUp(sending, error);
    }
  }

  /** To the subscription's dead-letter queue; without one the message is lost, as on AWS, and here reported. */
  private async giveUp(sending: Sending, error: Refused): Promise<void> {
    const { arn, deadLetterQueue, topic } = sending.subscription;
    if (deadLetterQueue === undefined) return this.host.report(error, `dropped a message to ${arn}`);
    try {
      const sqs = await this.host.bus.to("sqs");
      const { Policy } = await sqs.attributes(deadLetterQueue);
      const caller = { principal: "sns.amazonaws.com", sourceArn: topic.arn, sourceAccount: topic.account };
      if (!allowsService(Policy, caller, "sqs:SendMessage", deadLetterQueue)) {
        throw new Refused(true, `the policy of ${deadLetterQueue} does not allow sns.amazonaws.com to send`);
      }
      const message = await queueMessage(this.host, this.signer, sending);
      await sqs.send(deadLetterQueue, { ...message, ...caller });
    } catch (reason) {
      this.host.report(reason, `dropped a message to ${arn}: its dead-letter queue refused it, too`);
    }
  }

  private later(task: () => void): void {
    const timer = this.host.clock.after(retryDelay, () => {
      this.waiting.delete(timer);
      task();
    });
    this.waiting.add(timer);
  }

  private run(task: () => Promise<void>): void {
    task().catch((error) => this.host.report(error, "delivery"));
  }
}
