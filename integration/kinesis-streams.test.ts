import {
  AddTagsToStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteResourcePolicyCommand,
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand,
  GetResourcePolicyCommand,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput,
  ListStreamConsumersCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutResourcePolicyCommand,
  RegisterStreamConsumerCommand,
  RemoveTagsFromStreamCommand,
  SplitShardCommand,
  StartStreamEncryptionCommand,
  StopStreamEncryptionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from "@aws-sdk/client-kinesis";
import { describe, expect, it } from "vitest";
import { refusal } from "./harness/dynamodb";
import { settings, useEmulator } from "./harness/emulator";
import { useKinesis } from "./harness/kinesis";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);
const send: KinesisClient["send"] = ((command: never) => kinesis.client.send(command)) as never;

const last = String(2n ** 128n - 1n);
const half = 2n ** 127n;

const summary = async (StreamName: string) =>
  (await send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary!;

describe("a stream", () => {
  it("is there as soon as it is made, with equal shards", async () => {
    const name = await kinesis.stream({ ShardCount: 2 });
    const { StreamDescription } = await send(new DescribeStreamCommand({ StreamName: name }));
    const shard = (id: number, StartingHashKey: string, EndingHashKey: string) => ({
      ShardId: `shardId-00000000000${id}`,
      HashKeyRange: { StartingHashKey, EndingHashKey },
      SequenceNumberRange: { StartingSequenceNumber: expect.stringMatching(/^49\d{54}$/) },
    });
    expect(StreamDescription).toEqual({
      StreamName: name,
      StreamARN: kinesis.arn(name),
      StreamStatus: "ACTIVE",
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      Shards: [shard(0, "0", String(half - 1n)), shard(1, String(half), last)],
      HasMoreShards: false,
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: expect.any(Date),
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: "NONE",
    });
    expect(await summary(name)).toMatchObject({ OpenShardCount: 2, ConsumerCount: 0, MaxRecordSizeInKiB: 1024 });
  });

  it("has four shards on demand, which its owner cannot change", async () => {
    const StreamName = await kinesis.stream({ StreamModeDetails: { StreamMode: "ON_DEMAND" } });
    expect((await summary(StreamName)).OpenShardCount).toBe(4);
    const refused = send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 5, ScalingType: "UNIFORM_SCALING" }),
    );
    await expect(refused).rejects.toMatchObject({ name: "ValidationException" });
    const StreamModeDetails = { StreamMode: "PROVISIONED" as const };
    await send(new UpdateStreamModeCommand({ StreamARN: kinesis.arn(StreamName), StreamModeDetails }));
    await send(new UpdateShardCountCommand({ StreamName, TargetShardCount: 5, ScalingType: "UNIFORM_SCALING" }));
    expect((await summary(StreamName)).OpenShardCount).toBe(5);
  });

  it("is found by its ARN as by its name, and by nobody else's name", async () => {
    const name = await kinesis.stream();
    const byArn = await send(new DescribeStreamSummaryCommand({ StreamARN: kinesis.arn(name) }));
    expect(byArn.StreamDescriptionSummary!.StreamName).toBe(name);
    const stranger = new KinesisClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    await expect(stranger.send(new DescribeStreamSummaryCommand({ StreamName: name }))).rejects.toEqual(
      refusal("ResourceNotFoundException", `Stream ${name} under account 111122223333 not found.`),
    );
    stranger.destroy();
  });

  it("is another account's as its policy says, by its ARN, and no other region's", async () => {
    const StreamARN = kinesis.arn(await kinesis.stream());
    const stranger = new KinesisClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    const put = () => stranger.send(new PutRecordCommand({ StreamARN, Data: Buffer.from("x"), PartitionKey: "key" }));
    const denied = refusal(
      "AccessDeniedException",
      `User: arn:aws:iam::111122223333:root is not authorized to perform: kinesis:PutRecord on resource: ${StreamARN} because no resource-based policy allows the kinesis:PutRecord action`,
    );
    await expect(put()).rejects.toEqual(denied);
    const Statement = { Effect: "Allow", Principal: { AWS: "111122223333" }, Action: "kinesis:PutRecord" };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: { ...Statement, Resource: StreamARN } });
    await send(new PutResourcePolicyCommand({ ResourceARN: StreamARN, Policy }));
    expect((await put()).ShardId).toBe("shardId-000000000000");
    await expect(stranger.send(new DeleteStreamCommand({ StreamARN }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    stranger.destroy();
    const elsewhere = new KinesisClient(settings(emulator.current, { region: "us-east-1" }));
    await expect(elsewhere.send(new DescribeStreamSummaryCommand({ StreamARN }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    elsewhere.destroy();
  });

  it("is gone when it is deleted, unless it has consumers", async () => {
    const StreamName = await kinesis.stream();
    const StreamARN = kinesis.arn(StreamName);
    await send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "reader" }));
    await expect(send(new DeleteStreamCommand({ StreamName }))).rejects.toMatchObject({
      name: "ResourceInUseException",
    });
    await send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
    await expect(summary(StreamName)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await kinesis.stream({ StreamName });
    expect(await kinesis.read(StreamName)).toEqual([]);
  });

  it("is listed with the others, page by page", async () => {
    const names = [await kinesis.stream(), await kinesis.stream(), await kinesis.stream()];
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await send(new ListStreamsCommand({ Limit: 2, NextToken }));
      seen.push(...page.StreamNames!);
      NextToken = page.NextToken;
      expect(page.HasMoreStreams).toBe(NextToken !== undefined);
    } while (NextToken);
    expect(seen).toEqual(seen.toSorted());
    expect(seen).toEqual(expect.arrayContaining(names));
  });

  it.each([
    [{ StreamName: "no spaces" }, "ValidationException", /streamName.*regular expression/],
    [{ ShardCount: 0 }, "ValidationException", /shardCount.*greater than or equal to 1/],
    [{ ShardCount: undefined }, "InvalidArgumentException", /ShardCount must be specified/],
    [
      { StreamModeDetails: { StreamMode: "ON_DEMAND" as const }, ShardCount: 2 },
      "InvalidArgumentException",
      /ShardCount cannot be specified/,
    ],
    [{ MaxRecordSizeInKiB: 20_000 }, "ValidationException", /less than or equal to 10240/],
    [{ Tags: { "bad<tag": "x" } }, "InvalidArgumentException", /invalid characters/],
    [{ WarmThroughputMiBps: 10 }, "NotImplemented", /WarmThroughputMiBps/],
  ])("is refused with %j", async (options, name, message) => {
    await expect(kinesis.stream({ StreamName: "refused", ShardCount: 1, ...options })).rejects.toEqual(
      refusal(name, message),
    );
    await expect(summary("refused")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("cannot be made twice", async () => {
    const StreamName = await kinesis.stream();
    await expect(kinesis.stream({ StreamName })).rejects.toEqual(
      refusal("ResourceInUseException", `Stream ${StreamName} under account 000000000000 already exists.`),
    );
  });
});

describe("shards", () => {
  const ids = async (input: ListShardsCommandInput) =>
    (await send(new ListShardsCommand(input))).Shards!.map(({ ShardId }) => Number(ShardId!.slice(-12)));

  it("split where told, and merge with their neighbours", async () => {
    const StreamName = await kinesis.stream();
    await send(new SplitShardCommand({ StreamName, ShardToSplit: "shardId-000000000000", NewStartingHashKey: "1000" }));
    const [parent, lower, upper] = await kinesis.shards(StreamName);
    expect(parent!.SequenceNumberRange!.EndingSequenceNumber).toMatch(/^49\d{54}$/);
    expect(lower).toMatchObject({
      ParentShardId: "shardId-000000000000",
      HashKeyRange: { StartingHashKey: "0", EndingHashKey: "999" },
    });
    expect(upper!.HashKeyRange).toEqual({ StartingHashKey: "1000", EndingHashKey: last });
    await kinesis.merge(StreamName, upper!, lower!);
    expect(await kinesis.openShards(StreamName)).toEqual([
      expect.objectContaining({
        ShardId: "shardId-000000000003",
        ParentShardId: "shardId-000000000001",
        AdjacentParentShardId: "shardId-000000000002",
        HashKeyRange: { StartingHashKey: "0", EndingHashKey: last },
      }),
    ]);
  });

  it("refuse splits and merges that cannot be", async () => {
    const StreamName = await kinesis.stream({ ShardCount: 3 });
    const split = (ShardToSplit: string, NewStartingHashKey: string) =>
      send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }));
    await expect(split("shardId-000000000000", "1")).rejects.toEqual(
      refusal("InvalidArgumentException", /NewStartingHashKey 1 .* is not both greater than one plus/),
    );
    await expect(split("shardId-000000000009", "100")).rejects.toEqual(
      refusal(
        "ResourceNotFoundException",
        `Could not find shard shardId-000000000009 in stream ${StreamName} under account 000000000000.`,
      ),
    );
    await expect(
      send(
        new MergeShardsCommand({
          StreamName,
          ShardToMerge: "shardId-000000000000",
          AdjacentShardToMerge: "shardId-000000000002",
        }),
      ),
    ).rejects.toEqual(refusal("InvalidArgumentException", /not an adjacent pair of shards eligible for merging/));
    await split("shardId-000000000000", "100");
    await expect(split("shardId-000000000000", "50")).rejects.toMatchObject({ name: "ResourceInUseException" });
    expect(await kinesis.openShards(StreamName)).toHaveLength(4);
  });

  it("are as many and as equal as UpdateShardCount says, at most double, at least half, ten times a day", async () => {
    const StreamName = await kinesis.stream({ ShardCount: 2 });
    const update = (TargetShardCount: number) =>
      send(new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: "UNIFORM_SCALING" }));
    expect(await update(3)).toMatchObject({ CurrentShardCount: 2, TargetShardCount: 3 });
    const ranges = (await kinesis.openShards(StreamName)).map(({ HashKeyRange }) => HashKeyRange!.StartingHashKey);
    const third = 2n ** 128n / 3n;
    expect(ranges.toSorted((a, b) => Number(BigInt(a!) - BigInt(b!)))).toEqual([0n, third, third * 2n].map(String));
    await expect(update(7)).rejects.toEqual(
      refusal(
        "LimitExceededException",
        "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 3, Target shard count: 7",
      ),
    );
    await expect(update(1)).rejects.toEqual(refusal("LimitExceededException", /below half/));
    for (let i = 0; i < 9; i++) await update(i % 2 === 0 ? 2 : 3);
    await expect(update(3)).rejects.toEqual(refusal("LimitExceededException", /more than 10 times/));
    await emulator.current.clock.advance("24 hours");
    await update(3);
  });

  it("are listed page by page, and by filters", async () => {
    const StreamName = await kinesis.stream({ ShardCount: 2 });
    await emulator.current.clock.advance("1 hour");
    const before = new Date(emulator.current.clock.now());
    await emulator.current.clock.advance("1 hour");
    await kinesis.split(StreamName, (await kinesis.shards(StreamName))[0]!);
    const page = await send(new ListShardsCommand({ StreamName, MaxResults: 3 }));
    expect(page.Shards).toHaveLength(3);
    expect(await ids({ NextToken: page.NextToken })).toEqual([3]);
    expect(await ids({ StreamName, ExclusiveStartShardId: "shardId-000000000001" })).toEqual([2, 3]);
    const filtered = (Type: string, more = {}) => ids({ StreamName, ShardFilter: { Type: Type as never, ...more } });
    expect(await filtered("AT_LATEST")).toEqual([1, 2, 3]);
    expect(await filtered("AT_TRIM_HORIZON")).toEqual([0, 1]);
    expect(await filtered("FROM_TRIM_HORIZON")).toEqual([0, 1, 2, 3]);
    expect(await filtered("AT_TIMESTAMP", { Timestamp: before })).toEqual([0, 1]);
    expect(await filtered("FROM_TIMESTAMP", { Timestamp: new Date(emulator.current.clock.now()) })).toEqual([1, 2, 3]);
    expect(await filtered("AFTER_SHARD_ID", { ShardId: "shardId-000000000002" })).toEqual([3]);
    await emulator.current.clock.advance("6 minutes");
    await expect(ids({ NextToken: page.NextToken })).rejects.toMatchObject({ name: "ExpiredNextTokenException" });
    await expect(ids({ NextToken: "made up" })).rejects.toMatchObject({ name: "InvalidArgumentException" });
    await emulator.current.clock.advance("25 hours");
    // The one that was split has nothing left.
    expect(await ids({ StreamName })).toEqual([1, 2, 3]);
  });
});

