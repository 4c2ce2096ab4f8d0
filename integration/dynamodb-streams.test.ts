import {
  BatchWriteItemCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  PutItemCommand,
  type StreamViewType,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Item, keyed, refusal, useDynamo } from "./harness/dynamodb";
import { settings } from "./harness/emulator";

const dynamo = useDynamo();
let client: DynamoDBStreamsClient | undefined;
const streams = () => {
  client ??= new DynamoDBStreamsClient(settings(dynamo.emulator));
  return client;
};

const streamed = (
  StreamViewType: StreamViewType = "NEW_AND_OLD_IMAGES",
  definition = keyed(),
): Omit<CreateTableCommandInput, "TableName"> => ({
  ...definition,
  StreamSpecification: { StreamEnabled: true, StreamViewType },
});

const arnOf = async (TableName: string): Promise<string> =>
  (await dynamo.client.send(new DescribeTableCommand({ TableName }))).Table!.LatestStreamArn!;

const look = async (StreamArn: string) =>
  (await streams().send(new DescribeStreamCommand({ StreamArn }))).StreamDescription!;

async function iterator(StreamArn: string, more: Partial<GetShardIteratorCommandInput> = {}) {
  const ShardId = (await look(StreamArn)).Shards![0]!.ShardId!;
  const { ShardIterator } = await streams().send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON", ...more }),
  );
  return ShardIterator;
}

const get = (ShardIterator: string | undefined, Limit?: number) =>
  streams().send(new GetRecordsCommand({ ShardIterator, Limit }));

const read = async (arn: string, more: Partial<GetShardIteratorCommandInput> = {}): Promise<_Record[]> =>
  (await get(await iterator(arn, more))).Records!;

const put = (TableName: string, Item: Item) => dynamo.client.send(new PutItemCommand({ TableName, Item }));
const s = (S: string) => ({ S });

