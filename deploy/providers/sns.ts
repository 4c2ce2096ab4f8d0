import type {
  Topic,
  TopicArgs,
  TopicPolicy,
  TopicPolicyArgs,
  TopicSubscription,
  TopicSubscriptionArgs,
} from "@pulumi/aws/sns";
import { documentText, requiredDocument } from "./json";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone, waitFor } from "./wait";

type Args = PlainArgs<TopicArgs>;

/** Inputs and the attributes that they set; what is gone from the program goes back to the last value. */
const topicSettings: [property: keyof Args & string, attribute: string, initial: string][] = [
  ["displayName", "DisplayName", ""],
  ["policy", "Policy", ""],
  ["deliveryPolicy", "DeliveryPolicy", ""],
  ["kmsMasterKeyId", "KmsMasterKeyId", ""],
  ["signatureVersion", "SignatureVersion", "1"],
  ["tracingConfig", "TracingConfig", "PassThrough"],
  ...(["application", "firehose", "http", "lambda", "sqs"] as const).flatMap(
    (service): [keyof Args & string, string, string][] => {
      const attribute =
        service === "http" ? "HTTP" : service === "sqs" ? "SQS" : service[0]!.toUpperCase() + service.slice(1);
      return [
        [`${service}FailureFeedbackRoleArn`, `${attribute}FailureFeedbackRoleArn`, ""],
        [`${service}SuccessFeedbackRoleArn`, `${attribute}SuccessFeedbackRoleArn`, ""],
        [`${service}SuccessFeedbackSampleRate`, `${attribute}SuccessFeedbackSampleRate`, "0"],
      ];
    },
  ),
];

/** What a topic has without a policy of its own, as the AWS provider sets it again: its account may do everything. */
const ownersPolicy = (arn: string) => {
  const actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe";
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: `${actions} ListSubscriptionsByTopic Publish`.split(" ").map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": arn.split(":")[4] } },
      },
    ],
  });
};

const topicValue = (property: string, value: unknown): string | undefined =>
  property === "policy" || property === "deliveryPolicy"
    ? documentText(property, value)
    : value === undefined
      ? undefined
      : String(value);

async function topicOutputs(arn: string, { clients }: ProviderContext) {
  const { Attributes = {} } = await clients.sns.getTopicAttributes({ TopicArn: arn });
  return {
    arn,
    name: arn.split(":").at(-1),
    owner: Attributes.Owner,
    policy: Attributes.Policy,
    signatureVersion: Number(Attributes.SignatureVersion ?? 1),
    tracingConfig: Attributes.TracingConfig ?? "",
  };
}

const topic = resourceType<TopicArgs, Topic>({
  autoname: { property: "name", max: 256, suffix: ({ fifoTopic }) => (fifoTopic ? ".fifo" : "") },
  replaceOn: ["name", "namePrefix", "fifoTopic"],
  async create(args, context) {
    const Attributes: Record<string, string> = args.fifoTopic
      ? { FifoTopic: "true", ContentBasedDeduplication: String(args.contentBasedDeduplication ?? false) }
      : {};
    for (const [property, attribute] of topicSettings) {
      const value = topicValue(property, args[property]);
      if (value !== undefined) Attributes[attribute] = value;
    }
    const Tags = tagList(context.tags(args.tags));
    const { TopicArn = "" } = await context.clients.sns.createTopic({ Name: args.name, Attributes, Tags });
    return { id: TopicArn, outputs: await topicOutputs(TopicArn, context) };
  },
  read: (id, context) => unlessGone(topicOutputs(id, context)),
  async update(id, args, old, context) {
    const { sns } = context.clients;
    for (const [property, attribute, initial] of topicSettings) {
      if (!old.changed(property)) continue;
      const AttributeValue =
        topicValue(property, args[property]) ?? (property === "policy" ? ownersPolicy(id) : initial);
      await sns.setTopicAttributes({ TopicArn: id, AttributeName: attribute, AttributeValue });
    }
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    const Tags = tagList(set);
    if (Tags) await sns.tagResource({ ResourceArn: id, Tags });
    if (remove.length > 0) await sns.untagResource({ ResourceArn: id, TagKeys: remove });
    return topicOutputs(id, context);
  },
  async delete(id, _known, { clients }) {
    await clients.sns.deleteTopic({ TopicArn: id });
  },
});

const setPolicy = (TopicArn: string, AttributeValue: string, { clients }: ProviderContext) =>
  clients.sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });

