import type * as Sdk from "@aws-sdk/client-sns";
import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { checkTopicAttribute, defaultPolicy, describeTopic } from "./attributes";
import { invalidFor, invalidParameter, resourceNotFound, tooManyTags } from "./errors";
import { page } from "./page";
import { type Store, type Topic, tagsOf } from "./state";

export type SnsOperations = Operations<typeof Sdk>;

interface Statement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

const pageSize = 100;

function checkedTags(tags: readonly Sdk.Tag[] = []): [string, string][] {
  for (const { Key = "", Value = "" } of tags) {
    const tooLong = Key.length > limits.sns.tagKey.value || Value.length > limits.sns.tagValue.value;
    if (Key === "" || tooLong || /^aws:/i.test(Key)) throw invalidParameter("Tags");
  }
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) {
    throw invalidFor("Tags", "Duplicated keys are not allowed.");
  }
  return tags.map(({ Key = "", Value = "" }) => [Key, Value]);
}

/** CreateTopic answers an existing topic; but not where it differs from the one that is asked for. */
function same(topic: Topic, attributes: Record<string, string>, tags: readonly [string, string][]): Topic {
  const described = describeTopic(topic);
  if (Object.entries(attributes).some(([name, value]) => described[name] !== value)) {
    throw invalidFor("Attributes", "Topic already exists with different attributes");
  }
  if (
    tags.length > 0 &&
    (tags.length !== topic.tags.size || tags.some(([key, value]) => topic.tags.get(key) !== value))
  ) {
    throw invalidFor("Tags", "Topic already exists with different tags");
  }
  return topic;
}

const statementsOf = (topic: Topic): { policy: Record<string, unknown>; statements: Statement[] } => {
  const policy = JSON.parse(topic.attributes.Policy ?? defaultPolicy(topic.arn, topic.account));
  const list = policy.Statement ?? [];
  return { policy, statements: Array.isArray(list) ? list : [list] };
};

const keep = (topic: Topic, policy: Record<string, unknown>, Statement: readonly Statement[]) => {
  topic.attributes = { ...topic.attributes, Policy: JSON.stringify({ ...policy, Statement }) };
  return {};
};

/** Topics with their attributes, policies and tags. */
export const topicOperations = (store: Store): SnsOperations => ({
  CreateTopic({ Name = "", Attributes = {}, Tags, DataProtectionPolicy }, context) {
    if (Name.endsWith(".fifo") || Attributes.FifoTopic === "true") {
      throw notEmulated("sns", "CreateTopic", "FIFO topics; use a standard topic");
    }
    if (DataProtectionPolicy) throw notEmulated("sns", "CreateTopic", "data protection policies");
    if (!/^[A-Za-z0-9_-]+$/.test(Name) || Name.length > limits.sns.name.value) throw invalidParameter("Topic Name");
    const { FifoTopic: _, ...wanted } = Attributes;
    for (const [name, value] of Object.entries(wanted)) checkTopicAttribute(name, value);
    const tags = checkedTags(Tags);
    if (tags.length > limits.sns.tags.value) throw tooManyTags();
    const topics = store.topicsOf(context);
    const existing = topics.get(Name);
    if (existing) return { TopicArn: same(existing, wanted, tags).arn };
    const { account, region } = context;
    const arn = `arn:aws:sns:${region}:${account}:${Name}`;
    const made = { arn, name: Name, account, region, attributes: wanted, deleted: 0 };
    topics.set(Name, { ...made, tags: new Map(tags), subscriptions: new Map() });
    return { TopicArn: arn };
  },

  DeleteTopic({ TopicArn }) {
    const topic = store.find(TopicArn);
    if (topic) store.topicsOf(topic).delete(topic.name);
    return {};
  },

  ListTopics({ NextToken }, context) {
    const { items, next } = page([...store.topicsOf(context).values()], NextToken, pageSize);
    return { Topics: items.map(({ arn }) => ({ TopicArn: arn })), NextToken: next };
  },

  GetTopicAttributes: ({ TopicArn }) => ({ Attributes: describeTopic(store.topic(TopicArn)) }),

  SetTopicAttributes({ TopicArn, AttributeName = "", AttributeValue = "" }) {
    const topic = store.topic(TopicArn);
    checkTopicAttribute(AttributeName, AttributeValue);
    topic.attributes = { ...topic.attributes, [AttributeName]: AttributeValue };
    return {};
  },

  AddPermission({ TopicArn, Label, AWSAccountId = [], ActionName = [] }) {
    const topic = store.topic(TopicArn);
    if (!Label) throw invalidParameter("Label");
    if (AWSAccountId.length === 0 || AWSAccountId.some((id) => !/^\d{12}$/.test(id))) {
      throw invalidParameter("AWSAccountId");
    }
    const { policy, statements } = statementsOf(topic);
    if (ActionName.length === 0) throw invalidParameter("ActionName");
    if (statements.some(({ Sid }) => Sid === Label)) throw invalidParameter("Statement already exists");
    const accounts = AWSAccountId.map((id) => `arn:aws:iam::${id}:root`);
    const statement = {
      Sid: Label,
      Effect: "Allow",
      Principal: { AWS: accounts },
      Action: ActionName.map((name) => `SNS:${name}`),
      Resource: topic.arn,
    };
    return keep(topic, policy, [...statements, statement]);
  },

  RemovePermission({ TopicArn, Label }) {
    const topic = store.topic(TopicArn);
    const { policy, statements } = statementsOf(topic);
    return keep(
      topic,
      policy,
      statements.filter(({ Sid }) => Sid !== Label),
    );
  },

  ListTagsForResource({ ResourceArn }) {
    const topic = store.find(ResourceArn, "ResourceArn");
    if (!topic) throw resourceNotFound();
    return { Tags: tagsOf(topic) };
  },

  TagResource({ ResourceArn, Tags }) {
    const topic = store.find(ResourceArn, "ResourceArn");
    if (!topic) throw resourceNotFound();
    const merged = new Map([...topic.tags, ...checkedTags(Tags)]);
    if (merged.size > limits.sns.tags.value) throw tooManyTags();
    for (const [key, value] of merged) topic.tags.set(key, value);
    return {};
  },

  UntagResource({ ResourceArn, TagKeys = [] }) {
    const topic = store.find(ResourceArn, "ResourceArn");
    if (!topic) throw resourceNotFound();
    for (const key of TagKeys) topic.tags.delete(key);
    return {};
  },
});