describe("settings of a stream", () => {
  it("keep its records as long as they say, and let them go after", async () => {
    const StreamName = await kinesis.stream();
    await kinesis.put(StreamName, "old");
    await send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 48 }));
    await emulator.current.clock.advance("25 hours");
    expect(await kinesis.read(StreamName)).toEqual(["old"]);
    await send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 24 }));
    expect(await kinesis.read(StreamName)).toEqual([]);
    const increase = (RetentionPeriodHours: number) =>
      send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
    await expect(increase(23)).rejects.toEqual(
      refusal(
        "InvalidArgumentException",
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.",
      ),
    );
    await expect(increase(8761)).rejects.toEqual(refusal("InvalidArgumentException", /Maximum allowed .* 8760 hours/));
    await expect(
      send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 30 })),
    ).rejects.toEqual(refusal("InvalidArgumentException", /can not be longer than existing retention period/));
  });

  it("tag it, by name or by ARN", async () => {
    const StreamName = await kinesis.stream({ Tags: { a: "1" } });
    const ResourceARN = kinesis.arn(StreamName);
    await send(new AddTagsToStreamCommand({ StreamName, Tags: { b: "2" } }));
    await send(new TagResourceCommand({ ResourceARN, Tags: { c: "3" } }));
    const page = await send(new ListTagsForStreamCommand({ StreamName, Limit: 2 }));
    expect(page).toMatchObject({ Tags: [{ Key: "a" }, { Key: "b" }], HasMoreTags: true });
    await send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ["a"] }));
    await send(new UntagResourceCommand({ ResourceARN, TagKeys: ["b"] }));
    expect((await send(new ListTagsForResourceCommand({ ResourceARN }))).Tags).toEqual([{ Key: "c", Value: "3" }]);
    const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`tag-${i}`, ""]));
    await expect(send(new AddTagsToStreamCommand({ StreamName, Tags }))).rejects.toEqual(
      refusal("InvalidArgumentException", /more than 50 tags/),
    );
  });

  it("mark its records as encrypted from then on", async () => {
    const StreamName = await kinesis.stream();
    const encryption = { StreamName, EncryptionType: "KMS" as const, KeyId: "alias/aws/kinesis" };
    await kinesis.put(StreamName, "plain");
    await send(new StartStreamEncryptionCommand(encryption));
    expect((await kinesis.put(StreamName, "secret")).EncryptionType).toBe("KMS");
    expect(await summary(StreamName)).toMatchObject({ EncryptionType: "KMS", KeyId: "alias/aws/kinesis" });
    const { Records } = await kinesis.get(await kinesis.iterator(StreamName));
    expect(Records!.map(({ EncryptionType }) => EncryptionType)).toEqual([undefined, "KMS"]);
    await send(new StopStreamEncryptionCommand(encryption));
    expect((await summary(StreamName)).EncryptionType).toBe("NONE");
  });

  it("note which metrics its shards have", async () => {
    const StreamName = await kinesis.stream();
    const enabled = await send(new EnableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics: ["ALL"] }));
    expect(enabled.DesiredShardLevelMetrics).toHaveLength(7);
    await send(new DisableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics: ["IncomingBytes"] }));
    expect((await summary(StreamName)).EnhancedMonitoring![0]!.ShardLevelMetrics).toHaveLength(6);
  });

  it("keep a resource policy", async () => {
    const ResourceARN = kinesis.arn(await kinesis.stream());
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    await send(new PutResourcePolicyCommand({ ResourceARN, Policy }));
    expect((await send(new GetResourcePolicyCommand({ ResourceARN }))).Policy).toBe(Policy);
    await send(new DeleteResourcePolicyCommand({ ResourceARN }));
    await expect(send(new DeleteResourcePolicyCommand({ ResourceARN }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(send(new PutResourcePolicyCommand({ ResourceARN, Policy: "no" }))).rejects.toMatchObject({
      name: "InvalidArgumentException",
    });
  });
});

describe("consumers of a stream", () => {
  it("are registered, described, listed and deregistered", async () => {
    const StreamARN = kinesis.arn(await kinesis.stream());
    const register = (ConsumerName: string) => send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));
    const { Consumer } = await register("a");
    await register("b");
    await expect(register("a")).rejects.toMatchObject({ name: "ResourceInUseException" });
    const { ConsumerARN } = Consumer!;
    expect(ConsumerARN).toMatch(new RegExp(`^${StreamARN}/consumer/a:\\d+$`));
    const { ConsumerDescription } = await send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    expect(ConsumerDescription).toMatchObject({ ConsumerName: "a", ConsumerStatus: "ACTIVE", StreamARN });
    const page = await send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 1 }));
    const rest = await send(new ListStreamConsumersCommand({ StreamARN, NextToken: page.NextToken }));
    expect([...page.Consumers!, ...rest.Consumers!].map(({ ConsumerName }) => ConsumerName)).toEqual(["a", "b"]);
    await send(new TagResourceCommand({ ResourceARN: ConsumerARN, Tags: { team: "x" } }));
    expect((await send(new ListTagsForResourceCommand({ ResourceARN: ConsumerARN }))).Tags).toHaveLength(1);
    await send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName: "a" }));
    await expect(send(new DescribeStreamConsumerCommand({ ConsumerARN }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

it("counts shards and on-demand streams against the account's limits", async () => {
  const limits = () => send(new DescribeLimitsCommand({}));
  const before = await limits();
  await kinesis.stream({ ShardCount: 3 });
  expect((await limits()).OpenShardCount).toBe(before.OpenShardCount! + 3);
});
