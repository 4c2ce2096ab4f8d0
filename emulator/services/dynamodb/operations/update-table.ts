import type {
  AttributeDefinition,
  GlobalSecondaryIndexUpdate,
  IndexStatus,
  TableDescription,
  UpdateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import { AwsError, notEmulated } from "../../../core/errors";
import {
  billingModes,
  checkGlobalCount,
  checkGlobalIndex,
  definitionConstraints,
  onDemandLimits,
  throughputConstraints,
} from "../definition";
import { describe } from "../description";
import { invalidParameter, resourceNotFound, validation } from "../errors";
import type { Table, TableSettings } from "../table";
import { addIndex, encryptionOf, streamOf } from "../table-parts";
import { constrain, oneOf } from "../validation";

/** Changes the settings and indexes of a table: everything is checked first, so that a refusal changes nothing. */
export function updateTable(table: Table, input: UpdateTableCommandInput, now: Date): TableDescription {
  if (input.ReplicaUpdates || input.MultiRegionConsistency || input.GlobalTableWitnessUpdates) {
    throw notEmulated("dynamodb", "UpdateTable", "replicas of global tables");
  }
  constrain(
    ["billingMode", input.BillingMode, billingModes],
    ["tableClass", input.TableClass, oneOf("STANDARD", "STANDARD_INFREQUENT_ACCESS")],
    ...throughputConstraints("provisionedThroughput", input.ProvisionedThroughput),
    ...definitionConstraints(input.AttributeDefinitions ?? []),
  );
  const updates = input.GlobalSecondaryIndexUpdates ?? [];
  checkSomething(input, updates);
  const settings = changed(table, input, now);
  const definitions = mergedDefinitions(table, input.AttributeDefinitions ?? []);
  checkIndexUpdates(table, updates, definitions, settings);

  table.settings = settings;
  table.definitions = definitions;
  const status = new Map<string, IndexStatus>();
  for (const update of updates) applyIndexUpdate(table, update, status);
  // Throughput of indexes goes with the billing mode of their table.
  if (settings.billing === "PAY_PER_REQUEST") for (const index of table.indexes) index.throughput = undefined;
  const before = describe(table, "UPDATING", status);
  for (const [name, state] of status) {
    if (state === "DELETING")
      table.indexes.splice(
        table.indexes.findIndex((index) => index.name === name),
        1,
      );
  }
  const used = new Set(
    [table.keys, ...table.indexes.map(({ keys }) => keys)].flatMap(({ attributes }) =>
      attributes.map(({ name }) => name),
    ),
  );
  table.definitions = definitions.filter(({ AttributeName }) => used.has(AttributeName!));
  return before;
}

function checkSomething(input: UpdateTableCommandInput, updates: readonly GlobalSecondaryIndexUpdate[]): void {
  const { TableName: _, AttributeDefinitions: __, GlobalSecondaryIndexUpdates: ___, ...rest } = input;
  if (updates.length > 0 || Object.values(rest).some((value) => value !== undefined)) return;
  throw validation(
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or " +
      "SSESpecification or ReplicaUpdates is required",
  );
}

function changed(table: Table, input: UpdateTableCommandInput, now: Date): TableSettings {
  const settings = { ...table.settings };
  const { ProvisionedThroughput: throughput, StreamSpecification: stream } = input;
  const billing = input.BillingMode ?? settings.billing;
  if (billing === "PAY_PER_REQUEST") {
    if (throughput) {
      throw invalidParameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
      );
    }
    if (settings.billing !== billing) settings.onDemandSince = now;
    settings.throughput = { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };
  } else if (throughput) {
    if (settings.billing === billing && !input.BillingMode) checkThroughputChanges(table, input);
    settings.throughput = throughput;
  } else if (settings.billing !== billing) {
    throw invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  }
  settings.billing = billing;
  if (stream) {
    if (stream.StreamEnabled && settings.stream) {
      throw validation(`Table already has an enabled stream: TableName: ${table.name}`);
    }
    if (stream.StreamEnabled === false && !settings.stream) {
      throw validation(`Table is already without a stream: TableName: ${table.name}`);
    }
    settings.stream = streamOf(stream, now);
  }
  if (input.SSESpecification) settings.encryption = encryptionOf(input.SSESpecification, table.scope);
  if (input.OnDemandThroughput) settings.onDemandThroughput = onDemandLimits(input.OnDemandThroughput);
  settings.tableClass = input.TableClass ?? settings.tableClass;
  settings.deletionProtection = input.DeletionProtectionEnabled ?? settings.deletionProtection;
  return settings;
}

