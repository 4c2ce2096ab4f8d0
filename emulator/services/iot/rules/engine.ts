import { randomUUID } from "node:crypto";
import { AwsError } from "../../../core/errors";
import type { Host } from "../../../core/service";
import type { Message } from "../broker";
import { evaluate } from "../sql";
import type { Region } from "../state";
import { matchesFilter } from "../topics";
import type { BoundAction } from "./actions";
import type { Call, Firing } from "./actions/action";
import { contextOf } from "./context";
import { type Failure, failureOf, failureReport } from "./failures";
import { Retries } from "./retries";
import type { Rule } from "./rule";

/** A message on its way through the rules. */
type Arrival = Pick<Firing, "message" | "sql" | "traceId">;

/** Runs rules: evaluates their statements for each message that they match, and starts their actions. */
export class Engine {
  private readonly retries: Retries;
  private epoch = 0;

  constructor(private readonly host: Host) {
    this.retries = new Retries(host.clock);
  }

  /** Takes a message that the broker has accepted. Never throws: it is published, whatever becomes of it here. */
  accept(region: Region, rules: ReadonlyMap<string, Rule>, message: Message): void {
    let arrival: Arrival | undefined;
    for (const rule of this.reached(rules, message)) {
      arrival ??= this.arrival(region, message);
      const one = arrival;
      // Evaluated in order within a topic, so that what waits for a function does not let others pass.
      rule.lanes.run(`sql ${message.topic}`, () => this.run(rule, one));
    }
  }

  /** Forgets what is under way. */
  clear(): void {
    this.epoch++;
    this.retries.clear();
  }

  private reached(rules: ReadonlyMap<string, Rule>, { topic, basicIngestRule }: Message): Iterable<Rule> {
    if (basicIngestRule !== undefined) {
      const rule = rules.get(basicIngestRule);
      if (!rule) this.lose(`there is no rule ${basicIngestRule} for a message of Basic Ingest on ${topic}`);
      return rule && !rule.disabled ? [rule] : [];
    }
    const matching: Rule[] = [];
    for (const rule of rules.values()) {
      const { topicFilter } = rule.statement;
      if (!rule.disabled && topicFilter !== undefined && matchesFilter(topicFilter, topic)) matching.push(rule);
    }
    return matching;
  }

  private arrival(region: Region, message: Message): Arrival {
    const traceId = randomUUID();
    return { message, traceId, sql: contextOf(region, this.host.bus, message, traceId) };
  }

  private async run(rule: Rule, { message, sql, traceId }: Arrival): Promise<void> {
    let selected: Awaited<ReturnType<typeof evaluate>>;
    try {
      const answer = evaluate(rule.statement, sql);
      selected = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      // Error actions are for actions (developer guide, rule error handling).
      return this.lose(`the statement of rule ${rule.name} failed for a message on ${message.topic}`, error);
    }
    if (selected === undefined) return;
    const isJson = !Buffer.isBuffer(selected);
    const firing: Firing = {
      message,
      sql,
      traceId,
      payload: Buffer.isBuffer(selected) ? selected : Buffer.from(JSON.stringify(selected)),
      isJson,
      fill: (template) => template.render(sql),
    };
    const started: { done: Promise<Failure | undefined> }[] = [];
    for (const [index, action] of rule.actions.entries()) started.push(await this.start(rule, action, index, firing));
    void this.finish(rule, firing, started);
  }

  /** Starts an action; resolves when it has its place in its lane. */
  private async start(
    { lanes }: Rule,
    action: BoundAction,
    place: number | "error",
    firing: Firing,
  ): Promise<{ done: Promise<Failure | undefined> }> {
    const { epoch } = this;
    let call: Call;
    try {
      call = await action.prepare(firing);
    } catch (error) {
      this.reportUnexpected(error, action);
      return { done: Promise.resolve(failureOf(error, action, firing, action)) };
    }
    const done = new Promise<Failure | undefined>((resolve) => {
      lanes.run(`${place} ${call.lane}`, async () => {
        const failed = epoch === this.epoch ? await this.retries.run(() => call.send()) : undefined;
        if (failed) this.reportUnexpected(failed.error, action);
        resolve(failed && failureOf(failed.error, action, firing, call));
      });
    });
    return { done };
  }

  /** Tells the error action of the failures, once for all actions of the rule. */
  private async finish(
    rule: Rule,
    firing: Firing,
    started: readonly { done: Promise<Failure | undefined> }[],
  ): Promise<void> {
    const outcomes = await Promise.all(started.map(({ done }) => done));
    const failures = outcomes.filter((failure) => failure !== undefined);
    if (failures.length === 0) return;
    if (!rule.errorAction) return this.loseAll(rule, failures);
    const payload = Buffer.from(failureReport(rule, firing, failures));
    const { done } = await this.start(rule, rule.errorAction, "error", { ...firing, payload, isJson: true });
    const failed = await done;
    if (failed) this.loseAll(rule, [...failures, failed]);
  }

  private loseAll({ name }: Rule, failures: readonly Failure[]): void {
    for (const { errorMessage } of failures) this.lose(`rule ${name}: ${errorMessage}`);
  }

  /** Says that a message did not get where it should: nothing is lost silently. */
  private lose(what: string, error?: unknown): void {
    this.host.report(error ?? new Error(what), what);
  }

  private reportUnexpected(error: unknown, action: BoundAction): void {
    if (!(error instanceof AwsError)) this.host.report(error, `rule action ${action.name}`);
  }
}
