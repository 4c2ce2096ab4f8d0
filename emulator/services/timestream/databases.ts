import { formatArn } from "../../core/arn";
import { limits } from "../../core/limits";
import { check, page, resourceName } from "./checks";
import { databaseExists, databaseNotEmpty, tooMany } from "./errors";
import { Database, type Store, type WriteOperations } from "./store";
import { setTags } from "./tags";

const mostDatabases = limits.timestream.databases.value;

const described = ({ arn, name, tables, kmsKeyId, created, updated }: Database) => ({
  Arn: arn,
  DatabaseName: name,
  TableCount: tables.size,
  KmsKeyId: kmsKeyId,
  CreationTime: new Date(created),
  LastUpdatedTime: new Date(updated),
});

const kmsKey = { length: [1, 2048] } as const;

export const databaseOperations = (store: Store): WriteOperations => ({
  CreateDatabase({ DatabaseName: name, KmsKeyId, Tags }, context) {
    check({ databaseName: [name, resourceName], kmsKeyId: [KmsKeyId, kmsKey] });
    const databases = store.databases(context);
    if (databases.has(name!)) throw databaseExists(name!);
    if (databases.size >= mostDatabases) throw tooMany(`You can have at most ${mostDatabases} databases.`);
    // Without a key of the account's own it is one that Timestream makes (API reference, CreateDatabase).
    const key = KmsKeyId ?? formatArn("kms", context.region, context.account, "key/timestream");
    const database = new Database(context, name!, key, store.host.clock.now());
    setTags(database.tags, Tags ?? []);
    databases.set(name!, database);
    return { Database: described(database) };
  },

  DescribeDatabase({ DatabaseName: name }, context) {
    check({ databaseName: [name, resourceName] });
    return { Database: described(store.database(context, name!)) };
  },

  ListDatabases(input, context) {
    const { items, NextToken } = page([...store.databases(context).values()], ({ name }) => name, input);
    return { Databases: items.map(described), NextToken };
  },

  UpdateDatabase({ DatabaseName: name, KmsKeyId }, context) {
    check({ databaseName: [name, resourceName], kmsKeyId: [KmsKeyId, { required: true, ...kmsKey }] });
    const database = store.database(context, name!);
    database.kmsKeyId = KmsKeyId!;
    database.updated = store.host.clock.now();
    return { Database: described(database) };
  },

  DeleteDatabase({ DatabaseName: name }, context) {
    check({ databaseName: [name, resourceName] });
    if (store.database(context, name!).tables.size > 0) throw databaseNotEmpty(name!);
    store.databases(context).delete(name!);
    return {};
  },
});
