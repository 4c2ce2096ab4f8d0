import type { MagneticStoreWriteProperties, RetentionProperties, Schema } from "@aws-sdk/client-timestream-write";
import { endsOf, limits } from "../../core/limits";
import { check, page, resourceName } from "./checks";
import { tableExists, validation } from "./errors";
import type { Store, WriteOperations } from "./store";
import { Table } from "./table";
import { setTags } from "./tags";

/** What a table has that names no retention (quotas). */
const usualRetention = { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 73_000 };
/** Partitioned by measure name, as before there were keys to choose (developer guide, "Customer-defined partition keys"). */
const usualSchema: Schema = { CompositePartitionKey: [{ Type: "MEASURE" }] };

function checkRetention(given: RetentionProperties | undefined): Required<RetentionProperties> {
  if (!given) return usualRetention;
  const { MemoryStoreRetentionPeriodInHours: hours, MagneticStoreRetentionPeriodInDays: days } = given;
  const at = "retentionProperties";
  check({
    [`${at}.memoryStoreRetentionPeriodInHours`]: [
      hours,
      { required: true, range: endsOf(limits.timestream.memoryRetention) },
    ],
    [`${at}.magneticStoreRetentionPeriodInDays`]: [
      days,
      { required: true, range: endsOf(limits.timestream.magneticRetention) },
    ],
  });
  return { MemoryStoreRetentionPeriodInHours: hours, MagneticStoreRetentionPeriodInDays: days };
}

function checkMagnetic(given: MagneticStoreWriteProperties | undefined): MagneticStoreWriteProperties {
  if (!given) return { EnableMagneticStoreWrites: false };
  const at = "magneticStoreWriteProperties";
  const s3 = given.MagneticStoreRejectedDataLocation?.S3Configuration;
  check({
    [`${at}.enableMagneticStoreWrites`]: [given.EnableMagneticStoreWrites, { required: true }],
    [`${at}.magneticStoreRejectedDataLocation.s3Configuration.bucketName`]: [s3?.BucketName, { length: [3, 63] }],
    [`${at}.magneticStoreRejectedDataLocation.s3Configuration.objectKeyPrefix`]: [
      s3?.ObjectKeyPrefix,
      { length: [1, 928] },
    ],
    [`${at}.magneticStoreRejectedDataLocation.s3Configuration.encryptionOption`]: [
      s3?.EncryptionOption,
      { oneOf: ["SSE_S3", "SSE_KMS"] },
    ],
  });
  return given;
}

function checkSchema(given: Schema | undefined): Schema {
  const keys = given?.CompositePartitionKey;
  if (!keys) return usualSchema;
  check({ "schema.compositePartitionKey": [keys, { length: [1, 1] }] });
  const [{ Type, Name, EnforcementInRecord } = { Type: undefined }] = keys;
  check({
    "schema.compositePartitionKey.1.member.type": [Type, { required: true, oneOf: ["DIMENSION", "MEASURE"] }],
    "schema.compositePartitionKey.1.member.name": [Name, { required: Type === "DIMENSION", length: [1, 2048] }],
    "schema.compositePartitionKey.1.member.enforcementInRecord": [
      EnforcementInRecord,
      { oneOf: ["REQUIRED", "OPTIONAL"] },
    ],
  });
  if (Type === "MEASURE" && (Name !== undefined || EnforcementInRecord !== undefined)) {
    throw validation("A partition key of type MEASURE has neither Name nor EnforcementInRecord.");
  }
  return {
    CompositePartitionKey: [
      { Type, Name, ...(Type === "DIMENSION" && { EnforcementInRecord: EnforcementInRecord ?? "OPTIONAL" }) },
    ],
  };
}

const names = (input: { DatabaseName: string | undefined; TableName: string | undefined }) =>
  check({ databaseName: [input.DatabaseName, resourceName], tableName: [input.TableName, resourceName] });

export const tableOperations = (store: Store): WriteOperations => ({
  CreateTable(input, context) {
    names(input);
    const retention = checkRetention(input.RetentionProperties);
    const magnetic = checkMagnetic(input.MagneticStoreWriteProperties);
    const schema = checkSchema(input.Schema);
    const database = store.database(context, input.DatabaseName!);
    const name = input.TableName!;
    if (database.tables.has(name)) throw tableExists(name);
    const table = new Table(context, database.name, name, retention, magnetic, schema, store.host.clock);
    setTags(table.tags, input.Tags ?? []);
    database.tables.set(name, table);
    return { Table: table.describe() };
  },

  DescribeTable(input, context) {
    names(input);
    return { Table: store.table(context, input.DatabaseName!, input.TableName!).describe() };
  },

  ListTables(input, context) {
    check({ databaseName: [input.DatabaseName, { ...resourceName, required: false }] });
    const databases = input.DatabaseName
      ? [store.database(context, input.DatabaseName)]
      : [...store.databases(context).values()];
    const tables = databases.flatMap(({ tables }) => [...tables.values()]);
    const { items, NextToken } = page(tables, ({ database, name }) => `${database}/${name}`, input);
    return { Tables: items.map((table) => table.describe()), NextToken };
  },

  UpdateTable(input, context) {
    names(input);
    const table = store.table(context, input.DatabaseName!, input.TableName!);
    const { RetentionProperties, MagneticStoreWriteProperties, Schema } = input;
    const retention = RetentionProperties && checkRetention(RetentionProperties);
    const magnetic = MagneticStoreWriteProperties && checkMagnetic(MagneticStoreWriteProperties);
    const schema = Schema && checkSchema(Schema);
    const [before] = table.schema.CompositePartitionKey ?? [];
    const [after] = schema?.CompositePartitionKey ?? [before];
    if (before?.Type !== after?.Type || before?.Name !== after?.Name) {
      throw validation("The partition key of a table cannot be changed; only its EnforcementInRecord can.");
    }
    table.retention = retention ?? table.retention;
    table.magnetic = magnetic ?? table.magnetic;
    table.schema = schema ?? table.schema;
    table.updated = store.host.clock.now();
    return { Table: table.describe() };
  },

  DeleteTable(input, context) {
    names(input);
    store.table(context, input.DatabaseName!, input.TableName!);
    store.database(context, input.DatabaseName!).tables.delete(input.TableName!);
    return {};
  },
});
