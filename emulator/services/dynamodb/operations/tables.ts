import { randomUUID } from "node:crypto";
import type { CreateTableCommandInput, IndexStatus } from "@aws-sdk/client-dynamodb";
import { notEmulated } from "../../../core/errors";
import type { Scope } from "../../../core/service";
import { checkDefinition, onDemandLimits } from "../definition";
import { describe } from "../description";
import { tableExists, tableNotFound, validation } from "../errors";
import type { DynamoOperations } from "../requests";
import type { Database } from "../state";
import { Table } from "../table";
import { addIndex, encryptionOf, streamOf } from "../table-parts";
import { atLeast, atMost, constrain, length, namePattern, pattern } from "../validation";
import { addTags } from "./tags";
import { updateTable } from "./update-table";

const listLimit = 100;

/** What tables there are. A table is ready as soon as the request that makes or changes it is answered. */
export const tableOperations = (database: Database): DynamoOperations => ({
  CreateTable: (input, context) => {
    checkDefinition(input);
    if (input.GlobalTableSourceArn || input.GlobalTableSettingsReplicationMode) {
      throw notEmulated("dynamodb", "CreateTable", "replicas of global tables");
    }
    const { tables } = database.regions.of(context);
    if (tables.has(input.TableName!)) throw tableExists(input.TableName!);
    const table = create(input, context, database);
    tables.set(table.name, table);
    database.streams.follow(table);
    const indexes = (input.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => [IndexName!, "CREATING"] as const);
    return { TableDescription: describe(table, "CREATING", new Map<string, IndexStatus>(indexes)) };
  },

  DescribeTable: (input, context) => ({ Table: describe(database.table(input.TableName, context, tableNotFound)) }),

  UpdateTable: (input, context) => {
    const table = database.table(input.TableName, context, tableNotFound);
    const TableDescription = updateTable(table, input, new Date(database.now()));
    database.streams.follow(table);
    return { TableDescription };
  },

  DeleteTable: (input, context) => {
    const table = database.table(input.TableName, context, tableNotFound);
    if (table.settings.deletionProtection) {
      throw validation(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
      );
    }
    table.close();
    database.streams.end(table);
    database.regions.of(table.scope).tables.delete(table.name);
    const { TableName, TableArn, TableId, ItemCount, TableSizeBytes, ProvisionedThroughput, BillingModeSummary } =
      describe(table);
    return {
      TableDescription: {
        TableName,
        TableArn,
        TableId,
        ItemCount,
        TableSizeBytes,
        ProvisionedThroughput,
        BillingModeSummary,
        TableStatus: "DELETING",
        DeletionProtectionEnabled: false,
      },
    };
  },

  ListTables: (input, context) => {
    const { ExclusiveStartTableName: start, Limit: limit = listLimit } = input;
    constrain(
      ["exclusiveStartTableName", start, length(3, 255), pattern(namePattern)],
      ["limit", input.Limit, atLeast(1), atMost(listLimit)],
    );
    const names = [...database.regions.of(context).tables.keys()].sort().filter((name) => !start || name > start);
    const TableNames = names.slice(0, limit);
    return { TableNames, LastEvaluatedTableName: names.length > limit ? TableNames.at(-1) : undefined };
  },
});

function create(input: CreateTableCommandInput, scope: Scope, database: Database): Table {
  const now = new Date(database.now());
  const onDemand = input.BillingMode === "PAY_PER_REQUEST";
  const table = new Table(
    input.TableName!,
    { account: scope.account, region: scope.region },
    now,
    input.KeySchema!,
    input.AttributeDefinitions!,
    {
      billing: onDemand ? "PAY_PER_REQUEST" : "PROVISIONED",
      onDemandSince: onDemand ? now : undefined,
      throughput: input.ProvisionedThroughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
      onDemandThroughput: onDemandLimits(input.OnDemandThroughput),
      tableClass: input.TableClass,
      deletionProtection: input.DeletionProtectionEnabled ?? false,
      encryption: encryptionOf(input.SSESpecification, scope),
      stream: streamOf(input.StreamSpecification, now),
    },
    () => database.now(),
  );
  for (const index of input.LocalSecondaryIndexes ?? []) addIndex(table, index, false);
  for (const index of input.GlobalSecondaryIndexes ?? []) addIndex(table, index, true);
  addTags(table, input.Tags ?? []);
  if (input.ResourcePolicy !== undefined) table.policy = { text: input.ResourcePolicy, revision: randomUUID() };
  return table;
}
