import type { EncryptionType, MetricsName, StreamDescriptionSummary, StreamMode } from "@aws-sdk/client-kinesis";
import type {
  ResourcePolicy,
  ResourcePolicyArgs,
  Stream,
  StreamArgs,
  StreamConsumer,
  StreamConsumerArgs,
} from "@pulumi/aws/kinesis";
import { InvalidInput, PartlyCreated } from "../errors";
import { requiredDocument } from "./json";
import { tagChanges, tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone, waitFor } from "./wait";

type Args = PlainArgs<StreamArgs>;

const initialRetention = 24;
const initialRecordSize = 1024;

const modeOf = ({ streamModeDetails }: Args): StreamMode =>
  (streamModeDetails?.streamMode as StreamMode | undefined) ?? "PROVISIONED";

/** The stream, once it takes changes: AWS makes them one after the other. */
const ready = (StreamARN: string, { clients, timeout }: ProviderContext): Promise<StreamDescriptionSummary> =>
  waitFor(`stream ${StreamARN}`, timeout, async () => {
    const { StreamDescriptionSummary: stream } = await clients.kinesis.describeStreamSummary({ StreamARN });
    return stream?.StreamStatus === "ACTIVE" && stream;
  });

const outputs = (stream: StreamDescriptionSummary) => ({
  arn: stream.StreamARN,
  name: stream.StreamName,
  shardCount: stream.StreamModeDetails?.StreamMode === "ON_DEMAND" ? undefined : stream.OpenShardCount,
  retentionPeriod: stream.RetentionPeriodHours,
  encryptionType: stream.EncryptionType,
  maxRecordSizeInKib: stream.MaxRecordSizeInKiB,
  streamModeDetails: { streamMode: stream.StreamModeDetails?.StreamMode ?? "PROVISIONED" },
});

/** Makes true what has calls of its own, one after the other. */
async function apply(arn: string, args: Args, context: ProviderContext): Promise<StreamDescriptionSummary> {
  const { kinesis } = context.clients;
  const StreamARN = arn;
  let stream = await ready(arn, context);
  const step = async (change: Promise<unknown>) => {
    await change;
    stream = await ready(arn, context);
  };

  const StreamMode = modeOf(args);
  if (stream.StreamModeDetails?.StreamMode !== StreamMode) {
    await step(kinesis.updateStreamMode({ StreamARN, StreamModeDetails: { StreamMode } }));
  }
  const { shardCount } = args;
  if (StreamMode === "PROVISIONED" && shardCount && shardCount !== stream.OpenShardCount) {
    await step(kinesis.updateShardCount({ StreamARN, TargetShardCount: shardCount, ScalingType: "UNIFORM_SCALING" }));
  }
  const RetentionPeriodHours = args.retentionPeriod ?? initialRetention;
  const retention = { StreamARN, RetentionPeriodHours };
  const kept = stream.RetentionPeriodHours ?? initialRetention;
  if (RetentionPeriodHours > kept) await step(kinesis.increaseStreamRetentionPeriod(retention));
  if (RetentionPeriodHours < kept) await step(kinesis.decreaseStreamRetentionPeriod(retention));
  const MaxRecordSizeInKiB = args.maxRecordSizeInKib ?? initialRecordSize;
  if ((stream.MaxRecordSizeInKiB ?? initialRecordSize) !== MaxRecordSizeInKiB) {
    await step(kinesis.updateMaxRecordSize({ StreamARN, MaxRecordSizeInKiB }));
  }
  await applyEncryption(stream, args, StreamARN, step, context);
  const wanted = (args.shardLevelMetrics ?? []) as MetricsName[];
  const present = stream.EnhancedMonitoring?.flatMap(({ ShardLevelMetrics }) => ShardLevelMetrics ?? []) ?? [];
  const extra = present.filter((metric) => !wanted.includes(metric));
  const missing = wanted.filter((metric) => !present.includes(metric));
  if (extra.length > 0) await step(kinesis.disableEnhancedMonitoring({ StreamARN, ShardLevelMetrics: extra }));
  if (missing.length > 0) await step(kinesis.enableEnhancedMonitoring({ StreamARN, ShardLevelMetrics: missing }));
  return stream;
}

async function applyEncryption(
  stream: StreamDescriptionSummary,
  args: Args,
  StreamARN: string,
  step: (change: Promise<unknown>) => Promise<void>,
  { clients: { kinesis } }: ProviderContext,
): Promise<void> {
  const EncryptionType = (args.encryptionType ?? "NONE") as EncryptionType;
  const KeyId = args.kmsKeyId;
  if (EncryptionType === "KMS") {
    if (!KeyId) throw new InvalidInput('kmsKeyId must be set when encryptionType is "KMS"');
    if (stream.EncryptionType === "KMS" && stream.KeyId === KeyId) return;
    await step(kinesis.startStreamEncryption({ StreamARN, EncryptionType, KeyId }));
  } else if (stream.EncryptionType === "KMS") {
    await step(kinesis.stopStreamEncryption({ StreamARN, EncryptionType: "KMS", KeyId: stream.KeyId }));
  }
}

