import type { Rule as ApiRule, PutRuleCommandInput } from "@aws-sdk/client-eventbridge";
import { formatArn } from "../../core/arn";
import { BadPattern, compilePattern, eventBusOperators, type Matcher } from "../../core/event-pattern";
import { limits } from "../../core/limits";
import { addTags, busReference, check, page, roleArn, ruleName } from "./checks";
import { invalid, invalidPattern, tooMany } from "./errors";
import { readSchedule } from "./schedule";
import type { Scheduler } from "./scheduler";
import type { EventBus, EventsOperations, Rule, Store } from "./store";

/** Rules that a bus can have (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const mostRules = limits.events.rules.value;

const describe = (rule: Rule): ApiRule => ({
  Name: rule.name,
  Arn: rule.arn,
  EventPattern: rule.pattern?.text,
  ScheduleExpression: rule.schedule?.expression,
  State: rule.state,
  Description: rule.description,
  RoleArn: rule.roleArn,
  EventBusName: rule.bus.name,
});

function readPattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw invalidPattern("it is no JSON.");
  }
  try {
    return compilePattern(pattern, eventBusOperators);
  } catch (error) {
    if (error instanceof BadPattern) throw invalidPattern(error.message);
    throw error;
  }
}

/** What an event needs for a pattern to be tried on it (API reference, TestEventPattern). */
const eventFields = ["id", "detail-type", "source", "account", "time", "region"];

function readEvent(text: string): object {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw invalid("Parameter Event is not valid.");
  }
  const fields = typeof event === "object" && event !== null ? event : {};
  if (!eventFields.every((name) => Object.hasOwn(fields, name))) {
    throw invalid(`Parameter Event is not valid. Reason: it needs the fields ${eventFields.join(", ")}.`);
  }
  return fields;
}

function checkPut(input: PutRuleCommandInput): void {
  check({
    name: [input.Name, ruleName],
    scheduleExpression: [input.ScheduleExpression, { length: [0, limits.events.schedule.value] }],
    eventPattern: [input.EventPattern, { length: [0, limits.events.pattern.value] }],
    state: [input.State, { oneOf: ["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"] }],
    description: [input.Description, { length: [0, 512] }],
    roleArn: [input.RoleArn, roleArn],
    eventBusName: [input.EventBusName, busReference],
  });
  if (!input.EventPattern && !input.ScheduleExpression) {
    throw invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.");
  }
}

const arnOf = ({ region, account, name }: EventBus, rule: string) =>
  formatArn("events", region, account, `rule/${name === "default" ? "" : `${name}/`}${rule}`);

/** Rules, their states, and patterns. */
export const ruleOperations = (store: Store, scheduler: Scheduler): EventsOperations => {
  const set = (rule: Rule, state: Rule["state"]) => {
    if (rule.state === state) return {};
    rule.state = state;
    scheduler.begin(rule);
    return {};
  };
  return {
    PutRule(input, context) {
      checkPut(input);
      const { Name = "", ScheduleExpression: expression, EventPattern: text, State = "ENABLED" } = input;
      const bus = store.bus(input.EventBusName, context);
      if (expression && bus.name !== "default") {
        throw invalid("ScheduleExpression is supported only on the default event bus.");
      }
      const schedule = expression ? { expression, next: readSchedule(expression) } : undefined;
      const pattern = text ? { text, matches: readPattern(text) } : undefined;
      const known = bus.rules.get(Name);
      if (!known && bus.rules.size >= mostRules) throw tooMany();
      const arn = arnOf(bus, Name);
      const made = {
        bus,
        name: Name,
        arn,
        createdBy: context.account,
        targets: new Map(),
        tags: new Map<string, string>(),
      };
      const rule: Rule = known ?? { ...made, state: State };
      // Tags of a rule that is there are left alone (API reference, PutRule).
      if (!known) addTags(rule.tags, input.Tags);
      const restarts = !known || known.schedule?.expression !== expression || known.state !== State;
      // What is left out is gone: nothing of the rule before is kept but its targets and tags.
      Object.assign(rule, { state: State, description: input.Description, roleArn: input.RoleArn, pattern, schedule });
      bus.rules.set(Name, rule);
      if (restarts) scheduler.begin(rule);
      return { RuleArn: arn };
    },

    DescribeRule(input, context) {
      check({ name: [input.Name, ruleName], eventBusName: [input.EventBusName, busReference] });
      const rule = store.rule(input.Name, input.EventBusName, context);
      return { ...describe(rule), CreatedBy: rule.createdBy };
    },

    ListRules(input, context) {
      check({
        namePrefix: [input.NamePrefix, { ...ruleName, required: false }],
        eventBusName: [input.EventBusName, busReference],
      });
      const { NamePrefix = "" } = input;
      const rules = [...store.bus(input.EventBusName, context).rules.values()];
      const found = rules.filter(({ name }) => name.startsWith(NamePrefix));
      const { items, NextToken } = page(found, ({ name }) => name, input);
      return { Rules: items.map(describe), NextToken };
    },

    DeleteRule(input, context) {
      check({ name: [input.Name, ruleName], eventBusName: [input.EventBusName, busReference] });
      const { rules } = store.bus(input.EventBusName, context);
      const rule = rules.get(input.Name!);
      // `Force` is for rules that AWS services manage; no rule of the emulator is one.
      if (rule?.targets.size) throw invalid("Rule can't be deleted since it has targets.");
      if (rule) scheduler.end(rule);
      rules.delete(input.Name!);
      return {};
    },

    EnableRule(input, context) {
      check({ name: [input.Name, ruleName], eventBusName: [input.EventBusName, busReference] });
      return set(store.rule(input.Name, input.EventBusName, context), "ENABLED");
    },

    DisableRule(input, context) {
      check({ name: [input.Name, ruleName], eventBusName: [input.EventBusName, busReference] });
      return set(store.rule(input.Name, input.EventBusName, context), "DISABLED");
    },

    TestEventPattern(input) {
      check({
        eventPattern: [input.EventPattern, { required: true, length: [0, limits.events.pattern.value] }],
        event: [input.Event, { required: true }],
      });
      return { Result: readPattern(input.EventPattern!)(readEvent(input.Event!)) };
    },
  };
};
