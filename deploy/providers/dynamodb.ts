import type {
  CreateTableCommandInput,
  GlobalSecondaryIndex,
  GlobalSecondaryIndexUpdate,
  KeySchemaElement,
  StreamSpecification,
  TableDescription,
  UpdateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Table, TableArgs, TableItem, TableItemArgs } from "@pulumi/aws/dynamodb";
import { InvalidInput, PartlyCreated } from "../errors";
import { same, toWire } from "../values";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone, waitFor } from "./wait";

type Args = PlainArgs<TableArgs>;
type IndexArgs = NonNullable<Args["globalSecondaryIndexes"]>[number];

const keySchema = (hashKey: string | undefined, rangeKey: string | undefined): KeySchemaElement[] => [
  { AttributeName: hashKey, KeyType: "HASH" },
  ...(rangeKey ? [{ AttributeName: rangeKey, KeyType: "RANGE" as const }] : []),
];

/** Newer index definitions give `keySchemas` instead of the two key properties. */
const indexKeys = (index: IndexArgs): KeySchemaElement[] =>
  index.keySchemas && index.keySchemas.length > 0
    ? index.keySchemas.map(({ attributeName, keyType }) => ({
        AttributeName: attributeName,
        KeyType: keyType as KeySchemaElement["KeyType"],
      }))
    : keySchema(index.hashKey, index.rangeKey);

const provisioned = (args: Args) => (args.billingMode ?? "PROVISIONED") !== "PAY_PER_REQUEST";

const throughput = (read: number | undefined, write: number | undefined) => ({
  ProvisionedThroughput: { ReadCapacityUnits: read ?? 1, WriteCapacityUnits: write ?? 1 },
});

const globalIndex = (index: IndexArgs, args: Args): GlobalSecondaryIndex => ({
  IndexName: index.name,
  KeySchema: indexKeys(index),
  Projection: { ProjectionType: index.projectionType as "ALL", NonKeyAttributes: index.nonKeyAttributes },
  ...(provisioned(args) && throughput(index.readCapacity, index.writeCapacity)),
});

const attributes = (args: Args): CreateTableCommandInput["AttributeDefinitions"] =>
  args.attributes?.map(({ name, type }) => ({ AttributeName: name, AttributeType: type as "S" }));

const stream = ({ streamEnabled, streamViewType }: Args): StreamSpecification | undefined =>
  streamEnabled ? { StreamEnabled: true, StreamViewType: streamViewType as "NEW_IMAGE" } : undefined;

const encryption = ({ serverSideEncryption: sse }: Args) =>
  sse && { Enabled: sse.enabled, ...(sse.kmsKeyArn && { SSEType: "KMS" as const, KMSMasterKeyId: sse.kmsKeyArn }) };

async function ready(name: string, { clients, timeout }: ProviderContext): Promise<TableDescription> {
  return waitFor(`table ${name}`, timeout, async () => {
    const { Table } = await clients.dynamodb.describeTable({ TableName: name });
    const indexes = Table?.GlobalSecondaryIndexes ?? [];
    const active = Table?.TableStatus === "ACTIVE" && indexes.every(({ IndexStatus }) => IndexStatus === "ACTIVE");
    return active && Table;
  });
}

const outputs = (table: TableDescription) => ({
  name: table.TableName,
  arn: table.TableArn,
  streamArn: table.LatestStreamArn ?? "",
  streamLabel: table.LatestStreamLabel ?? "",
});

/** The settings that have calls of their own. */
async function applyExtras(name: string, args: Args, old: Args | undefined, { clients, tags }: ProviderContext) {
  const changed = <T>(now: T, before: T) => !same(toWire(now), toWire(before));
  const { ttl } = args;
  if (changed(ttl, old?.ttl)) {
    // Switching off needs the attribute's name too.
    const AttributeName = ttl?.attributeName || old?.ttl?.attributeName;
    const Enabled = ttl !== undefined && ttl.enabled !== false;
    if (AttributeName && (Enabled || old?.ttl?.enabled !== false)) {
      await clients.dynamodb.updateTimeToLive({ TableName: name, TimeToLiveSpecification: { AttributeName, Enabled } });
    }
  }
  const recovery = args.pointInTimeRecovery?.enabled ?? false;
  if (recovery !== (old?.pointInTimeRecovery?.enabled ?? false)) {
    await clients.dynamodb.updateContinuousBackups({
      TableName: name,
      PointInTimeRecoverySpecification: {
        PointInTimeRecoveryEnabled: recovery,
        RecoveryPeriodInDays: args.pointInTimeRecovery?.recoveryPeriodInDays,
      },
    });
  }
  if (!old) return;
  const { set, remove } = tagChanges(old.tags, args.tags);
  if (Object.keys(set).length + remove.length === 0) return;
  const { Table } = await clients.dynamodb.describeTable({ TableName: name });
  if (Object.keys(set).length > 0) {
    await clients.dynamodb.tagResource({ ResourceArn: Table?.TableArn, Tags: tagList(tags(set)) });
  }
  if (remove.length > 0) await clients.dynamodb.untagResource({ ResourceArn: Table?.TableArn, TagKeys: remove });
}

