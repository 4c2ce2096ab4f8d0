import type {
  GlobalSecondaryIndexDescription,
  IndexStatus,
  ProvisionedThroughput,
  TableDescription,
  TableStatus,
} from "@aws-sdk/client-dynamodb";
import type { SecondaryIndex } from "./secondary-index";
import type { Table } from "./table";

/** What AWS shows for on-demand capacity: provisioned units are none, and this much is there at once. */
const onDemandWarm = { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000 };

const throughputOf = (throughput: ProvisionedThroughput | undefined) => ({
  NumberOfDecreasesToday: 0,
  ReadCapacityUnits: throughput?.ReadCapacityUnits ?? 0,
  WriteCapacityUnits: throughput?.WriteCapacityUnits ?? 0,
});

const warmOf = (table: Table, throughput: ProvisionedThroughput | undefined) => ({
  ...(table.settings.billing === "PAY_PER_REQUEST"
    ? onDemandWarm
    : {
        ReadUnitsPerSecond: throughput?.ReadCapacityUnits,
        WriteUnitsPerSecond: throughput?.WriteCapacityUnits,
      }),
  Status: "ACTIVE" as const,
});

const commonOf = (table: Table, index: SecondaryIndex) => ({
  IndexName: index.name,
  KeySchema: index.keys.attributes.map(({ name }, position) => ({
    AttributeName: name,
    KeyType: position === 0 ? ("HASH" as const) : ("RANGE" as const),
  })),
  Projection: index.projection,
  IndexSizeBytes: index.rows.size,
  ItemCount: index.rows.count,
  IndexArn: `${table.arn}/index/${index.name}`,
});

const globalOf = (table: Table, index: SecondaryIndex, status: IndexStatus): GlobalSecondaryIndexDescription => ({
  ...commonOf(table, index),
  IndexStatus: status,
  ProvisionedThroughput: throughputOf(index.throughput),
  WarmThroughput: warmOf(table, index.throughput),
});

/**
 * A table as its owner sees it. Counts and sizes are exact; AWS brings them up to date about every six hours.
 *
 * @param status what to say of the table: the answer to a change says that it goes on, although it is done already.
 * @param indexStatus the same for indexes, by their names.
 */
export function describe(
  table: Table,
  status: TableStatus = "ACTIVE",
  indexStatus: ReadonlyMap<string, IndexStatus> = new Map(),
): TableDescription {
  const { settings } = table;
  // A stream that was switched off is still the table's latest one.
  const label = settings.stream?.label ?? table.latestStreamLabel;
  const local = table.indexes.filter(({ global }) => !global);
  const global = table.indexes.filter((index) => index.global);
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: table.id,
    TableStatus: status,
    CreationDateTime: table.created,
    AttributeDefinitions: [...table.definitions],
    KeySchema: [...table.keySchema],
    ProvisionedThroughput: throughputOf(settings.throughput),
    BillingModeSummary:
      settings.billing === "PAY_PER_REQUEST" || settings.onDemandSince
        ? { BillingMode: settings.billing, LastUpdateToPayPerRequestDateTime: settings.onDemandSince }
        : undefined,
    OnDemandThroughput: settings.onDemandThroughput,
    WarmThroughput: warmOf(table, settings.throughput),
    TableClassSummary: settings.tableClass && { TableClass: settings.tableClass },
    TableSizeBytes: table.rows.size,
    ItemCount: table.rows.count,
    DeletionProtectionEnabled: settings.deletionProtection,
    SSEDescription: settings.encryption,
    StreamSpecification: settings.stream && {
      StreamEnabled: settings.stream.StreamEnabled,
      StreamViewType: settings.stream.StreamViewType,
    },
    LatestStreamLabel: label,
    LatestStreamArn: label && `${table.arn}/stream/${label}`,
    LocalSecondaryIndexes: local.length > 0 ? local.map((index) => commonOf(table, index)) : undefined,
    GlobalSecondaryIndexes:
      global.length > 0
        ? global.map((index) => globalOf(table, index, indexStatus.get(index.name) ?? "ACTIVE"))
        : undefined,
  };
}