const ownerOf = (arn: string) => ({ owner: arn.split(":")[4] });

const topicPolicy = resourceType<TopicPolicyArgs, TopicPolicy>({
  replaceOn: ["arn"],
  async create(args, context) {
    await setPolicy(args.arn, requiredDocument("policy", args.policy), context);
    return { id: args.arn, outputs: ownerOf(args.arn) };
  },
  async read(id, { clients }) {
    return (await unlessGone(clients.sns.getTopicAttributes({ TopicArn: id }))) ? ownerOf(id) : undefined;
  },
  async update(id, args, _old, context) {
    await setPolicy(id, requiredDocument("policy", args.policy), context);
    return ownerOf(id);
  },
  async delete(id, _known, context) {
    await setPolicy(id, ownersPolicy(id), context);
  },
});

type SubscriptionArgs = PlainArgs<TopicSubscriptionArgs>;

const subscriptionSettings: [property: keyof SubscriptionArgs & string, attribute: string, initial: string][] = [
  ["filterPolicyScope", "FilterPolicyScope", "MessageAttributes"],
  ["filterPolicy", "FilterPolicy", "{}"],
  ["rawMessageDelivery", "RawMessageDelivery", "false"],
  ["redrivePolicy", "RedrivePolicy", ""],
  ["deliveryPolicy", "DeliveryPolicy", ""],
  ["replayPolicy", "ReplayPolicy", ""],
  ["subscriptionRoleArn", "SubscriptionRoleArn", ""],
];

const subscriptionValue = (property: string, value: unknown): string | undefined =>
  /Policy$/.test(property) ? documentText(property, value) : value === undefined ? undefined : String(value);

async function subscriptionOutputs(arn: string, { clients }: ProviderContext) {
  const { Attributes = {} } = await clients.sns.getSubscriptionAttributes({ SubscriptionArn: arn });
  return {
    arn,
    ownerId: Attributes.Owner,
    filterPolicyScope: Attributes.FilterPolicyScope ?? "",
    pendingConfirmation: Attributes.PendingConfirmation === "true",
    confirmationWasAuthenticated: Attributes.ConfirmationWasAuthenticated === "true",
  };
}

const topicSubscription = resourceType<TopicSubscriptionArgs, TopicSubscription>({
  replaceOn: ["topic", "protocol", "endpoint"],
  // Two subscriptions of one endpoint to one topic are one.
  deleteBeforeReplace: true,
  async create(args, context) {
    const Attributes: Record<string, string> = {};
    for (const [property, attribute] of subscriptionSettings) {
      const value = subscriptionValue(property, args[property]);
      if (value !== undefined) Attributes[attribute] = value;
    }
    const { SubscriptionArn: arn = "" } = await context.clients.sns.subscribe({
      TopicArn: args.topic,
      Protocol: args.protocol,
      Endpoint: args.endpoint,
      Attributes,
      ReturnSubscriptionArn: true,
    });
    if (args.endpointAutoConfirms) {
      const limit = (args.confirmationTimeoutInMinutes ?? 1) * 60_000;
      await waitFor(`the confirmation of ${args.endpoint}`, limit, async () => {
        return !(await subscriptionOutputs(arn, context)).pendingConfirmation;
      });
    }
    return { id: arn, outputs: await subscriptionOutputs(arn, context) };
  },
  read: (id, context) => unlessGone(subscriptionOutputs(id, context)),
  async update(id, args, old, context) {
    for (const [property, AttributeName, initial] of subscriptionSettings) {
      if (!old.changed(property)) continue;
      const AttributeValue = subscriptionValue(property, args[property]) ?? initial;
      await context.clients.sns.setSubscriptionAttributes({ SubscriptionArn: id, AttributeName, AttributeValue });
    }
    return subscriptionOutputs(id, context);
  },
  async delete(id, { outputs }, { clients, warn }) {
    // AWS lets nobody end a subscription that is not confirmed; it goes by itself after three days.
    if (outputs.pendingConfirmation) return warn(`${id} was never confirmed; AWS removes it by itself`);
    await clients.sns.unsubscribe({ SubscriptionArn: id });
  },
});

export const types = {
  "aws:sns/topic:Topic": topic,
  "aws:sns/topicPolicy:TopicPolicy": topicPolicy,
  "aws:sns/topicSubscription:TopicSubscription": topicSubscription,
};
