import * as Kinesis from "@aws-sdk/client-kinesis";
import { beforeAll, describe, expect, it, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { expectNeeds, makeUser, policyOf, type User } from "./harness/identities";

const emulator = useEmulator();
const StreamName = "readings";
const StreamARN = `arn:aws:kinesis:eu-west-1:000000000000:stream/${StreamName}`;
const ShardId = "shardId-000000000000";
const record = { Data: Buffer.from("x"), PartitionKey: "key" };

let admin: Kinesis.Kinesis;
let user: User;
let kinesis: Kinesis.Kinesis;
let ConsumerARN: string;
let NextToken: string;

beforeAll(async () => {
  admin = new Kinesis.Kinesis(settings(emulator.current));
  await admin.createStream({ StreamName, ShardCount: 2 });
  const { Consumer } = await admin.registerStreamConsumer({ StreamARN, ConsumerName: "reader" });
  ConsumerARN = Consumer!.ConsumerARN!;
  ({ NextToken: NextToken = "" } = await admin.listShards({ StreamARN, MaxResults: 1 }));
  user = await makeUser(emulator.current);
  kinesis = new Kinesis.Kinesis(user.settings);
});

type Case = [what: string, call: () => Promise<unknown>, ...needed: [action: string, resource: () => string][]];

describe("what a user may not do with streams is said in AWS's words, and the suggested statement allows it", () => {
  const stream = () => StreamARN;
  const consumer = () => ConsumerARN;
  const made = () => `${StreamARN}-2`;
  test.each<Case>([
    ["ListStreams", () => kinesis.listStreams(), ["ListStreams", () => "*"]],
    [
      "CreateStream with tags",
      () => kinesis.createStream({ StreamName: `${StreamName}-2`, ShardCount: 1, Tags: { a: "b" } }),
      ["CreateStream", made],
      ["AddTagsToStream", made],
    ],
    ["DescribeStreamSummary", () => kinesis.describeStreamSummary({ StreamName }), ["DescribeStreamSummary", stream]],
    ["DescribeStream by ARN", () => kinesis.describeStream({ StreamARN }), ["DescribeStream", stream]],
    ["ListShards", () => kinesis.listShards({ StreamName }), ["ListShards", stream]],
    ["ListShards by a token", () => kinesis.listShards({ NextToken }), ["ListShards", stream]],
    ["PutRecord", () => kinesis.putRecord({ StreamName, ...record }), ["PutRecord", stream]],
    ["PutRecords", () => kinesis.putRecords({ StreamARN, Records: [record] }), ["PutRecords", stream]],
    ["ListStreamConsumers", () => kinesis.listStreamConsumers({ StreamARN }), ["ListStreamConsumers", stream]],
    [
      "DescribeStreamConsumer by name",
      () => kinesis.describeStreamConsumer({ StreamARN, ConsumerName: "reader" }),
      ["DescribeStreamConsumer", consumer],
    ],
    [
      "SubscribeToShard",
      async () => {
        const StartingPosition = { Type: "LATEST" } as const;
        const { EventStream } = await kinesis.subscribeToShard({ ConsumerARN, ShardId, StartingPosition });
        await EventStream![Symbol.asyncIterator]().return?.();
      },
      ["SubscribeToShard", consumer],
    ],
    [
      "TagResource of a consumer",
      () => kinesis.tagResource({ ResourceARN: ConsumerARN, Tags: { a: "b" } }),
      ["TagResource", consumer],
    ],
    [
      "RegisterStreamConsumer with tags",
      () => kinesis.registerStreamConsumer({ StreamARN, ConsumerName: "second", Tags: { a: "b" } }),
      ["RegisterStreamConsumer", stream],
      ["TagResource", () => `${StreamARN}/consumer/second:*`],
    ],
  ])("%s", async (_, call, ...needed) => {
    await expectNeeds(
      emulator.current,
      user,
      call,
      needed.map(([action, resource]) => [`kinesis:${action}`, resource()] as const),
    );
  });

  it("GetRecords, which knows its stream by the iterator", async () => {
    let ShardIterator: string | undefined;
    const position = { StreamARN, ShardId, ShardIteratorType: "LATEST" } as const;
    await expectNeeds(
      emulator.current,
      user,
      async () => ({ ShardIterator } = await kinesis.getShardIterator(position)),
      [["kinesis:GetShardIterator", StreamARN]],
    );
    await expectNeeds(emulator.current, user, () => kinesis.getRecords({ ShardIterator }), [
      ["kinesis:GetRecords", StreamARN],
    ]);
  });
});

describe("policies of streams and consumers", () => {
  const stranger = () => new Kinesis.Kinesis(settings(emulator.current, { accessKeyId: "111122223333" }));

  it("let in other accounts, by the stream for its records and by the consumer for its own", async () => {
    const Principal = { AWS: "111122223333" };
    const ofStream = { Effect: "Allow", Principal, Action: "kinesis:DescribeStreamSummary", Resource: StreamARN };
    const ofConsumer = { ...ofStream, Action: "kinesis:DescribeStreamConsumer", Resource: ConsumerARN };
    await admin.putResourcePolicy({ ResourceARN: StreamARN, Policy: policyOf(ofStream) });
    await stranger().describeStreamSummary({ StreamARN });
    const describeConsumer = () => stranger().describeStreamConsumer({ ConsumerARN });
    await expect(describeConsumer()).rejects.toMatchObject({ name: "AccessDeniedException" });
    await admin.putResourcePolicy({ ResourceARN: ConsumerARN, Policy: policyOf(ofConsumer) });
    await describeConsumer();
  });

  it("deny under any spelling of the ARN", async () => {
    const statement = { Effect: "Deny", Principal: "*", Action: "kinesis:PutRecord", Resource: StreamARN };
    await admin.putResourcePolicy({ ResourceARN: StreamARN, Policy: policyOf(statement) });
    for (const spelt of [StreamARN, `${StreamARN}/x`, ConsumerARN, StreamARN.replace("arn:aws:", "arn:aws-cn:")])
      await expect(admin.putRecord({ StreamARN: spelt, ...record })).rejects.toMatchObject({
        name: "AccessDeniedException",
      });
    await admin.deleteResourcePolicy({ ResourceARN: StreamARN });
  });
});

it("conditions see the tags of streams and those of requests", async () => {
  const statement = { Effect: "Allow", Action: "kinesis:*", Resource: "*" };
  await user.allow(
    { ...statement, Condition: { StringEquals: { "aws:ResourceTag/team": "iot" } } },
    { ...statement, Condition: { "ForAnyValue:StringEquals": { "aws:TagKeys": ["team"] } } },
  );
  const put = () => kinesis.putRecord({ StreamName, ...record });
  await expect(put()).rejects.toMatchObject({ name: "AccessDeniedException" });
  await kinesis.addTagsToStream({ StreamName, Tags: { team: "iot" } });
  await put();
});
