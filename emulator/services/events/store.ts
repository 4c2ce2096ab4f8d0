import type * as Sdk from "@aws-sdk/client-eventbridge";
import type { Rule as ApiRule, Target } from "@aws-sdk/client-eventbridge";
import { formatArn, parseArn } from "../../core/arn";
import type { Clock, Timer } from "../../core/clock";
import type { Matcher } from "../../core/event-pattern";
import { type Operations, type Scope, Scoped } from "../../core/service";
import { accessDenied, invalidParameter, noSuchBus, noSuchRule } from "./errors";
import type { Schedule } from "./schedule";

export type EventsOperations = Operations<typeof Sdk>;

/** A statement of an event bus's policy. */
export type Statement = Record<string, unknown> & { Sid?: string };

export interface EventBus extends Scope {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  modified: number;
  description?: string;
  kmsKeyIdentifier?: string;
  deadLetterConfig?: Sdk.DeadLetterConfig;
  logConfig?: Sdk.LogConfig;
  statements: Statement[];
  readonly rules: Map<string, Rule>;
  readonly tags: Map<string, string>;
}

export interface Rule {
  readonly bus: EventBus;
  readonly name: string;
  readonly arn: string;
  readonly createdBy: string;
  readonly targets: Map<string, Target>;
  readonly tags: Map<string, string>;
  state: NonNullable<ApiRule["State"]>;
  description?: string;
  roleArn?: string;
  pattern?: { readonly text: string; readonly matches: Matcher };
  schedule?: { readonly expression: string; readonly next: Schedule };
  /** The next run of its schedule. */
  timer?: Timer;
}

/** The event buses of all accounts and regions. */
export class Store {
  private readonly buses = new Scoped((scope) => {
    const all = new Map<string, EventBus>();
    all.set("default", this.makeBus(scope, "default"));
    return all;
  });

  constructor(private readonly clock: Clock) {}

  of(scope: Scope): Map<string, EventBus> {
    return this.buses.of(scope);
  }

  makeBus({ account, region }: Scope, name: string): EventBus {
    const now = this.clock.now();
    return {
      ...{ account, region, name, created: now, modified: now, statements: [] },
      arn: formatArn("events", region, account, `event-bus/${name}`),
      rules: new Map(),
      tags: new Map(),
    };
  }

  /** A bus of the caller's own, by name or ARN; the default one where none is named. */
  bus(nameOrArn: string | undefined, scope: Scope): EventBus {
    const bus = this.busIfThere(nameOrArn ?? "default", scope);
    if (bus && bus.account !== scope.account) throw accessDenied(bus.arn);
    if (bus?.region !== scope.region) throw noSuchBus(nameOrArn ?? "default");
    return bus;
  }

  /** A bus of any account, for who puts events on it. */
  busIfThere(nameOrArn: string, scope: Scope): EventBus | undefined {
    if (!nameOrArn.startsWith("arn:")) return this.of(scope).get(nameOrArn);
    const arn = parseArn(nameOrArn);
    if (arn?.service !== "events" || !arn.resource.startsWith("event-bus/")) {
      throw invalidParameter("EventBusName", "Provided Arn is not in correct format.");
    }
    return this.of(arn).get(arn.resource.slice("event-bus/".length));
  }

  rule(name: string | undefined, busName: string | undefined, scope: Scope): Rule {
    const bus = this.bus(busName, scope);
    const rule = bus.rules.get(name ?? "");
    if (!rule) throw noSuchRule(name ?? "", bus.name);
    return rule;
  }

  *rules(): Iterable<Rule> {
    for (const buses of this.buses.all()) for (const bus of buses.values()) yield* bus.rules.values();
  }

  clear(): void {
    for (const { timer } of this.rules()) timer?.cancel();
    this.buses.clear();
  }
}
