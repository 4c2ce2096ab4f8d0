import { formatArn, parseArn } from "../../core/arn";
import { limits } from "../../core/limits";
import type { Host, Operations, Scope } from "../../core/service";
import {
  type Attributes,
  checkAttributes,
  initialAttributes,
  parseRedriveAllowPolicy,
  parseRedrivePolicy,
  withChanges,
} from "./attributes";
import {
  invalidAttributeValue,
  invalidParameter,
  invalidValue,
  missingParameter,
  purgeInProgress,
  queueDoesNotExist,
  queueNameExists,
  unknownAttribute,
} from "./errors";
import { type Store, StoredQueue } from "./store";

const shown = [
  "Policy",
  "VisibilityTimeout",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "DelaySeconds",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "ReceiveMessageWaitTimeSeconds",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
];

const computed = [
  "QueueArn",
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
];

const known = new Set(["All", ...shown, ...computed]);

const seconds = (ms: number) => String(Math.floor(ms / 1000));

/** All attributes of a queue as GetQueueAttributes shows them. */
export function describeQueue(queue: StoredQueue): Attributes {
  const { ready, inFlight, delayed } = queue.approximateCounts();
  const all: Attributes = {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(ready),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: seconds(queue.createdAt),
    LastModifiedTimestamp: seconds(queue.modifiedAt),
  };
  for (const name of shown) if (queue.attributes[name] !== undefined) all[name] = queue.attributes[name];
  return all;
}

function checkName(name: string | undefined, fifo: boolean): string {
  if (!name) throw missingParameter("QueueName");
  const stem = name.endsWith(".fifo") ? name.slice(0, -5) : name;
  const valid = /^[A-Za-z0-9_-]+$/.test(stem) && name.length <= limits.sqs.name.value;
  if (fifo ? !valid || stem === name : name.endsWith(".fifo"))
    throw invalidParameter(
      "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
    );
  if (!valid)
    throw invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
  return name;
}

/** Refuses a redrive policy whose target is missing, of the other kind, elsewhere, or does not allow it. */
function checkRedrive(store: Store, policy: string | undefined, arn: string, fifo: boolean): void {
  if (!policy) return;
  const { targetArn } = parseRedrivePolicy(policy);
  const refuse = (reason: string) => invalidValue(policy, "RedrivePolicy", reason);
  const [own, target] = [parseArn(arn)!, parseArn(targetArn)!];
  if (own.account !== target.account || own.region !== target.region)
    throw refuse("Dead-letter queue must be in the same account and region as the source queue.");
  const queue = store.byArn(targetArn);
  if (!queue) throw refuse("Dead letter target does not exist.");
  if (targetArn === arn) throw refuse("Dead-letter queue cannot be the source queue itself.");
  if (queue.fifo !== fifo) throw refuse("Dead-letter queue must be same type of queue as the source.");
  const allow = queue.attributes.RedriveAllowPolicy && parseRedriveAllowPolicy(queue.attributes.RedriveAllowPolicy);
  if (allow && (allow.permission === "denyAll" || (allow.permission === "byQueue" && !allow.sources.includes(arn))))
    throw refuse(`Queue ${arn} is not allowed to use the dead-letter queue by its RedriveAllowPolicy.`);
}

const page = <T>(items: readonly T[], token: string | undefined, size: number) => {
  const start = token === undefined ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0 || start > items.length)
    throw invalidParameter("Invalid or expired next token.");
  const end = start + size;
  const next = end < items.length ? Buffer.from(String(end)).toString("base64url") : undefined;
  return { items: items.slice(start, end), next };
};

const checkMaxResults = (size: number | undefined) => {
  if (size !== undefined && (size < 1 || size > 1000))
    throw invalidValue(size, "MaxResults", "MaxResults must be an integer between 1 and 1000.");
};

