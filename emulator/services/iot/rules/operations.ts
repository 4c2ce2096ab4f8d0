import type { Tag, TopicRulePayload } from "@aws-sdk/client-iot";
import { limits } from "../../../core/limits";
import type { Context } from "../../../core/service";
import { check, page } from "../checks";
import { limitExceeded } from "../errors";
import type { Region } from "../state";
import type { IotOperations, Store } from "../store";
import { checkTags, setTags } from "../tags";
import { matchesFilter } from "../topics";
import { readRule } from "./definition";
import { ruleExists, ruleNotFound } from "./errors";
import { Lanes } from "./lanes";
import type { Rule } from "./rule";
import type { Rules } from "./rules";

/** Rules of an account and region. */
const mostRules = limits.iot.rules.value;

const nameRule = { required: true, length: [1, limits.iot.name.value], pattern: /^[a-zA-Z0-9_]+$/ } as const;

/** The tags of a request's header, written as a query string. */
function readTags(text: string | undefined): Tag[] {
  if (!text) return [];
  return [...new URLSearchParams(text)].map(([Key, Value]) => ({ Key, Value }));
}

/** Topic rules: https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html */
export function ruleOperations(store: Store, rules: Rules): IotOperations {
  const locate = (context: Context) => {
    const region = store.region(context);
    return { region, all: rules.of(region) };
  };
  const find = (name: string | undefined, context: Context) => {
    check({ ruleName: [name, nameRule] });
    const { region, all } = locate(context);
    const rule = all.get(name!);
    if (!rule) throw ruleNotFound(name!);
    return { region, all, rule };
  };
  const read = async (region: Region, name: string, payload: TopicRulePayload | undefined): Promise<Definition> => {
    check({ topicRulePayload: [payload, { required: true }] });
    return readRule(store.host.bus, region, name, payload!);
  };
  type Definition = Awaited<ReturnType<typeof readRule>>;

  return {
    async CreateTopicRule({ ruleName, topicRulePayload, tags }, context) {
      check({ ruleName: [ruleName, nameRule] });
      const name = ruleName!;
      const { region, all } = locate(context);
      const given = readTags(tags);
      checkTags(given);
      const refuse = () => {
        const present = all.get(name);
        if (present) throw ruleExists(name, present.arn);
        if (all.size >= mostRules) throw limitExceeded(`An account cannot have more than ${mostRules} rules`);
      };
      refuse();
      const definition = await read(region, name, topicRulePayload);
      refuse();
      const rule: Rule = {
        ...definition,
        createdAt: store.clock.now(),
        lanes: new Lanes((error) => store.host.report(error, `rule ${name}`)),
      };
      all.set(name, rule);
      setTags(region, rule.arn, given);
      return {};
    },

    GetTopicRule({ ruleName }, context) {
      const { rule } = find(ruleName, context);
      const { name, arn, createdAt, disabled, payload } = rule;
      return {
        ruleArn: arn,
        rule: { ...payload, ruleName: name, createdAt: new Date(createdAt), ruleDisabled: disabled },
      };
    },

    ListTopicRules({ topic, maxResults, nextToken, ruleDisabled }, context) {
      check({ maxResults: [maxResults, { range: [1, 10_000] }], topic: [topic, { length: [1, 256] }] });
      const { all } = locate(context);
      const found = [...all.values()]
        .filter(({ disabled }) => ruleDisabled === undefined || disabled === ruleDisabled)
        .filter(
          ({ statement: { topicFilter } }) =>
            topic === undefined || (topicFilter !== undefined && matchesFilter(topicFilter, topic)),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const { items, next } = page(found, nextToken, maxResults);
      return {
        rules: items.map(({ name, arn, createdAt, disabled, statement: { topicFilter } }) => ({
          ruleArn: arn,
          ruleName: name,
          topicPattern: topicFilter,
          createdAt: new Date(createdAt),
          ruleDisabled: disabled,
        })),
        ...(next !== undefined && { nextToken: next }),
      };
    },

    async ReplaceTopicRule({ ruleName, topicRulePayload }, context) {
      const { region, all, rule } = find(ruleName, context);
      const definition = await read(region, rule.name, topicRulePayload);
      // It may be another one by now.
      const present = all.get(rule.name);
      if (!present) throw ruleNotFound(rule.name);
      const { createdAt, lanes } = present;
      all.set(rule.name, { ...definition, createdAt, lanes });
      return {};
    },

    EnableTopicRule({ ruleName }, context) {
      find(ruleName, context).rule.disabled = false;
      return {};
    },

    DisableTopicRule({ ruleName }, context) {
      find(ruleName, context).rule.disabled = true;
      return {};
    },

    DeleteTopicRule({ ruleName }, context) {
      const { region, all, rule } = find(ruleName, context);
      all.delete(rule.name);
      region.tags.delete(rule.arn);
      return {};
    },
  };
}
