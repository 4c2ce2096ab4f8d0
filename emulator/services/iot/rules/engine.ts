import { randomUUID } from "node:crypto";
import { AwsError } from "../../../core/errors";
import type { Host } from "../../../core/service";
import type { Message } from "../broker";
import type { Logging } from "../logging";
import { evaluate } from "../sql";
import type { Region } from "../state";
import { matchesFilter } from "../topics";
import type { BoundAction } from "./actions";
import type { Call, Firing } from "./actions/action";
import { contextOf } from "./context";
import { type Failure, failureOf, failureReport } from "./failures";
import { Retries } from "./retries";
import type { Rule } from "./rule";
import { RuleLog } from "./rule-log";

/** A message that has come to the rules. */
interface Arrival extends Pick<Firing, "region" | "message" | "traceId"> {
  /** Since when the emulator goes on as if new. */
  readonly epoch: number;
}

/** What a statement made of it. */
type Fired = Firing & Arrival;

/** An action on its way; `done` resolves with its failure, if it fails. */
interface Started {
  readonly done: Promise<Failure | undefined>;
}

/** Runs rules: evaluates their statements for each message that they match, and starts their actions. */
export class Engine {
  private readonly retries: Retries;
  private readonly log: RuleLog;
  private epoch = 0;

  constructor(
    private readonly host: Host,
    logging: Logging,
  ) {
    this.retries = new Retries(host);
    this.log = new RuleLog(host, logging);
  }

  /** Takes a message that the broker has accepted. Never throws: it is published, whatever becomes of it here. */
  accept(region: Region, rules: ReadonlyMap<string, Rule>, message: Message): void {
    const arrival: Arrival = { region, message, traceId: randomUUID(), epoch: this.epoch };
    for (const rule of this.reached(rules, arrival)) {
      this.log.matched(rule, arrival);
      // Evaluated in order within a topic, so that what waits for a function does not let others pass.
      const fired = () => ({ kind: "rule", service: "iot", operation: rule.name, resources: [rule.arn] }) as const;
      rule.lanes.run(`sql ${message.topic}`, () => this.host.journal.step(fired, () => this.run(rule, arrival)));
    }
  }

  /** Forgets what is under way. */
  clear(): void {
    this.epoch++;
    this.retries.clear();
  }

  private isForgotten({ epoch }: Arrival): boolean {
    return epoch !== this.epoch;
  }

  private reached(rules: ReadonlyMap<string, Rule>, arrival: Arrival): readonly Rule[] {
    const { topic, basicIngestRule } = arrival.message;
    if (basicIngestRule !== undefined) {
      const rule = rules.get(basicIngestRule);
      if (!rule) this.log.noRule(arrival, basicIngestRule);
      return rule && !rule.disabled ? [rule] : [];
    }
    const matching: Rule[] = [];
    for (const rule of rules.values()) {
      const { topicFilter } = rule.statement;
      if (!rule.disabled && topicFilter !== undefined && matchesFilter(topicFilter, topic)) matching.push(rule);
    }
    return matching;
  }

  private async run(rule: Rule, arrival: Arrival): Promise<void> {
    if (this.isForgotten(arrival)) return;
    const { region, message, traceId } = arrival;
    const sql = contextOf(region, rule.functions, message, traceId);
    let payload: Buffer;
    let isJson: boolean;
    try {
      const answer = evaluate(rule.statement, sql);
      const selected = answer instanceof Promise ? await answer : answer;
      if (selected === undefined || this.isForgotten(arrival)) return;
      isJson = !Buffer.isBuffer(selected);
      payload = Buffer.isBuffer(selected) ? selected : Buffer.from(JSON.stringify(selected));
    } catch (error) {
      // Error actions are for actions (developer guide, rule error handling).
      return this.log.statementFailed(rule, arrival, error);
    }
    const fired: Fired = { ...arrival, payload, isJson, fill: (template) => template.render(sql) };
    const started: Started[] = [];
    for (const [index, action] of rule.actions.entries()) started.push(await this.start(rule, action, index, fired));
    this.finish(rule, fired, started).catch((error) => this.host.report(error, `rule ${rule.name}`));
  }

  /** Starts an action; resolves when it has its place in its lane. */
  private async start(rule: Rule, action: BoundAction, place: number | "error", firing: Fired): Promise<Started> {
    this.log.starting(rule, action, firing);
    let call: Call;
    try {
      call = await action.prepare(firing);
    } catch (error) {
      return { done: Promise.resolve(this.failed(error, rule, action, firing, { resource: action.resource })) };
    }
    const since = this.host.clock.now();
    const done = new Promise<Failure | undefined>((resolve) => {
      rule.lanes.run(`${place} ${call.lane}`, async () => {
        if (this.isForgotten(firing)) return resolve(undefined);
        const given = await this.retries.run(() => action.run(call), since);
        if (given) return resolve(this.failed(given.error, rule, action, firing, call));
        if (!this.isForgotten(firing)) this.log.succeeded(rule, action, firing, call);
        resolve(undefined);
      });
    });
    return { done };
  }

  private failed(
    error: unknown,
    rule: Rule,
    action: BoundAction,
    firing: Firing,
    call: { readonly resource: string; readonly detail?: string },
  ): Failure {
    if (!(error instanceof AwsError)) this.host.report(error, `rule action ${action.name}`);
    const failure = failureOf(error, action, firing, call);
    this.log.failed(rule, action, firing, failure);
    return failure;
  }

  /** Tells the error action of the failures, once for all actions of the rule. */
  private async finish(rule: Rule, firing: Fired, started: readonly Started[]): Promise<void> {
    const outcomes = await Promise.all(started.map(({ done }) => done));
    const failures = outcomes.filter((failure) => failure !== undefined);
    if (failures.length === 0) return;
    if (!rule.errorAction) return this.log.lost(rule, failures);
    const payload = Buffer.from(failureReport(rule, firing, failures));
    const { done } = await this.start(rule, rule.errorAction, "error", { ...firing, payload, isJson: true });
    const failed = await done;
    if (failed) this.log.lost(rule, [...failures, failed]);
  }
}