function checkThroughputChanges(table: Table, { ProvisionedThroughput: wanted }: UpdateTableCommandInput): void {
  const { ReadCapacityUnits: reads, WriteCapacityUnits: writes } = table.settings.throughput;
  if (reads !== wanted!.ReadCapacityUnits || writes !== wanted!.WriteCapacityUnits) return;
  throw validation(
    "The provisioned throughput for the table will not change. The requested value equals the current value. " +
      `Current ReadCapacityUnits provisioned for the table: ${reads}. Requested ReadCapacityUnits: ${reads}. ` +
      `Current WriteCapacityUnits provisioned for the table: ${writes}. Requested WriteCapacityUnits: ${writes}. ` +
      "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
  );
}

function mergedDefinitions(table: Table, given: readonly AttributeDefinition[]): AttributeDefinition[] {
  const merged = new Map(table.definitions.map((definition) => [definition.AttributeName!, definition]));
  for (const definition of given) {
    const known = merged.get(definition.AttributeName!);
    if (known && known.AttributeType !== definition.AttributeType) {
      throw invalidParameter(`Cannot change the type of attribute ${definition.AttributeName} that is part of a key`);
    }
    merged.set(definition.AttributeName!, definition);
  }
  return [...merged.values()];
}

function checkIndexUpdates(
  table: Table,
  updates: readonly GlobalSecondaryIndexUpdate[],
  definitions: readonly AttributeDefinition[],
  settings: TableSettings,
): void {
  const names = new Set(table.indexes.map(({ name }) => name));
  const named = new Set<string>();
  for (const { Create, Update, Delete } of updates) {
    const name = (Create ?? Update ?? Delete)?.IndexName;
    if (!Create && !Update && !Delete) {
      throw invalidParameter(
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, " +
          "GlobalSecondaryIndexUpdate.Delete must not be null",
      );
    }
    if (named.has(name!)) {
      throw invalidParameter(
        `Only one global secondary index update per index is allowed simultaneously. Index: ${name}`,
      );
    }
    named.add(name!);
    if (Create) checkGlobalIndex(Create, definitions, names, settings.billing === "PAY_PER_REQUEST");
    else if (!table.index(name!)?.global) throw resourceNotFound(`Index: ${name} not found for table: ${table.name}`);
    constrain(...throughputConstraints("provisionedThroughput", Update?.ProvisionedThroughput));
  }
  checkGlobalCount(table.indexes.filter(({ global }) => global).length + updates.filter(({ Create }) => Create).length);
  // AWS builds or drops one index at a time (developer guide, "Managing global secondary indexes").
  if (updates.filter(({ Create, Delete }) => Create || Delete).length > 1) {
    throw new AwsError(
      "LimitExceededException",
      "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    );
  }
}

function applyIndexUpdate(
  table: Table,
  { Create, Update, Delete }: GlobalSecondaryIndexUpdate,
  status: Map<string, IndexStatus>,
): void {
  if (Create) {
    addIndex(table, Create, true);
    status.set(Create.IndexName!, "CREATING");
  }
  if (Update) {
    table.index(Update.IndexName!)!.throughput = Update.ProvisionedThroughput;
    status.set(Update.IndexName!, "UPDATING");
  }
  if (Delete) status.set(Delete.IndexName!, "DELETING");
}
