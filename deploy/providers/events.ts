import { randomBytes } from "node:crypto";
import type { PutRuleCommandInput, Target } from "@aws-sdk/client-eventbridge";
import type {
  EventBus,
  EventBusArgs,
  EventPermission,
  EventPermissionArgs,
  EventRule,
  EventRuleArgs,
  EventTarget,
  EventTargetArgs,
} from "@pulumi/aws/cloudwatch";
import { InvalidInput } from "../errors";
import { documentText } from "./json";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type RuleArgs = PlainArgs<EventRuleArgs>;
type TargetArgs = PlainArgs<EventTargetArgs>;
type BusArgs = PlainArgs<EventBusArgs>;
type PermissionArgs = PlainArgs<EventPermissionArgs>;

/** Rules of the default bus have their name as the id, others that of the bus in front. */
const ruleId = (name: string, bus = "default") => (bus === "default" ? name : `${bus}/${name}`);

function ruleOf(id: string): { Name: string; EventBusName: string } {
  const at = id.lastIndexOf("/");
  return { Name: id.slice(at + 1), EventBusName: at < 0 ? "default" : id.slice(0, at) };
}

const stateOf = ({ state, isEnabled }: RuleArgs) =>
  (state ?? (isEnabled === false ? "DISABLED" : "ENABLED")) as NonNullable<PutRuleCommandInput["State"]>;

async function putRule(args: RuleArgs, { clients }: ProviderContext, Tags?: PutRuleCommandInput["Tags"]) {
  const { eventPattern, scheduleExpression } = args;
  if (!eventPattern && !scheduleExpression) {
    throw new InvalidInput("one of eventPattern and scheduleExpression must be given");
  }
  const { RuleArn } = await clients.events.putRule({
    Name: args.name,
    EventBusName: args.eventBusName,
    Description: args.description,
    EventPattern: documentText("eventPattern", eventPattern),
    ScheduleExpression: scheduleExpression,
    RoleArn: args.roleArn,
    State: stateOf(args),
    Tags,
  });
  return RuleArn ?? "";
}

async function ruleOutputs(id: string, { clients }: ProviderContext) {
  const { Arn, Name, EventBusName, State } = await clients.events.describeRule(ruleOf(id));
  return { arn: Arn, name: Name, eventBusName: EventBusName, state: State, isEnabled: State !== "DISABLED" };
}

async function changeTags(
  ResourceARN: string,
  before: Record<string, string> | undefined,
  now: Record<string, string> | undefined,
  { clients, tags }: ProviderContext,
): Promise<void> {
  const { set, remove } = tagChanges(tags(before), tags(now));
  const Tags = tagList(set);
  if (Tags) await clients.events.tagResource({ ResourceARN, Tags });
  if (remove.length > 0) await clients.events.untagResource({ ResourceARN, TagKeys: remove });
}

const rule = resourceType<EventRuleArgs, EventRule>({
  autoname: { property: "name", max: 64 },
  replaceOn: ["name", "namePrefix", "eventBusName"],
  async create(args, context) {
    await putRule(args, context, tagList(context.tags(args.tags)));
    const id = ruleId(args.name!, args.eventBusName);
    return { id, outputs: await ruleOutputs(id, context) };
  },
  read: (id, context) => unlessGone(ruleOutputs(id, context)),
  async update(id, args, old, context) {
    const arn = await putRule(args, context);
    await changeTags(arn, old.inputs.tags, args.tags, context);
    return ruleOutputs(id, context);
  },
  async delete(id, { inputs }, { clients }) {
    await clients.events.deleteRule({ ...ruleOf(id), Force: inputs.forceDestroy });
  },
});

/** Settings of targets that the AWS provider knows and this engine does not hand over. */
const foreign = [
  ...(["appsyncTarget", "batchTarget", "ecsTarget", "httpTarget"] as const),
  ...(["redshiftTarget", "runCommandTargets", "sagemakerPipelineTarget"] as const),
];