const stream = resourceType<StreamArgs, Stream>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "arn"],
  async create(args, context) {
    if (args.warmThroughputMibPs !== undefined) {
      throw new InvalidInput("warmThroughputMibPs is not supported by the Sensorcast engine");
    }
    const { kinesis } = context.clients;
    await kinesis.createStream({
      StreamName: args.name,
      ShardCount: modeOf(args) === "ON_DEMAND" ? undefined : args.shardCount,
      StreamModeDetails: { StreamMode: modeOf(args) },
      Tags: tagMap(context.tags(args.tags)),
    });
    const { StreamDescriptionSummary } = await kinesis.describeStreamSummary({ StreamName: args.name });
    const arn = StreamDescriptionSummary!.StreamARN!;
    try {
      return { id: arn, outputs: outputs(await apply(arn, args, context)) };
    } catch (error) {
      throw new PartlyCreated(arn, error);
    }
  },
  async read(id, { clients }) {
    // Imports may give the name, as the Pulumi provider takes it.
    const named = id.startsWith("arn:") ? { StreamARN: id } : { StreamName: id };
    const found = await unlessGone(clients.kinesis.describeStreamSummary(named));
    return found?.StreamDescriptionSummary && outputs(found.StreamDescriptionSummary);
  },
  async update(id, args, old, context) {
    const { kinesis } = context.clients;
    const updated = await apply(id, args, context);
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await kinesis.addTagsToStream({ StreamARN: id, Tags: set });
    if (remove.length > 0) await kinesis.removeTagsFromStream({ StreamARN: id, TagKeys: remove });
    return outputs(updated);
  },
  async delete(id, { inputs }, { clients, timeout }) {
    await clients.kinesis.deleteStream({ StreamARN: id, EnforceConsumerDeletion: inputs.enforceConsumerDeletion });
    await waitFor(`the deletion of stream ${id}`, timeout, async () => {
      return (await unlessGone(clients.kinesis.describeStreamSummary({ StreamARN: id }))) === undefined;
    });
  },
});

const consumerReady = (ConsumerARN: string, { clients, timeout }: ProviderContext) =>
  waitFor(`stream consumer ${ConsumerARN}`, timeout, async () => {
    const { ConsumerDescription: found } = await clients.kinesis.describeStreamConsumer({ ConsumerARN });
    return (
      found?.ConsumerStatus === "ACTIVE" && {
        arn: found.ConsumerARN,
        name: found.ConsumerName,
        streamArn: found.StreamARN,
        creationTimestamp: found.ConsumerCreationTimestamp?.toISOString(),
      }
    );
  });

const streamConsumer = resourceType<StreamConsumerArgs, StreamConsumer>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name", "streamArn"],
  async create(args, context) {
    const { Consumer } = await context.clients.kinesis.registerStreamConsumer({
      StreamARN: args.streamArn,
      ConsumerName: args.name,
      Tags: tagMap(context.tags(args.tags)),
    });
    const id = Consumer!.ConsumerARN!;
    return { id, outputs: await consumerReady(id, context) };
  },
  read: (id, context) => unlessGone(consumerReady(id, context)),
  async update(id, args, old, context) {
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    const { kinesis } = context.clients;
    if (Object.keys(set).length > 0) await kinesis.tagResource({ ResourceARN: id, Tags: set });
    if (remove.length > 0) await kinesis.untagResource({ ResourceARN: id, TagKeys: remove });
    return old.outputs;
  },
  async delete(id, _known, { clients, timeout }) {
    await clients.kinesis.deregisterStreamConsumer({ ConsumerARN: id });
    await waitFor(`the deletion of stream consumer ${id}`, timeout, async () => {
      return (await unlessGone(clients.kinesis.describeStreamConsumer({ ConsumerARN: id }))) === undefined;
    });
  },
});

const resourcePolicy = resourceType<ResourcePolicyArgs, ResourcePolicy>({
  replaceOn: ["resourceArn"],
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    const Policy = requiredDocument("policy", args.policy);
    await clients.kinesis.putResourcePolicy({ ResourceARN: args.resourceArn, Policy });
    return { id: args.resourceArn, outputs: {} };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.kinesis.getResourcePolicy({ ResourceARN: id }));
    return found?.Policy && found.Policy !== "{}" ? { policy: found.Policy, resourceArn: id } : undefined;
  },
  async update(id, args, _old, { clients }) {
    await clients.kinesis.putResourcePolicy({
      ResourceARN: id,
      Policy: requiredDocument("policy", args.policy),
    });
    return {};
  },
  async delete(id, _known, { clients }) {
    await clients.kinesis.deleteResourcePolicy({ ResourceARN: id });
  },
});

export const types = {
  "aws:kinesis/stream:Stream": stream,
  "aws:kinesis/streamConsumer:StreamConsumer": streamConsumer,
  "aws:kinesis/resourcePolicy:ResourcePolicy": resourcePolicy,
};
