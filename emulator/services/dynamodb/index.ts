import { defineService } from "../../core/service";
import { access } from "./access";
import { batchOperations } from "./operations/batch";
import { itemOperations } from "./operations/items";
import { queryOperations } from "./operations/query";
import { settingOperations } from "./operations/settings";
import { tableOperations } from "./operations/tables";
import { tagOperations } from "./operations/tags";
import { transactionOperations } from "./operations/transactions";
import { dynamodbPort } from "./port";
import type { DynamoSdk } from "./requests";
import { Database } from "./state";

/**
 * DynamoDB: tables, indexes, items, expressions, transactions and time to live.
 *
 * Not emulated, and answered with 501: PartiQL, backups and restores, exports and imports, global tables, Kinesis
 * destinations.
 */
export const definition = defineService<DynamoSdk>({
  sdk: () => require("@aws-sdk/client-dynamodb"),
  client: "DynamoDBClient",
  create(host) {
    const database = new Database(host);
    return {
      operations: {
        ...tableOperations(database),
        ...settingOperations(database),
        ...tagOperations(database),
        ...itemOperations(database),
        ...queryOperations(database),
        ...batchOperations(database),
        ...transactionOperations(database),
      },
      access: access(database),
      ports: { dynamodb: dynamodbPort(database), dynamodbStreams: database.streams.port },
      counts(arn) {
        const table = database.find(arn);
        return table && { items: table.rows.count };
      },
      reset: () => database.reset(),
    };
  },
});
