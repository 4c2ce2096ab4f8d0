import type { Target } from "@aws-sdk/client-eventbridge";
import { limits } from "../../core/limits";
import { backoff, Redelivery } from "../../core/redelivery";
import type { Host } from "../../core/service";
import { Failed, type Forward, ship, toQueue } from "./destinations";
import type { BusEvent } from "./event";
import { inputFor, NoJson } from "./input";
import { eventKeys, policyOf } from "./policies";
import type { EventBus, Rule, Store } from "./store";

/** What a target has without a retry policy: as much as one can ask for. */
const mostRetries = limits.events.retries.value;
const longestAge = limits.events.eventAge.value;

/** Why an event was given up, in the words of its dead-letter message. */
type Exhausted = "MaximumRetryAttempts" | "MaximumEventAgeInSeconds";

/** Hands events to rules, and what rules let through to their targets, in the background. */
export class Delivery {
  private readonly redelivery: Redelivery;
  private readonly forward: Forward;

  constructor(
    private readonly host: Host,
    store: Store,
  ) {
    this.redelivery = new Redelivery(host, "events delivery");
    this.forward = (busArn, event, by) => {
      const bus = store.busIfThere(busArn, { account: event.account, region: event.region });
      if (!bus) throw new Failed("NO_RESOURCE", `Event bus ${busArn} does not exist.`);
      const keys = eventKeys(event.source, event["detail-type"], true);
      const asked = { action: "events:PutEvents", resource: bus.arn, policy: policyOf(bus), conditions: keys };
      const denial = this.host.bus.access.checkCaller(by, asked);
      if (denial) throw new Failed("NO_PERMISSIONS", denial.message);
      void this.publish(bus, event, true);
    };
  }

  /** Gives an event to all rules of a bus. Never rejects. */
  async publish(bus: EventBus, event: BusEvent, forwarded = false): Promise<void> {
    const rules = [...bus.rules.values()].filter((rule) => rule.state !== "DISABLED" && rule.pattern?.matches(event));
    await Promise.all(rules.map((rule) => this.run(rule, event, forwarded)));
  }

  /** Gives an event to the targets of a rule. Resolves after the first try at each, and never rejects. */
  async run(rule: Rule, event: BusEvent, forwarded = false): Promise<void> {
    await Promise.all([...rule.targets.values()].map((target) => this.send(rule, target, event, forwarded)));
  }

  /** Forgets what is not delivered yet. */
  clear(): void {
    this.redelivery.clear();
  }

  private send(rule: Rule, target: Target, event: BusEvent, forwarded: boolean): Promise<void> {
    const place = { service: "events", operation: "PutEvents", resources: [rule.arn, target.Arn ?? ""] };
    const way = `${rule.arn} ${target.Id}`;
    return this.host.faults.deliveries.send(place, way, () => this.start(rule, target, event, forwarded));
  }

  private start(rule: Rule, target: Target, event: BusEvent, forwarded: boolean): Promise<void> {
    const { clock } = this.host;
    const since = clock.now();
    const { MaximumRetryAttempts = mostRetries, MaximumEventAgeInSeconds = longestAge } = target.RetryPolicy ?? {};
    let exhausted: Exhausted | undefined;
    return this.redelivery.start({
      attempt: async () =>
        ship(this.host, this.forward, { rule, target, event, text: textFor(target, rule, event), forwarded }),
      pause: (error, failures) => {
        if (!(error instanceof Failed)) throw error;
        if (error.permanent) return undefined;
        const pause = backoff(failures);
        if (failures > MaximumRetryAttempts) exhausted = "MaximumRetryAttempts";
        else if (clock.now() + pause - since > MaximumEventAgeInSeconds * 1_000) exhausted = "MaximumEventAgeInSeconds";
        return exhausted ? undefined : pause;
      },
      giveUp: (error, failures) =>
        this.giveUp(rule, target, event, { error: error as Failed, retries: failures - 1, exhausted }),
    });
  }

  /** To the target's dead-letter queue; without one the event is lost, as on AWS, and here reported. */
  private async giveUp(
    rule: Rule,
    { Arn = "", DeadLetterConfig }: Target,
    event: BusEvent,
    { error, retries, exhausted }: { error: Failed; retries: number; exhausted: Exhausted | undefined },
  ): Promise<void> {
    const what = `dropped an event of ${rule.arn} for ${Arn}`;
    if (DeadLetterConfig?.Arn === undefined) return this.host.report(error, what);
    const attributes = {
      RULE_ARN: rule.arn,
      TARGET_ARN: Arn,
      ERROR_CODE: error.code,
      ERROR_MESSAGE: error.message,
      RETRY_ATTEMPTS: String(retries),
      ...(exhausted && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    };
    const messageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: "String", stringValue }]),
    );
    try {
      await toQueue(this.host, DeadLetterConfig.Arn, rule, { body: JSON.stringify(event), messageAttributes });
    } catch (reason) {
      this.host.report(reason, `${what}: its dead-letter queue refused it, too`);
    }
  }
}

function textFor(target: Target, rule: Rule, event: BusEvent): string {
  try {
    return inputFor(target, rule, event);
  } catch (error) {
    throw error instanceof NoJson ? new Failed("INVALID_JSON", error.message) : error;
  }
}