/** AWS takes one index change per call, so each is a step of its own. */
function indexUpdates(args: Args, old: Args): GlobalSecondaryIndexUpdate[] {
  const before = new Map((old.globalSecondaryIndexes ?? []).map((index) => [index.name, index]));
  const now = new Map((args.globalSecondaryIndexes ?? []).map((index) => [index.name, index]));
  const gone = [...before.keys()].filter((name) => {
    const index = now.get(name);
    return !index || !same(toWire(index), toWire(before.get(name)));
  });
  const fresh = [...now.values()].filter(({ name }) => !before.has(name) || gone.includes(name));
  return [
    ...gone.map((IndexName) => ({ Delete: { IndexName } })),
    ...fresh.map((index) => ({ Create: globalIndex(index, args) as GlobalSecondaryIndexUpdate["Create"] })),
  ];
}

const table = resourceType<TableArgs, Table>({
  autoname: { property: "name", max: 255 },
  replaceOn: ["name", "hashKey", "rangeKey", "localSecondaryIndexes"],
  async create(args, context) {
    const { clients, tags } = context;
    for (const option of ["replicas", "importTable", "restoreSourceName", "restoreSourceTableArn"] as const) {
      if (args[option]) throw new InvalidInput(`${option} is not supported by the Sensorcast engine`);
    }
    const name = args.name!;
    await clients.dynamodb.createTable({
      TableName: name,
      AttributeDefinitions: attributes(args),
      KeySchema: keySchema(args.hashKey, args.rangeKey),
      BillingMode: (args.billingMode as "PROVISIONED") ?? "PROVISIONED",
      ...(provisioned(args) && throughput(args.readCapacity, args.writeCapacity)),
      GlobalSecondaryIndexes: args.globalSecondaryIndexes?.map((index) => globalIndex(index, args)),
      LocalSecondaryIndexes: args.localSecondaryIndexes?.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(args.hashKey, index.rangeKey),
        Projection: { ProjectionType: index.projectionType as "ALL", NonKeyAttributes: index.nonKeyAttributes },
      })),
      StreamSpecification: stream(args),
      SSESpecification: encryption(args),
      TableClass: args.tableClass as "STANDARD",
      DeletionProtectionEnabled: args.deletionProtectionEnabled,
      Tags: tagList(tags(args.tags)),
    });
    try {
      const description = await ready(name, context);
      await applyExtras(name, args, undefined, context);
      return { id: name, outputs: outputs(description) };
    } catch (error) {
      throw new PartlyCreated(name, error);
    }
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.dynamodb.describeTable({ TableName: id }));
    return found?.Table && { ...outputs(found.Table), hashKey: found.Table.KeySchema?.[0]?.AttributeName ?? "" };
  },
  async update(id, args, old, context) {
    const { dynamodb } = context.clients;
    const change = async (input: Omit<UpdateTableCommandInput, "TableName">) => {
      await dynamodb.updateTable({ TableName: id, ...input });
      await ready(id, context);
    };
    if (old.changed("billingMode", "readCapacity", "writeCapacity")) {
      await change({
        BillingMode: (args.billingMode as "PROVISIONED") ?? "PROVISIONED",
        ...(provisioned(args) && throughput(args.readCapacity, args.writeCapacity)),
      });
    }
    if (old.changed("streamEnabled", "streamViewType")) {
      // A stream's view type cannot be changed while it is on.
      if (old.inputs.streamEnabled) await change({ StreamSpecification: { StreamEnabled: false } });
      if (args.streamEnabled) await change({ StreamSpecification: stream(args) });
    }
    if (old.changed("deletionProtectionEnabled")) {
      await change({ DeletionProtectionEnabled: args.deletionProtectionEnabled ?? false });
    }
    if (old.changed("tableClass")) await change({ TableClass: (args.tableClass as "STANDARD") ?? "STANDARD" });
    if (old.changed("serverSideEncryption")) await change({ SSESpecification: encryption(args) ?? { Enabled: false } });
    for (const update of indexUpdates(args, old.inputs)) {
      await change({ AttributeDefinitions: attributes(args), GlobalSecondaryIndexUpdates: [update] });
    }
    await applyExtras(id, args, old.inputs, context);
    return outputs(await ready(id, context));
  },
  async delete(id, _known, { clients, timeout }) {
    await clients.dynamodb.deleteTable({ TableName: id });
    await waitFor(`the deletion of table ${id}`, timeout, async () => {
      return (await unlessGone(clients.dynamodb.describeTable({ TableName: id }))) === undefined;
    });
  },
});

const keyOf = (args: PlainArgs<TableItemArgs>) => {
  const item = JSON.parse(args.item) as Record<string, never>;
  const names = [args.hashKey, ...(args.rangeKey ? [args.rangeKey] : [])];
  return { item, key: Object.fromEntries(names.map((name) => [name, item[name]!])) };
};

const tableItem = resourceType<TableItemArgs, TableItem>({
  replaceOn: ["tableName", "hashKey", "rangeKey"],
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    const { item, key } = keyOf(args);
    await clients.dynamodb.putItem({ TableName: args.tableName, Item: item });
    return { id: [args.tableName, ...Object.values(key).map((value) => JSON.stringify(value))].join("|"), outputs: {} };
  },
  async update(_id, args, old, { clients }) {
    const { item, key } = keyOf(args);
    const before = keyOf(old.inputs).key;
    await clients.dynamodb.putItem({ TableName: args.tableName, Item: item });
    // An item with another key is another item: the old one would stay.
    if (!same(toWire(before), toWire(key)))
      await clients.dynamodb.deleteItem({ TableName: args.tableName, Key: before });
    return {};
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.dynamodb.deleteItem({ TableName: inputs.tableName, Key: keyOf(inputs).key });
  },
});

export const types = { "aws:dynamodb/table:Table": table, "aws:dynamodb/tableItem:TableItem": tableItem };