/** Making, finding, changing and removing queues, and their tags. */
export const queueOperations = (store: Store, host: Host) => {
  const urlOf = ({ arn, name }: StoredQueue) => `http://${host.publicHost()}/${parseArn(arn)!.account}/${name}`;

  return {
    CreateQueue({ QueueName, Attributes: given = {}, tags }, context) {
      const fifo = given.FifoQueue === "true";
      const name = checkName(QueueName, fifo);
      checkAttributes(given, fifo);
      const attributes = withChanges(initialAttributes(fifo), given);
      const { queues } = store.region(context);
      const existing = queues.get(name);
      if (existing) {
        for (const attribute of Object.keys(given))
          if ((attributes[attribute] ?? "") !== (existing.attributes[attribute] ?? ""))
            throw queueNameExists(attribute);
        return { QueueUrl: urlOf(existing) };
      }
      // Not emulated: QueueDeletedRecently, the 60 seconds for which AWS holds back the name of a deleted queue.
      const arn = formatArn("sqs", context.region, context.account, name);
      checkRedrive(store, attributes.RedrivePolicy, arn, fifo);
      const queue = new StoredQueue(name, arn, fifo, attributes, store);
      queue.tags = { ...tags };
      queues.set(name, queue);
      return { QueueUrl: urlOf(queue) };
    },

    DeleteQueue({ QueueUrl }, context) {
      const queue = store.byUrl(QueueUrl, context);
      for (const task of queue.moveTasks) task.stop();
      store.region(parseArn(queue.arn) as Scope).queues.delete(queue.name);
      queue.close();
      return {};
    },

    GetQueueUrl({ QueueName, QueueOwnerAWSAccountId: account = "" }, context) {
      if (!QueueName) throw missingParameter("QueueName");
      const queue = store.region({ ...context, account: account || context.account }).queues.get(QueueName);
      if (!queue) throw queueDoesNotExist();
      return { QueueUrl: urlOf(queue) };
    },

    ListQueues({ QueueNamePrefix = "", MaxResults, NextToken }, context) {
      checkMaxResults(MaxResults);
      const all = [...store.region(context).queues.values()].filter(({ name }) => name.startsWith(QueueNamePrefix));
      all.sort((a, b) => (a.name < b.name ? -1 : 1));
      // Without MaxResults there is no token, and at most 1,000 URLs (API reference: ListQueues).
      const { items, next } = page(all, NextToken, MaxResults ?? 1000);
      return {
        QueueUrls: items.length ? items.map(urlOf) : undefined,
        NextToken: MaxResults === undefined ? undefined : next,
      };
    },

    GetQueueAttributes({ QueueUrl, AttributeNames = [] }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const names: readonly string[] = AttributeNames;
      for (const name of names) if (!known.has(name)) throw unknownAttribute(name);
      if (!names.length) return {};
      const all = describeQueue(queue);
      if (names.includes("All")) return { Attributes: all };
      const chosen: Attributes = {};
      for (const name of names) if (all[name] !== undefined) chosen[name] = all[name];
      return Object.keys(chosen).length ? { Attributes: chosen } : {};
    },

    SetQueueAttributes({ QueueUrl, Attributes: given }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (!given) throw missingParameter("Attributes");
      checkAttributes(given, queue.fifo);
      if (given.FifoQueue !== undefined && !queue.fifo) throw invalidAttributeValue("FifoQueue");
      const attributes = withChanges(queue.attributes, given);
      if (given.RedrivePolicy) checkRedrive(store, attributes.RedrivePolicy, queue.arn, queue.fifo);
      queue.configure(attributes);
      return {};
    },

    PurgeQueue({ QueueUrl }, context) {
      const queue = store.byUrl(QueueUrl, context);
      const now = store.clock.now();
      if (now < queue.purgedAt + limits.sqs.purge.value) throw purgeInProgress(queue.name);
      queue.purgedAt = now;
      queue.purge();
      return {};
    },

    ListDeadLetterSourceQueues({ QueueUrl, MaxResults, NextToken }, context) {
      const queue = store.byUrl(QueueUrl, context);
      checkMaxResults(MaxResults);
      const { items, next } = page(store.sourcesOf(queue), NextToken, MaxResults ?? 1000);
      return { queueUrls: items.map(urlOf), NextToken: MaxResults === undefined ? undefined : next };
    },

    TagQueue({ QueueUrl, Tags }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (!Tags) throw missingParameter("Tags");
      const tags = { ...queue.tags, ...Tags };
      if (Object.keys(tags).length > limits.sqs.tags.value) throw invalidParameter("Too many tags added for queue.");
      queue.tags = tags;
      return {};
    },

    UntagQueue({ QueueUrl, TagKeys }, context) {
      const queue = store.byUrl(QueueUrl, context);
      if (!TagKeys) throw missingParameter("TagKeys");
      for (const key of TagKeys) delete queue.tags[key];
      return {};
    },

    ListQueueTags({ QueueUrl }, context) {
      const { tags } = store.byUrl(QueueUrl, context);
      return Object.keys(tags).length ? { Tags: { ...tags } } : {};
    },
  } satisfies Operations<typeof import("@aws-sdk/client-sqs")>;
};
