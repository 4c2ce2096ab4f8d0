import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import {
  type Access,
  type AccessTable,
  passRole,
  type RequestTags,
  requestTags,
  resourceTags,
} from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import type { Context, Scope } from "../../core/service";
import { eventKeys, policyOf } from "./policies";
import type { EventBus, Store } from "./store";

type Sdk = typeof import("@aws-sdk/client-eventbridge");
type Keys = NonNullable<Access["conditions"]>;

/** A bus as requests name it, whether it is there or not. */
interface BusReference extends Scope {
  readonly name: string;
  readonly arn: string;
  readonly found: EventBus | undefined;
}

/** The source and detail type that a pattern asks for by their whole names. */
function patternKeys(text: string | undefined): Keys {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const { source, "detail-type": detailType } = (pattern ?? {}) as Record<string, unknown>;
  const names = (list: unknown) => {
    const texts = Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];
    return texts.length > 0 ? texts : undefined;
  };
  return { "events:source": names(source), "events:detail-type": names(detailType) };
}

/**
 * What EventBridge wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html).
 * The policy of a bus speaks of its rules, too.
 */
export function access(store: Store): AccessTable<Sdk> {
  const busOf = (nameOrArn = "default", scope: Scope): BusReference => {
    const given = nameOrArn.startsWith("arn:") ? parseArn(nameOrArn) : undefined;
    const { account, region } = given ?? scope;
    const name = given ? given.resource.replace(/^event-bus\//, "") : nameOrArn;
    const arn = formatArn("events", region, account, `event-bus/${name}`);
    return { account, region, name, arn, found: store.of({ account, region }).get(name) };
  };
  const onBus = (action: string, { arn, found }: BusReference, more: Keys = {}): Access => ({
    action: `events:${action}`,
    resource: arn,
    policy: found && policyOf(found),
    conditions: { ...resourceTags(found?.tags), ...more },
  });
  const onRule = (action: string, name = "*", busName: string | undefined, scope: Scope, more: Keys = {}): Access => {
    const bus = busOf(busName, scope);
    const rule = bus.found?.rules.get(name);
    const path = bus.name === "default" ? name : `${bus.name}/${name}`;
    return {
      action: `events:${action}`,
      resource: formatArn("events", bus.region, bus.account, `rule/${path}`),
      policy: bus.found && policyOf(bus.found),
      conditions: {
        ...resourceTags(rule?.tags),
        ...(rule && { "events:creatorAccount": [rule.createdBy] }),
        ...more,
      },
    };
  };

  const bus = (action: string) => (input: { Name?: string | undefined; Tags?: RequestTags }, context: Context) =>
    onBus(action, busOf(input.Name, context), requestTags(input.Tags));
  const rule =
    (action: string) =>
    (input: { Name?: string | undefined; Rule?: string | undefined; EventBusName?: string }, context: Context) =>
      onRule(action, input.Name ?? input.Rule, input.EventBusName, context);
  const tagged =
    (action: string) =>
    (input: { ResourceARN: string | undefined; Tags?: RequestTags; TagKeys?: string[] }, context: Context) => {
      const arn = input.ResourceARN ?? "*";
      const more = requestTags(input.Tags, input.TagKeys);
      const [, busName, name] = /:rule\/(?:([^/]+)\/)?([^/]+)$/.exec(arn) ?? [];
      const scope = parseArn(arn) ?? context;
      const found =
        name === undefined ? onBus(action, busOf(arn, scope), more) : onRule(action, name, busName, scope, more);
      return { ...found, resource: arn };
    };
  const list =
    (action: string, resource: string) =>
    (_: unknown, { account, region }: Context) => ({
      action: `events:${action}`,
      resource: formatArn("events", region, account, resource),
    });
  const all = (action: string) => () => ({ action: `events:${action}`, resource: "*" });

  /** For a bus of another account the caller's own policies are asked here, and its policy for each entry by itself. */
  const put = ({ EventBusName, Source, DetailType }: PutEventsRequestEntry, { account, region }: Context): Access => {
    const asked = onBus("PutEvents", busOf(EventBusName, { account, region }), eventKeys(Source, DetailType));
    return parseArn(asked.resource)?.account === account ? asked : { ...asked, owner: account, policy: undefined };
  };

  return {
    CreateEventBus: bus("CreateEventBus"),
    DeleteEventBus: bus("DeleteEventBus"),
    DeleteRule: rule("DeleteRule"),
    DescribeEventBus: bus("DescribeEventBus"),
    DescribeRule: rule("DescribeRule"),
    DisableRule: rule("DisableRule"),
    EnableRule: rule("EnableRule"),
    ListEventBuses: list("ListEventBuses", "event-bus/*"),
    ListRuleNamesByTarget: list("ListRuleNamesByTarget", "rule/*"),
    ListRules: list("ListRules", "rule/*"),
    ListTagsForResource: tagged("ListTagsForResource"),
    ListTargetsByRule: rule("ListTargetsByRule"),
    PutEvents: ({ Entries = [] }, context) => Entries.map((entry) => put(entry, context)),
    PutPermission: all("PutPermission"),
    PutRule: ({ Name, EventBusName, EventPattern, RoleArn, Tags }, context) => [
      onRule("PutRule", Name, EventBusName, context, { ...patternKeys(EventPattern), ...requestTags(Tags) }),
      ...passRole(RoleArn, "events.amazonaws.com"),
    ],
    PutTargets: ({ Rule, EventBusName, Targets = [] }, context) => [
      onRule("PutTargets", Rule, EventBusName, context, { "events:TargetArn": Targets.map(({ Arn = "" }) => Arn) }),
      ...[...new Set(Targets.map(({ RoleArn }) => RoleArn))].flatMap((arn) => passRole(arn, "events.amazonaws.com")),
    ],
    RemovePermission: all("RemovePermission"),
    RemoveTargets: rule("RemoveTargets"),
    TagResource: tagged("TagResource"),
    TestEventPattern: all("TestEventPattern"),
    UntagResource: tagged("UntagResource"),
    UpdateEventBus: bus("UpdateEventBus"),
  };
}
