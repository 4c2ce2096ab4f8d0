import type {
  Database as ApiDatabase,
  Table as ApiTable,
  MagneticStoreWriteProperties,
  PartitionKey,
  PartitionKeyEnforcementLevel,
  PartitionKeyType,
  S3EncryptionOption,
  Schema,
} from "@aws-sdk/client-timestream-write";
import type { Database, DatabaseArgs, Table, TableArgs } from "@pulumi/aws/timestreamwrite";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type Tags = Record<string, string> | undefined;

async function applyTags(
  ResourceARN: string | undefined,
  before: Tags,
  now: Tags,
  { clients, tags }: ProviderContext,
): Promise<void> {
  const { set, remove } = tagChanges(tags(before), tags(now));
  const Tags = tagList(set);
  if (Tags) await clients.timestream.tagResource({ ResourceARN, Tags });
  if (remove.length > 0) await clients.timestream.untagResource({ ResourceARN, TagKeys: remove });
}

const databaseOutputs = ({ Arn, DatabaseName, KmsKeyId, TableCount }: ApiDatabase) => ({
  ...{ arn: Arn, databaseName: DatabaseName, kmsKeyId: KmsKeyId, tableCount: TableCount },
});

const database = resourceType<DatabaseArgs, Database>({
  replaceOn: ["databaseName"],
  async create(args, { clients, tags }) {
    const DatabaseName = args.databaseName;
    const { Database } = await clients.timestream.createDatabase({
      ...{ DatabaseName, KmsKeyId: args.kmsKeyId, Tags: tagList(tags(args.tags)) },
    });
    return { id: DatabaseName, outputs: databaseOutputs(Database!) };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.timestream.describeDatabase({ DatabaseName: id }));
    return found?.Database && databaseOutputs(found.Database);
  },
  async update(id, { kmsKeyId, tags }, old, context) {
    if (kmsKeyId !== undefined && kmsKeyId !== old.outputs.kmsKeyId) {
      await context.clients.timestream.updateDatabase({ DatabaseName: id, KmsKeyId: kmsKeyId });
    }
    await applyTags(old.outputs.arn, old.inputs.tags, tags, context);
  },
  async delete(id, _known, { clients }) {
    await clients.timestream.deleteDatabase({ DatabaseName: id });
  },
});

type Settings = PlainArgs<TableArgs>;

function magneticOf(given: Settings["magneticStoreWriteProperties"]): MagneticStoreWriteProperties | undefined {
  if (!given) return undefined;
  const s3 = given.magneticStoreRejectedDataLocation?.s3Configuration;
  return {
    EnableMagneticStoreWrites: given.enableMagneticStoreWrites ?? false,
    ...(s3 && {
      MagneticStoreRejectedDataLocation: {
        S3Configuration: {
          BucketName: s3.bucketName,
          ObjectKeyPrefix: s3.objectKeyPrefix,
          EncryptionOption: s3.encryptionOption as S3EncryptionOption | undefined,
          KmsKeyId: s3.kmsKeyId,
        },
      },
    }),
  };
}

function schemaOf(given: Settings["schema"]): Schema | undefined {
  const key = given?.compositePartitionKey;
  if (!key) return undefined;
  const partition: PartitionKey = {
    Type: key.type as PartitionKeyType,
    Name: key.name,
    EnforcementInRecord: key.enforcementInRecord as PartitionKeyEnforcementLevel | undefined,
  };
  return { CompositePartitionKey: [partition] };
}

/** What a table can be changed to. */
const settingsOf = ({ retentionProperties: retention, magneticStoreWriteProperties, schema }: Settings) => ({
  RetentionProperties: retention && {
    MemoryStoreRetentionPeriodInHours: retention.memoryStoreRetentionPeriodInHours,
    MagneticStoreRetentionPeriodInDays: retention.magneticStoreRetentionPeriodInDays,
  },
  MagneticStoreWriteProperties: magneticOf(magneticStoreWriteProperties),
  Schema: schemaOf(schema),
});

function tableOutputs(table: ApiTable) {
  const { RetentionProperties: retention, MagneticStoreWriteProperties: magnetic, Schema: schema } = table;
  const s3 = magnetic?.MagneticStoreRejectedDataLocation?.S3Configuration;
  const [key] = schema?.CompositePartitionKey ?? [];
  return {
    ...{ arn: table.Arn, databaseName: table.DatabaseName, tableName: table.TableName },
    retentionProperties: {
      memoryStoreRetentionPeriodInHours: retention!.MemoryStoreRetentionPeriodInHours!,
      magneticStoreRetentionPeriodInDays: retention!.MagneticStoreRetentionPeriodInDays!,
    },
    magneticStoreWriteProperties: {
      enableMagneticStoreWrites: magnetic?.EnableMagneticStoreWrites ?? false,
      ...(s3 && {
        magneticStoreRejectedDataLocation: {
          s3Configuration: {
            bucketName: s3.BucketName,
            objectKeyPrefix: s3.ObjectKeyPrefix,
            encryptionOption: s3.EncryptionOption,
            kmsKeyId: s3.KmsKeyId,
          },
        },
      }),
    },
    schema: {
      compositePartitionKey: {
        type: key?.Type ?? "MEASURE",
        name: key?.Name,
        enforcementInRecord: key?.EnforcementInRecord,
      },
    },
  };
}

/** The Pulumi provider's id of a table: `table:database`. */
function namesOf(id: string): { TableName: string; DatabaseName: string } {
  const [TableName = "", DatabaseName = ""] = id.split(":");
  return { TableName, DatabaseName };
}

const table = resourceType<TableArgs, Table>({
  replaceOn: ["databaseName", "tableName", "schema.compositePartitionKey.type", "schema.compositePartitionKey.name"],
  async create(args, { clients, tags }) {
    const { databaseName, tableName } = args;
    const { Table } = await clients.timestream.createTable({
      ...{ DatabaseName: databaseName, TableName: tableName, Tags: tagList(tags(args.tags)) },
      ...settingsOf(args),
    });
    return { id: `${tableName}:${databaseName}`, outputs: tableOutputs(Table!) };
  },
  async read(id, { clients }) {
    const found = await unlessGone(clients.timestream.describeTable(namesOf(id)));
    return found?.Table && tableOutputs(found.Table);
  },
  async update(id, args, old, context) {
    if (old.changed("retentionProperties", "magneticStoreWriteProperties", "schema")) {
      await context.clients.timestream.updateTable({ ...namesOf(id), ...settingsOf(args) });
    }
    await applyTags(old.outputs.arn, old.inputs.tags, args.tags, context);
  },
  async delete(id, _known, { clients }) {
    await clients.timestream.deleteTable(namesOf(id));
  },
});

export const types = {
  "aws:timestreamwrite/database:Database": database,
  "aws:timestreamwrite/table:Table": table,
};
