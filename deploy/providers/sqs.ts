import type { QueueAttributeName } from "@aws-sdk/client-sqs";
import type {
  Queue,
  QueueArgs,
  QueuePolicy,
  QueuePolicyArgs,
  RedriveAllowPolicy,
  RedriveAllowPolicyArgs,
  RedrivePolicy,
  RedrivePolicyArgs,
} from "@pulumi/aws/sqs";
import { documentText } from "./json";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type Args = PlainArgs<QueueArgs>;

/** Inputs and the attributes that they set; a value that is gone from the program goes back to AWS's default. */
const settings: [property: keyof Args & string, attribute: QueueAttributeName, initial: string][] = [
  ["delaySeconds", "DelaySeconds", "0"],
  ["maxMessageSize", "MaximumMessageSize", "262144"],
  ["messageRetentionSeconds", "MessageRetentionPeriod", "345600"],
  ["receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", "0"],
  ["visibilityTimeoutSeconds", "VisibilityTimeout", "30"],
  ["policy", "Policy", ""],
  ["redrivePolicy", "RedrivePolicy", ""],
  ["redriveAllowPolicy", "RedriveAllowPolicy", ""],
  ["kmsMasterKeyId", "KmsMasterKeyId", ""],
  ["kmsDataKeyReusePeriodSeconds", "KmsDataKeyReusePeriodSeconds", "300"],
  ["sqsManagedSseEnabled", "SqsManagedSseEnabled", "true"],
  ["contentBasedDeduplication", "ContentBasedDeduplication", "false"],
  ["deduplicationScope", "DeduplicationScope", "queue"],
  ["fifoThroughputLimit", "FifoThroughputLimit", "perQueue"],
];

const documents = ["policy", "redrivePolicy", "redriveAllowPolicy"];

const attributeValue = (property: string, value: unknown) =>
  documents.includes(property) ? documentText(property, value) : value === undefined ? undefined : String(value);

function attributes(args: Args): Record<string, string> {
  const result: Record<string, string> = args.fifoQueue ? { FifoQueue: "true" } : {};
  for (const [property, attribute] of settings) {
    const value = attributeValue(property, args[property]);
    if (value !== undefined) result[attribute] = value;
  }
  return result;
}

async function outputs(url: string, name: string | undefined, { clients }: ProviderContext) {
  const { Attributes = {} } = await clients.sqs.getQueueAttributes({ QueueUrl: url, AttributeNames: ["All"] });
  return {
    url,
    arn: Attributes.QueueArn,
    name: name ?? url.split("/").at(-1),
    visibilityTimeoutSeconds: Number(Attributes.VisibilityTimeout ?? 30),
    messageRetentionSeconds: Number(Attributes.MessageRetentionPeriod ?? 345_600),
    maxMessageSize: Number(Attributes.MaximumMessageSize ?? 262_144),
    delaySeconds: Number(Attributes.DelaySeconds ?? 0),
    receiveWaitTimeSeconds: Number(Attributes.ReceiveMessageWaitTimeSeconds ?? 0),
    fifoQueue: Attributes.FifoQueue === "true",
    sqsManagedSseEnabled: Attributes.SqsManagedSseEnabled !== "false",
  };
}

const queue = resourceType<QueueArgs, Queue>({
  autoname: { property: "name", max: 80, suffix: ({ fifoQueue }) => (fifoQueue ? ".fifo" : "") },
  replaceOn: ["name", "namePrefix", "fifoQueue"],
  async create(args, context) {
    const { QueueUrl = "" } = await context.clients.sqs.createQueue({
      QueueName: args.name,
      Attributes: attributes(args),
      tags: tagMap(context.tags(args.tags)),
    });
    return { id: QueueUrl, outputs: await outputs(QueueUrl, args.name, context) };
  },
  read: (id, context) => unlessGone(outputs(id, undefined, context)),
  async update(id, args, old, context) {
    const changed = settings.filter(([property]) => old.changed(property));
    if (changed.length > 0) {
      const Attributes = Object.fromEntries(
        changed.map(([property, attribute, initial]) => [
          attribute,
          attributeValue(property, args[property]) ?? initial,
        ]),
      );
      await context.clients.sqs.setQueueAttributes({ QueueUrl: id, Attributes });
    }
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await context.clients.sqs.tagQueue({ QueueUrl: id, Tags: set });
    if (remove.length > 0) await context.clients.sqs.untagQueue({ QueueUrl: id, TagKeys: remove });
    return outputs(id, args.name, context);
  },
  async delete(id, _known, { clients }) {
    await clients.sqs.deleteQueue({ QueueUrl: id });
  },
});

/** A resource that sets one attribute of a queue that another resource makes. */
const attributeOf = <A extends { queueUrl: unknown }, R>(
  attribute: QueueAttributeName,
  property: keyof PlainArgs<A>,
) => {
  type Plain = { queueUrl: string } & Record<string, unknown>;
  const set = async (args: Plain, { clients }: ProviderContext) => {
    const value = documentText(String(property), args[property as string]) ?? "";
    await clients.sqs.setQueueAttributes({ QueueUrl: args.queueUrl, Attributes: { [attribute]: value } });
  };
  return resourceType<A, R>({
    replaceOn: ["queueUrl"],
    async create(args, context) {
      await set(args as unknown as Plain, context);
      return { id: (args as unknown as Plain).queueUrl, outputs: {} };
    },
    async read(id, { clients }) {
      const found = await unlessGone(clients.sqs.getQueueAttributes({ QueueUrl: id, AttributeNames: [attribute] }));
      return found?.Attributes?.[attribute] ? {} : undefined;
    },
    async update(_id, args, _old, context) {
      await set(args as unknown as Plain, context);
      return {};
    },
    async delete(id, _known, { clients }) {
      await clients.sqs.setQueueAttributes({ QueueUrl: id, Attributes: { [attribute]: "" } });
    },
  });
};

export const types = {
  "aws:sqs/queue:Queue": queue,
  "aws:sqs/queuePolicy:QueuePolicy": attributeOf<QueuePolicyArgs, QueuePolicy>("Policy", "policy"),
  "aws:sqs/redrivePolicy:RedrivePolicy": attributeOf<RedrivePolicyArgs, RedrivePolicy>(
    "RedrivePolicy",
    "redrivePolicy",
  ),
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": attributeOf<RedriveAllowPolicyArgs, RedriveAllowPolicy>(
    "RedriveAllowPolicy",
    "redriveAllowPolicy",
  ),
};
