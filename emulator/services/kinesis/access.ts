import { type Access, type AccessTable, requestTags, resourceTags } from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { parseList } from "./checks";
import { streamOf } from "./get";
import { consumerArn, type Sdk, type Store, type StreamReference } from "./store";
import type { Consumer, Stream } from "./stream";

interface TagInput {
  readonly Tags?: Record<string, string>;
  readonly TagKeys?: string[];
}

interface ConsumerReference {
  readonly ConsumerARN?: string;
  readonly StreamARN?: string;
  readonly ConsumerName?: string;
}

/** What a request means: its ARN, and what is there, whose tags count. */
interface Found {
  readonly arn: string;
  readonly stream?: Stream;
  readonly target?: Stream | Consumer;
}

const hasTags = ({ Tags = {} }: TagInput) => Object.keys(Tags).length > 0;

/** What Kinesis Data Streams wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisdatastreams.html). */
export function access(store: Store): AccessTable<Sdk> {
  const streamAt = (arn = ""): Stream | undefined => {
    const parsed = parseArn(arn);
    const name = parsed?.service === "kinesis" ? /^stream\/([^/]+)/.exec(parsed.resource)?.[1] : undefined;
    return name === undefined ? undefined : store.region(parsed!).streams.get(name);
  };
  const ofStream = (arn: string | undefined): Found => {
    const stream = streamAt(arn);
    return { arn: stream?.arn ?? arn ?? "*", stream, target: stream };
  };
  /** A stream or a consumer; both can have a policy. */
  const ofEither = (arn: string | undefined): Found => {
    if (!arn || !consumerArn.test(arn)) return ofStream(arn);
    const stream = streamAt(arn);
    return { arn, stream, target: [...(stream?.consumers.values() ?? [])].find((consumer) => consumer.arn === arn) };
  };
  const on = (action: string, { arn, stream, target }: Found, { Tags, TagKeys }: TagInput = {}): Access => ({
    action: `kinesis:${action}`,
    resource: arn,
    policy: target && stream?.policies.get(arn),
    get conditions() {
      return { ...resourceTags(target?.tags), ...requestTags(Tags, TagKeys) };
    },
  });
  const named = ({ StreamARN, StreamName = "*" }: StreamReference, { region, account }: Context) =>
    ofStream(StreamARN ?? formatArn("kinesis", region, account, `stream/${StreamName}`));

  const stream = (action: string) => (input: StreamReference & TagInput, context: Context) =>
    on(action, named(input, context), input);
  const tagged = (action: string) => (input: TagInput & { ResourceARN: string | undefined }) =>
    on(action, ofEither(input.ResourceARN), input);
  const consumer =
    (action: string) =>
    ({ ConsumerARN, StreamARN, ConsumerName = "*" }: ConsumerReference): Access => {
      const known = streamAt(StreamARN)?.consumers.get(ConsumerName)?.arn;
      const unknown = { arn: `${StreamARN ?? "*"}/consumer/${ConsumerName}:*` };
      return on(action, (ConsumerARN ?? known) ? ofEither(ConsumerARN ?? known) : unknown);
    };
  const everywhere = (action: string) => () => on(action, { arn: "*" });

  return {
    // Tags take a permission of their own (API reference: CreateStream, RegisterStreamConsumer).
    CreateStream: (input, context) =>
      ["CreateStream", ...(hasTags(input) ? ["AddTagsToStream"] : [])].map((action) =>
        on(action, named(input, context), input),
      ),
    DeleteStream: stream("DeleteStream"),
    DescribeStream: stream("DescribeStream"),
    DescribeStreamSummary: stream("DescribeStreamSummary"),
    DescribeLimits: everywhere("DescribeLimits"),
    ListStreams: everywhere("ListStreams"),
    // A token for the next page names the stream.
    ListShards: (input, context) => {
      const inToken = input.NextToken === undefined ? undefined : parseList(input.NextToken)?.[2];
      return on("ListShards", typeof inToken === "string" ? ofStream(inToken) : named(input, context));
    },
    SplitShard: stream("SplitShard"),
    MergeShards: stream("MergeShards"),
    UpdateShardCount: stream("UpdateShardCount"),
    UpdateStreamMode: stream("UpdateStreamMode"),
    UpdateMaxRecordSize: stream("UpdateMaxRecordSize"),
    IncreaseStreamRetentionPeriod: stream("IncreaseStreamRetentionPeriod"),
    DecreaseStreamRetentionPeriod: stream("DecreaseStreamRetentionPeriod"),
    StartStreamEncryption: stream("StartStreamEncryption"),
    StopStreamEncryption: stream("StopStreamEncryption"),
    EnableEnhancedMonitoring: stream("EnableEnhancedMonitoring"),
    DisableEnhancedMonitoring: stream("DisableEnhancedMonitoring"),

    PutRecord: stream("PutRecord"),
    PutRecords: stream("PutRecords"),
    GetShardIterator: stream("GetShardIterator"),
    // Only the iterator has to name the stream.
    GetRecords: ({ StreamARN, ShardIterator }) => on("GetRecords", ofStream(StreamARN ?? streamOf(ShardIterator))),

    RegisterStreamConsumer: (input) => [
      on("RegisterStreamConsumer", ofStream(input.StreamARN), input),
      ...(hasTags(input)
        ? [on("TagResource", { arn: `${input.StreamARN}/consumer/${input.ConsumerName}:*` }, input)]
        : []),
    ],
    ListStreamConsumers: stream("ListStreamConsumers"),
    DescribeStreamConsumer: consumer("DescribeStreamConsumer"),
    DeregisterStreamConsumer: consumer("DeregisterStreamConsumer"),
    SubscribeToShard: consumer("SubscribeToShard"),

    AddTagsToStream: stream("AddTagsToStream"),
    RemoveTagsFromStream: stream("RemoveTagsFromStream"),
    ListTagsForStream: stream("ListTagsForStream"),
    TagResource: tagged("TagResource"),
    UntagResource: tagged("UntagResource"),
    ListTagsForResource: tagged("ListTagsForResource"),
    PutResourcePolicy: tagged("PutResourcePolicy"),
    GetResourcePolicy: tagged("GetResourcePolicy"),
    DeleteResourcePolicy: tagged("DeleteResourcePolicy"),
  };
}