function targetOf(args: TargetArgs, Id: string): Target {
  const unknown = foreign.find((name) => args[name] !== undefined);
  if (unknown)
    throw new InvalidInput(`${unknown} is not supported by the Sensorcast engine; deploy it with the Pulumi CLI`);
  const { inputTransformer, sqsTarget, kinesisTarget, retryPolicy, deadLetterConfig } = args;
  return {
    Id,
    Arn: args.arn,
    RoleArn: args.roleArn,
    Input: args.input,
    InputPath: args.inputPath,
    ...(inputTransformer && {
      InputTransformer: { InputPathsMap: inputTransformer.inputPaths, InputTemplate: inputTransformer.inputTemplate },
    }),
    ...(sqsTarget && { SqsParameters: { MessageGroupId: sqsTarget.messageGroupId } }),
    ...(kinesisTarget && { KinesisParameters: { PartitionKeyPath: kinesisTarget.partitionKeyPath } }),
    ...(retryPolicy && {
      RetryPolicy: {
        MaximumRetryAttempts: retryPolicy.maximumRetryAttempts,
        MaximumEventAgeInSeconds: retryPolicy.maximumEventAgeInSeconds,
      },
    }),
    ...(deadLetterConfig && { DeadLetterConfig: { Arn: deadLetterConfig.arn } }),
  };
}

async function putTarget(args: TargetArgs, id: string, { clients }: ProviderContext): Promise<void> {
  const { FailedEntries = [] } = await clients.events.putTargets({
    Rule: args.rule,
    EventBusName: args.eventBusName,
    Targets: [targetOf(args, id)],
  });
  for (const { ErrorCode, ErrorMessage } of FailedEntries) {
    throw Object.assign(new Error(ErrorMessage), { name: ErrorCode ?? "Error" });
  }
}

/** Where a target is; for imports its id is `bus/rule/target` or `rule/target`. */
function placeOf(id: string, known: { rule?: string; eventBusName?: string; targetId?: string } | undefined) {
  if (known?.rule && known.targetId) {
    return { Rule: known.rule, EventBusName: known.eventBusName ?? "default", targetId: known.targetId };
  }
  const [targetId = "", Rule = "", ...bus] = id.split("/").reverse();
  return { Rule, EventBusName: bus.reverse().join("/") || "default", targetId };
}

async function findTarget(place: ReturnType<typeof placeOf>, { clients }: ProviderContext) {
  const { Rule, EventBusName, targetId } = place;
  for (let NextToken: string | undefined; ; ) {
    const page = await clients.events.listTargetsByRule({ Rule, EventBusName, NextToken });
    const found = page.Targets?.find(({ Id }) => Id === targetId);
    if (found || !page.NextToken) return found;
    NextToken = page.NextToken;
  }
}

const target = resourceType<EventTargetArgs, EventTarget>({
  replaceOn: ["rule", "eventBusName", "targetId"],
  async create(args, context) {
    // What the AWS provider makes up is of this kind.
    const targetId = args.targetId ?? `terraform-${randomBytes(13).toString("hex")}`;
    await putTarget(args, targetId, context);
    const bus = args.eventBusName ?? "default";
    const id = `${bus === "default" ? "" : `${bus}-`}${args.rule}-${targetId}`;
    return { id, outputs: { targetId, eventBusName: bus } };
  },
  async read(id, context, known) {
    const place = placeOf(id, known && { ...known.inputs, ...known.outputs });
    const found = await unlessGone(findTarget(place, context));
    return found && { targetId: place.targetId, eventBusName: place.EventBusName, rule: place.Rule, arn: found.Arn };
  },
  async update(_id, args, old, context) {
    const { targetId = "", eventBusName } = old.outputs;
    await putTarget(args, targetId, context);
    return { targetId, eventBusName };
  },
  async delete(id, { inputs, outputs }, { clients }) {
    const { Rule, EventBusName, targetId } = placeOf(id, { ...inputs, ...outputs });
    await clients.events.removeTargets({ Rule, EventBusName, Ids: [targetId], Force: inputs.forceDestroy });
  },
});

