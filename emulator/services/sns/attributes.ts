import { limits } from "../../core/limits";
import { invalidFor, invalidParameter } from "./errors";
import { type FilterPolicy, readFilterPolicy } from "./filter";
import type { Subscription, Topic } from "./state";

const isJsonObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

/** Attributes of topics that can be set, and what their values must be. Delivery status logging is kept, without effect. */
const topicRules: readonly [name: RegExp, rule: (value: string) => boolean][] = [
  [/^Policy$/, isJsonObject],
  [/^DisplayName$/, (value) => value.length <= limits.sns.displayName.value],
  [/^DeliveryPolicy$/, (value) => value === "" || isJsonObject(value)],
  [/^SignatureVersion$/, (value) => value === "1" || value === "2"],
  [/^TracingConfig$/, (value) => value === "PassThrough" || value === "Active"],
  [/^KmsMasterKeyId$/, (value) => value.length <= 2048],
  [/^(HTTP|SQS|Lambda|Firehose|Application)(Success|Failure)FeedbackRoleArn$/, (value) => /^$|^arn:/.test(value)],
  [/^(HTTP|SQS|Lambda|Firehose|Application)SuccessFeedbackSampleRate$/, (value) => /^(\d{1,2}|100)$/.test(value)],
];

/** Checks one attribute of a topic. */
export function checkTopicAttribute(name: string, value: string): void {
  const rule = topicRules.find(([pattern]) => pattern.test(name))?.[1];
  if (!rule) throw invalidParameter("AttributeName");
  if (rule(value)) return;
  throw name === "Policy" ? invalidParameter("Policy Error: null") : invalidFor("AttributeValue", `invalid ${name}`);
}

/** The policy that a topic has until another is set: its account may do everything. */
export const defaultPolicy = (arn: string, account: string): string =>
  JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          ..."GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe".split(" "),
          ..."ListSubscriptionsByTopic Publish".split(" "),
        ].map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": account } },
      },
    ],
  });

const retries = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};

/** All attributes of a topic, as GetTopicAttributes shows them. */
export function describeTopic(topic: Topic): Record<string, string> {
  const all = [...topic.subscriptions.values()];
  const pending = all.filter(({ token }) => token !== undefined).length;
  return {
    Policy: defaultPolicy(topic.arn, topic.account),
    EffectiveDeliveryPolicy: JSON.stringify({
      http: {
        defaultHealthyRetryPolicy: retries,
        disableSubscriptionOverrides: false,
        defaultRequestPolicy: { headerContentType: "text/plain; charset=UTF-8" },
      },
    }),
    DisplayName: "",
    ...topic.attributes,
    TopicArn: topic.arn,
    Owner: topic.account,
    SubscriptionsPending: String(pending),
    SubscriptionsConfirmed: String(all.length - pending),
    SubscriptionsDeleted: String(topic.deleted),
  };
}

const subscriptionRules: Record<string, (value: string) => void> = {
  RawMessageDelivery(value) {
    if (value !== "true" && value !== "false") {
      throw invalidFor("RawMessageDelivery", `Invalid value [${value}]. Must be true or false.`);
    }
  },
  FilterPolicyScope(value) {
    if (value !== "MessageAttributes" && value !== "MessageBody") {
      throw invalidFor(
        "FilterPolicyScope",
        `Invalid value [${value}]. Please use either MessageBody or MessageAttributes`,
      );
    }
  },
  FilterPolicy() {},
  RedrivePolicy() {},
  DeliveryPolicy(value) {
    if (value !== "" && !isJsonObject(value)) throw invalidFor("DeliveryPolicy", "failed to parse JSON.");
  },
};

/** What a subscription's attributes mean. */
export interface SubscriptionSettings {
  attributes: Readonly<Record<string, string>>;
  filter?: FilterPolicy;
  deadLetterQueue?: string;
}

/** Checks all attributes of a subscription, and reads them. An empty policy removes it. */
export function readSubscription(given: Readonly<Record<string, string>>): SubscriptionSettings {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(subscriptionRules, name) ? subscriptionRules[name] : undefined;
    if (!rule) throw invalidParameter("AttributeName");
    rule(value);
  }
  const attributes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  const { FilterPolicy, FilterPolicyScope = "MessageAttributes", RedrivePolicy } = attributes;
  return {
    attributes: { ...attributes, ...(FilterPolicy !== undefined && { FilterPolicyScope }) },
    filter: FilterPolicy === undefined ? undefined : readFilterPolicy(FilterPolicy, FilterPolicyScope),
    deadLetterQueue: RedrivePolicy === undefined ? undefined : deadLetterQueue(RedrivePolicy),
  };
}

function deadLetterQueue(text: string): string {
  if (!isJsonObject(text)) throw invalidFor("RedrivePolicy", "failed to parse JSON.");
  const { deadLetterTargetArn } = JSON.parse(text) as { deadLetterTargetArn?: unknown };
  if (
    typeof deadLetterTargetArn !== "string" ||
    !/^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w.-]+$/.test(deadLetterTargetArn)
  ) {
    throw invalidFor("RedrivePolicy", "deadLetterTargetArn is an invalid arn");
  }
  if (deadLetterTargetArn.endsWith(".fifo")) {
    throw invalidFor(
      "RedrivePolicy",
      "Using a FIFO SQS Queue as DeadLetterTarget for a standard topic is not supported",
    );
  }
  return deadLetterTargetArn;
}

/** All attributes of a subscription, as GetSubscriptionAttributes shows them. */
export const describeSubscription = (subscription: Subscription): Record<string, string> => ({
  RawMessageDelivery: "false",
  ...subscription.attributes,
  SubscriptionArn: subscription.arn,
  TopicArn: subscription.topic.arn,
  Protocol: subscription.protocol,
  Endpoint: subscription.endpoint,
  Owner: subscription.owner,
  SubscriptionPrincipal: `arn:aws:iam::${subscription.owner}:root`,
  PendingConfirmation: String(subscription.token !== undefined),
  ConfirmationWasAuthenticated: String(subscription.protocol === "sqs" || subscription.protocol === "lambda"),
});
