import type { Ports } from "../../core/bus";
import type { Database } from "./state";
import { checkItem } from "./validation";
import { commit, type PreparedWrite, prepareDelete, preparePut, prepareUpdate } from "./writes";

const run = (write: PreparedWrite): void => {
  commit(write, write.outcome(write.blind ? undefined : write.table.get(write.key)));
};

/** What IoT rules do with tables. */
export const dynamodbPort = (database: Database): Ports["dynamodb"] => ({
  async getItem(scope, TableName, key) {
    checkItem(key);
    const table = database.table(TableName, scope);
    return table.get(table.keys.keyOf(key))?.item;
  },

  async putItem(scope, TableName, Item) {
    run(preparePut(database, { TableName, Item }, scope));
  },

  async updateItem(scope, TableName, Key, values) {
    const AttributeUpdates = Object.fromEntries(
      Object.entries(values).map(([name, Value]) => [name, { Action: "PUT" as const, Value }]),
    );
    run(prepareUpdate(database, { TableName, Key, AttributeUpdates }, scope));
  },

  async deleteItem(scope, TableName, Key) {
    run(prepareDelete(database, { TableName, Key }, scope));
  },
});