describe("the changes of a table", () => {
  it("are told as inserted, modified and removed items, with what they were and became", async () => {
    const table = await dynamo.table(streamed());
    const arn = await arnOf(table);
    await put(table, { pk: s("a"), v: { N: "1" }, bytes: { B: Buffer.from("x") } });
    await dynamo.client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: s("a") },
        UpdateExpression: "SET v = v + :one REMOVE bytes",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      }),
    );
    await dynamo.client.send(new DeleteItemCommand({ TableName: table, Key: { pk: s("a") } }));
    const before = { pk: s("a"), v: { N: "1" }, bytes: { B: new Uint8Array(Buffer.from("x")) } };
    const after = { pk: s("a"), v: { N: "2" } };
    const record = (eventName: string, images: object, SizeBytes: number) => ({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName,
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: "eu-west-1",
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Date),
        Keys: { pk: s("a") },
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        StreamViewType: "NEW_AND_OLD_IMAGES",
        SizeBytes,
        ...images,
      },
    });
    const records = await read(arn);
    expect(records).toEqual([
      record("INSERT", { NewImage: before }, 3 + 12),
      record("MODIFY", { OldImage: before, NewImage: after }, 3 + 12 + 6),
      record("REMOVE", { OldImage: after }, 3 + 6),
    ]);
    const numbers = records.map(({ dynamodb }) => dynamodb!.SequenceNumber!);
    expect(numbers).toEqual(numbers.toSorted());
  });

  it.each<[StreamViewType, boolean, boolean]>([
    ["KEYS_ONLY", false, false],
    ["NEW_IMAGE", false, true],
    ["OLD_IMAGE", true, false],
  ])("have the images that the view type %s says", async (view, old, fresh) => {
    const table = await dynamo.table(streamed(view));
    await put(table, { pk: s("a"), v: s("1") });
    await put(table, { pk: s("a"), v: s("2") });
    const [, modified] = await read(await arnOf(table));
    expect(modified!.dynamodb!.Keys).toEqual({ pk: s("a") });
    expect(modified!.dynamodb!.OldImage).toEqual(old ? { pk: s("a"), v: s("1") } : undefined);
    expect(modified!.dynamodb!.NewImage).toEqual(fresh ? { pk: s("a"), v: s("2") } : undefined);
  });

  it("are not told of writes that change nothing", async () => {
    const table = await dynamo.table(streamed());
    await put(table, { pk: s("a"), v: s("1") });
    await put(table, { pk: s("a"), v: s("1") });
    await dynamo.client.send(new DeleteItemCommand({ TableName: table, Key: { pk: s("none") } }));
    await dynamo.client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: s("a") },
        UpdateExpression: "SET v = :v",
        ExpressionAttributeValues: { ":v": s("1") },
      }),
    );
    expect(await read(await arnOf(table))).toHaveLength(1);
  });

  it("include those of batches and transactions, and none of a transaction that was cancelled", async () => {
    const table = await dynamo.table(streamed());
    await dynamo.client.send(
      new BatchWriteItemCommand({
        RequestItems: { [table]: ["a", "b"].map((pk) => ({ PutRequest: { Item: { pk: s(pk) } } })) },
      }),
    );
    const transaction = (first: string, second: string) =>
      dynamo.client.send(
        new TransactWriteItemsCommand({
          TransactItems: [first, second].map((pk) => ({
            Put: { TableName: table, Item: { pk: s(pk) }, ConditionExpression: "attribute_not_exists(pk)" },
          })),
        }),
      );
    await transaction("c", "d");
    await expect(transaction("e", "a")).rejects.toThrow("ConditionalCheckFailed");
    const records = await read(await arnOf(table));
    expect(records.map(({ dynamodb }) => dynamodb!.Keys!.pk!.S)).toEqual(["a", "b", "c", "d"]);
  });

  it("say when it was time to live that deleted the item", async () => {
    const table = await dynamo.table(streamed());
    await dynamo.client.send(
      new UpdateTimeToLiveCommand({
        TableName: table,
        TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
      }),
    );
    const ttl = Math.floor(dynamo.emulator.clock.now() / 1000) + 60;
    await put(table, { pk: s("a"), ttl: { N: String(ttl) } });
    await dynamo.emulator.clock.advance("2 minutes");
    const [inserted, removed] = await read(await arnOf(table));
    expect(inserted!.userIdentity).toBeUndefined();
    expect(removed).toMatchObject({
      eventName: "REMOVE",
      userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" },
    });
  });

  it("are all there, in the order in which they happened, whatever is written (property)", async () => {
    const write = fc.record({ pk: fc.constantFrom("a", "b"), v: fc.option(fc.nat(2), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), async (writes, limit) => {
        const table = await dynamo.table(streamed());
        const items = new Map<string, number>();
        const expected: string[] = [];
        for (const { pk, v } of writes) {
          const before = items.get(pk);
          if (v === undefined) {
            await dynamo.client.send(new DeleteItemCommand({ TableName: table, Key: { pk: s(pk) } }));
            items.delete(pk);
          } else {
            await put(table, { pk: s(pk), v: { N: String(v) } });
            items.set(pk, v);
          }
          if (before !== v) expected.push(`${pk}: ${before} -> ${v}`);
        }
        const seen: string[] = [];
        let next = await iterator(await arnOf(table));
        for (let empty = false; !empty; ) {
          const { Records, NextShardIterator } = await get(next, limit);
          for (const { dynamodb } of Records!) {
            const { Keys, OldImage, NewImage } = dynamodb!;
            seen.push(`${Keys!.pk!.S}: ${OldImage?.v?.N} -> ${NewImage?.v?.N}`);
          }
          empty = Records!.length === 0;
          next = NextShardIterator;
        }
        expect(seen).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});

describe("streams", () => {
  it("are described and listed by table", async () => {
    const table = await dynamo.table(streamed("KEYS_ONLY", keyed("N")));
    const arn = await arnOf(table);
    expect(await look(arn)).toEqual({
      StreamArn: arn,
      StreamLabel: arn.split("/stream/")[1],
      StreamStatus: "ENABLED",
      StreamViewType: "KEYS_ONLY",
      CreationRequestDateTime: expect.any(Date),
      TableName: table,
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      Shards: [
        {
          ShardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/),
          SequenceNumberRange: { StartingSequenceNumber: expect.stringMatching(/^\d{21}$/) },
        },
      ],
    });
    const { Streams } = await streams().send(new ListStreamsCommand({ TableName: table }));
    expect(Streams).toEqual([{ StreamArn: arn, TableName: table, StreamLabel: arn.split("/stream/")[1] }]);
    const seen: string[] = [];
    let start: string | undefined;
    do {
      const page = await streams().send(new ListStreamsCommand({ Limit: 2, ExclusiveStartStreamArn: start }));
      seen.push(...page.Streams!.map(({ StreamArn }) => StreamArn!));
      start = page.LastEvaluatedStreamArn;
    } while (start);
    expect(seen).toContain(arn);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("are read from their beginning, their end, or a sequence number", async () => {
    const table = await dynamo.table(streamed("KEYS_ONLY"));
    const arn = await arnOf(table);
    for (const pk of ["a", "b", "c"]) await put(table, { pk: s(pk) });
    const numbers = (await read(arn)).map(({ dynamodb }) => dynamodb!.SequenceNumber);
    const keys = async (more: Partial<GetShardIteratorCommandInput>) =>
      (await read(arn, more)).map(({ dynamodb }) => dynamodb!.Keys!.pk!.S);
    const SequenceNumber = numbers[1];
    expect(await keys({ ShardIteratorType: "AT_SEQUENCE_NUMBER", SequenceNumber })).toEqual(["b", "c"]);
    expect(await keys({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber })).toEqual(["c"]);
    const latest = await iterator(arn, { ShardIteratorType: "LATEST" });
    await put(table, { pk: s("d") });
    expect((await get(latest)).Records!.map(({ dynamodb }) => dynamodb!.Keys!.pk!.S)).toEqual(["d"]);
  });

  it("can be read for a day after they were switched off, and begin anew when switched on", async () => {
    const table = await dynamo.table(streamed());
    const arn = await arnOf(table);
    await put(table, { pk: s("a") });
    const change = (StreamEnabled: boolean) =>
      dynamo.client.send(
        new UpdateTableCommand({
          TableName: table,
          StreamSpecification: { StreamEnabled, StreamViewType: StreamEnabled ? "KEYS_ONLY" : undefined },
        }),
      );
    await change(false);
    await put(table, { pk: s("b") });
    const ended = await get(await iterator(arn));
    expect(ended.Records).toHaveLength(1);
    expect(ended.NextShardIterator).toBeUndefined();
    expect((await look(arn)).StreamStatus).toBe("DISABLED");
    expect((await look(arn)).Shards![0]!.SequenceNumberRange!.EndingSequenceNumber).toBeDefined();
    await change(true);
    const second = await arnOf(table);
    expect(second).not.toBe(arn);
    await put(table, { pk: s("c") });
    expect(await read(second)).toHaveLength(1);
    await dynamo.emulator.clock.advance("25 hours");
    await expect(look(arn)).rejects.toEqual(
      refusal("ResourceNotFoundException", `Requested resource not found: Stream: ${arn} not found`),
    );
  });

  it("stay for a day when their table is deleted", async () => {
    const table = await dynamo.table(streamed());
    const arn = await arnOf(table);
    await put(table, { pk: s("a") });
    await dynamo.client.send(new DeleteTableCommand({ TableName: table }));
    expect(await read(arn)).toHaveLength(1);
    await dynamo.emulator.clock.advance("25 hours");
    await expect(look(arn)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("let records go after a day", async () => {
    const table = await dynamo.table(streamed());
    const arn = await arnOf(table);
    await put(table, { pk: s("old") });
    await dynamo.emulator.clock.advance("23 hours");
    await put(table, { pk: s("new") });
    expect(await read(arn)).toHaveLength(2);
    await dynamo.emulator.clock.advance("2 hours");
    expect((await read(arn)).map(({ dynamodb }) => dynamodb!.Keys!.pk!.S)).toEqual(["new"]);
  });

  it("refuse iterators that are too old, made up or somebody else's", async () => {
    const table = await dynamo.table(streamed());
    const arn = await arnOf(table);
    const old = await iterator(arn);
    await dynamo.emulator.clock.advance("16 minutes");
    await expect(get(old)).rejects.toMatchObject({ name: "ExpiredIteratorException" });
    await expect(get("made-up")).rejects.toEqual(refusal("ValidationException", "Invalid ShardIterator"));
    const other = new DynamoDBStreamsClient(settings(dynamo.emulator, { accessKeyId: "111122223333" }));
    const fresh = await iterator(arn);
    const denied = expect.objectContaining({ name: "AccessDeniedException" });
    await expect(other.send(new GetRecordsCommand({ ShardIterator: fresh }))).rejects.toEqual(denied);
    await expect(other.send(new DescribeStreamCommand({ StreamArn: arn }))).rejects.toEqual(denied);
    other.destroy();
    await expect(iterator(arn, { ShardId: `shardId-${"0".repeat(20)}-00000000` })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(iterator(arn, { ShardIteratorType: "AT_SEQUENCE_NUMBER" })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });
});
