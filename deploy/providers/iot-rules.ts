import type { Action, TopicRulePayload } from "@aws-sdk/client-iot";
import type { TopicRule, TopicRuleArgs } from "@pulumi/aws/iot";
import { errorCode, isGone } from "../errors";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { retryWhile } from "./wait";

type Args = PlainArgs<TopicRuleArgs>;
type ErrorAction = NonNullable<Args["errorAction"]>;
type ActionName = Exclude<keyof Action, "$unknown">;

/** What the API calls the actions of Pulumi's lists, and of its error action. */
const lists = {
  cloudwatchAlarms: "cloudwatchAlarm",
  cloudwatchLogs: "cloudwatchLogs",
  cloudwatchMetrics: "cloudwatchMetric",
  dynamodbs: "dynamoDB",
  dynamodbv2s: "dynamoDBv2",
  elasticsearch: "elasticsearch",
  firehoses: "firehose",
  https: "http",
  iotAnalytics: "iotAnalytics",
  iotEvents: "iotEvents",
  kafkas: "kafka",
  kineses: "kinesis",
  lambdas: "lambda",
  republishes: "republish",
  s3: "s3",
  sns: "sns",
  sqs: "sqs",
  stepFunctions: "stepFunctions",
  timestreams: "timestream",
} as const satisfies Partial<Record<keyof Args, ActionName>>;

const single = {
  cloudwatchAlarm: "cloudwatchAlarm",
  cloudwatchLogs: "cloudwatchLogs",
  cloudwatchMetric: "cloudwatchMetric",
  dynamodb: "dynamoDB",
  dynamodbv2: "dynamoDBv2",
  elasticsearch: "elasticsearch",
  firehose: "firehose",
  http: "http",
  iotAnalytics: "iotAnalytics",
  iotEvents: "iotEvents",
  kafka: "kafka",
  kinesis: "kinesis",
  lambda: "lambda",
  republish: "republish",
  s3: "s3",
  sns: "sns",
  sqs: "sqs",
  stepFunctions: "stepFunctions",
  timestream: "timestream",
} as const satisfies Record<keyof ErrorAction, ActionName>;

/** An action with the API's names: Pulumi has its members, and calls only the headers of HTTP otherwise. */
function action(name: ActionName, config: object): Action {
  const { httpHeaders: headers, ...members } = config as { httpHeaders?: unknown };
  return { [name]: { ...members, ...(headers !== undefined && { headers }) } } as unknown as Action;
}

function payloadOf(args: Args): TopicRulePayload {
  const actions = Object.entries(lists).flatMap(([list, name]) =>
    (args[list as keyof typeof lists] ?? []).map((config: object) => action(name, config)),
  );
  const [failed] = Object.entries(args.errorAction ?? {}).filter(([, config]) => config !== undefined);
  return {
    sql: args.sql,
    awsIotSqlVersion: args.sqlVersion,
    description: args.description,
    ruleDisabled: !args.enabled,
    actions,
    ...(failed && { errorAction: action(single[failed[0] as keyof ErrorAction], failed[1]) }),
  };
}

/** A role made a moment ago is not known everywhere yet. */
export const roleIsNew = (error: Error) => /unable to perform: sts:AssumeRole/.test(error.message);

/** AWS says "denied" of rules that are not there. */
const isMissing = (error: unknown) => isGone(error) || errorCode(error) === "UnauthorizedException";

async function outputs(ruleName: string, { clients }: ProviderContext) {
  try {
    const { ruleArn, rule = {} } = await clients.iot.getTopicRule({ ruleName });
    return {
      arn: ruleArn,
      name: ruleName,
      sql: rule.sql,
      sqlVersion: rule.awsIotSqlVersion,
      description: rule.description,
      enabled: !rule.ruleDisabled,
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const topicRule = resourceType<TopicRuleArgs, TopicRule>({
  autoname: { property: "name", max: 128, underscores: true },
  replaceOn: ["name"],
  async create(args, context) {
    const tags = new URLSearchParams(context.tags(args.tags)).toString().replaceAll("+", "%20");
    const ruleName = args.name!;
    await retryWhile(context, roleIsNew, () =>
      context.clients.iot.createTopicRule({
        ruleName,
        topicRulePayload: payloadOf(args),
        ...(tags !== "" && { tags }),
      }),
    );
    return { id: ruleName };
  },
  read: outputs,
  async update(id, args, old, context) {
    const { iot } = context.clients;
    await retryWhile(context, roleIsNew, () =>
      iot.replaceTopicRule({ ruleName: id, topicRulePayload: payloadOf(args) }),
    );
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    const resourceArn = old.outputs.arn;
    const tags = tagList(set);
    if (tags) await iot.tagResource({ resourceArn, tags });
    if (remove.length > 0) await iot.untagResource({ resourceArn, tagKeys: remove });
  },
  async delete(id, _known, { clients }) {
    try {
      await clients.iot.deleteTopicRule({ ruleName: id });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
});

export const types = { "aws:iot/topicRule:TopicRule": topicRule };
