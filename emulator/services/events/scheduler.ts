import type { Host } from "../../core/service";
import type { Delivery } from "./delivery";
import { makeEvent } from "./event";
import type { Rule } from "./store";

/** Runs rules by their schedules, on the emulator's clock. */
export class Scheduler {
  constructor(
    private readonly host: Host,
    private readonly delivery: Delivery,
  ) {}

  /** Begins a rule's schedule, from now on; ends the one before. Nothing begins for a rule without, or a disabled one. */
  begin(rule: Rule): void {
    this.end(rule);
    const now = this.host.clock.now();
    if (rule.state !== "DISABLED") this.arm(rule, now, now);
  }

  end(rule: Rule): void {
    rule.timer?.cancel();
    rule.timer = undefined;
  }

  private arm(rule: Rule, start: number, after: number): void {
    const due = rule.schedule?.next(start, after);
    if (due === undefined) return;
    const { clock } = this.host;
    rule.timer = clock.after(due - clock.now(), () => {
      // What fell due while the machine slept is one run, not many.
      this.arm(rule, start, Math.max(due, clock.now()));
      const fired = () =>
        ({ kind: "rule", service: "events", operation: rule.name, resources: [rule.arn], causes: [] }) as const;
      return this.host.journal.step(fired, () => this.delivery.run(rule, scheduledEvent(rule, due)));
    });
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
const scheduledEvent = (rule: Rule, time: number) =>
  makeEvent(rule.bus, time, {
    detailType: "Scheduled Event",
    source: "aws.events",
    resources: [rule.arn],
    detail: {},
  });
