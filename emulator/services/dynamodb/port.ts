import type { Ports } from "../../core/bus";
import type { PortCaller } from "../../core/service-caller";
import { readUnits } from "./capacity";
import { accessDenied } from "./errors";
import type { Database } from "./state";
import type { Table } from "./table";
import { checkItem } from "./validation";
import { admit, commit, type PreparedWrite, prepareDelete, preparePut, prepareUpdate } from "./writes";

const run = (write: PreparedWrite): void => {
  const outcome = write.outcome(write.blind ? undefined : write.table.get(write.key));
  admit(write, outcome);
  commit(write, outcome);
};

const demand = ({ host }: Database, by: PortCaller | undefined, action: string, table: Table) =>
  host.bus.access.demand(by, { action, resource: table.arn, policy: table.policy?.text }, accessDenied);

/** What IoT rules do with tables. */
export const dynamodbPort = (database: Database): Ports["dynamodb"] => ({
  async getItem(scope, TableName, key, by) {
    const table = database.table(TableName, scope);
    demand(database, by, "dynamodb:GetItem", table);
    checkItem(key);
    const place = table.keys.keyOf(key);
    const throughput = table.throughputOf();
    throughput.admit("Read", place.hash);
    const row = table.get(place);
    throughput.use("Read", readUnits(row?.size ?? 0, false), place.hash);
    return row?.item;
  },

  async putItem(scope, TableName, Item, by) {
    demand(database, by, "dynamodb:PutItem", database.table(TableName, scope));
    run(preparePut(database, { TableName, Item }, scope));
  },

  async updateItem(scope, TableName, Key, values, by) {
    demand(database, by, "dynamodb:UpdateItem", database.table(TableName, scope));
    const AttributeUpdates = Object.fromEntries(
      Object.entries(values).map(([name, Value]) => [name, { Action: "PUT" as const, Value }]),
    );
    run(prepareUpdate(database, { TableName, Key, AttributeUpdates }, scope));
  },

  async deleteItem(scope, TableName, Key, by) {
    demand(database, by, "dynamodb:DeleteItem", database.table(TableName, scope));
    run(prepareDelete(database, { TableName, Key }, scope));
  },
});