async function busOutputs(id: string, { clients }: ProviderContext) {
  const { Arn, Name } = await clients.events.describeEventBus({ Name: id });
  return { arn: Arn, name: Name };
}

const busSettings = ({ description, kmsKeyIdentifier, deadLetterConfig, logConfig }: BusArgs) => ({
  Description: description,
  KmsKeyIdentifier: kmsKeyIdentifier,
  ...(deadLetterConfig && { DeadLetterConfig: { Arn: deadLetterConfig.arn } }),
  ...(logConfig && {
    LogConfig: {
      IncludeDetail: logConfig.includeDetail as "NONE" | "FULL" | undefined,
      Level: logConfig.level as "OFF" | "ERROR" | "INFO" | "TRACE" | undefined,
    },
  }),
});

const bus = resourceType<EventBusArgs, EventBus>({
  autoname: { property: "name", max: 256 },
  replaceOn: ["name", "eventSourceName"],
  async create(args, context) {
    const Tags = tagList(context.tags(args.tags));
    await context.clients.events.createEventBus({
      Name: args.name,
      EventSourceName: args.eventSourceName,
      ...busSettings(args),
      Tags,
    });
    return { id: args.name!, outputs: await busOutputs(args.name!, context) };
  },
  read: (id, context) => unlessGone(busOutputs(id, context)),
  async update(id, args, old, context) {
    if (old.changed("description", "kmsKeyIdentifier", "deadLetterConfig", "logConfig")) {
      // An empty text takes a setting away; one that is left out stays.
      const cleared = { Description: "", KmsKeyIdentifier: "", DeadLetterConfig: {}, LogConfig: {} };
      const given = Object.entries(busSettings(args)).filter(([, value]) => value !== undefined);
      await context.clients.events.updateEventBus({ Name: id, ...cleared, ...Object.fromEntries(given) });
    }
    const outputs = await busOutputs(id, context);
    await changeTags(outputs.arn ?? "", old.inputs.tags, args.tags, context);
    return outputs;
  },
  async delete(id, _known, { clients }) {
    await clients.events.deleteEventBus({ Name: id });
  },
});

async function putPermission(args: PermissionArgs, { clients }: ProviderContext): Promise<void> {
  const { condition } = args;
  await clients.events.putPermission({
    EventBusName: args.eventBusName,
    Action: args.action ?? "events:PutEvents",
    Principal: args.principal,
    StatementId: args.statementId,
    ...(condition && { Condition: { Type: condition.type, Key: condition.key, Value: condition.value } }),
  });
}

const permission = resourceType<EventPermissionArgs, EventPermission>({
  replaceOn: ["statementId", "eventBusName"],
  async create(args, context) {
    await putPermission(args, context);
    const eventBusName = args.eventBusName ?? "default";
    return { id: `${eventBusName}-${args.statementId}`, outputs: { eventBusName } };
  },
  async read(id, { clients }, known) {
    const at = id.lastIndexOf("-");
    const { eventBusName: Name = "default", statementId } = known?.inputs ?? {
      eventBusName: id.slice(0, at),
      statementId: id.slice(at + 1),
    };
    const found = await unlessGone(clients.events.describeEventBus({ Name }));
    const { Statement = [] } = JSON.parse(found?.Policy ?? "{}") as { Statement?: { Sid?: string }[] };
    return Statement.some(({ Sid }) => Sid === statementId) ? { eventBusName: Name, statementId } : undefined;
  },
  async update(_id, args, _old, context) {
    await putPermission(args, context);
    return { eventBusName: args.eventBusName ?? "default" };
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.events.removePermission({ EventBusName: inputs.eventBusName, StatementId: inputs.statementId });
  },
});

export const types = {
  "aws:cloudwatch/eventRule:EventRule": rule,
  "aws:cloudwatch/eventTarget:EventTarget": target,
  "aws:cloudwatch/eventBus:EventBus": bus,
  "aws:cloudwatch/eventPermission:EventPermission": permission,
};
