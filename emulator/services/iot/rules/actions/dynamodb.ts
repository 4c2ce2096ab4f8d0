import type { TableItem } from "../../../../core/bus";
import { AwsError } from "../../../../core/errors";
import { toAttribute } from "../attributes";
import { defineAction, oneOf, required } from "./action";

const keyType = oneOf("STRING", "NUMBER");

const keyOf = (type: "STRING" | "NUMBER" | undefined, value: string) =>
  type === "NUMBER" ? { N: value } : { S: value };

const invalidOperation = (given: string) =>
  new AwsError("ValidationException", `The operation must be INSERT, UPDATE or DELETE, and is "${given}"`);

/** https://docs.aws.amazon.com/iot/latest/developerguide/dynamodb-rule-action.html */
export const dynamoDB = defineAction("dynamoDB", {
  title: "DynamoDBAction",
  attempt: "write the item",
  service: "AmazonDynamoDBv2",
  members: {
    tableName: required,
    roleArn: required,
    operation: {},
    hashKeyField: required,
    hashKeyValue: required,
    hashKeyType: keyType,
    rangeKeyField: {},
    rangeKeyValue: {},
    rangeKeyType: keyType,
    payloadField: {},
  },
  compile(config, { scope, bus, template }) {
    const field = (member: keyof typeof config, fallback?: string) => {
      const text = config[member] ?? fallback;
      return text === undefined ? undefined : template(text, member);
    };
    const fields = {
      table: field("tableName"),
      operation: field("operation", "INSERT"),
      hashKeyField: field("hashKeyField"),
      hashKeyValue: field("hashKeyValue"),
      rangeKeyField: field("rangeKeyField"),
      rangeKeyValue: field("rangeKeyValue"),
      payloadField: field("payloadField", "payload"),
    };
    return {
      resource: config.tableName ?? "",
      async prepare({ fill, payload, isJson }) {
        const get = async (name: keyof typeof fields) => {
          const template = fields[name];
          return template ? fill(template) : "";
        };
        const table = await get("table");
        const operation = await get("operation");
        const key: TableItem = {};
        key[await get("hashKeyField")] = keyOf(config.hashKeyType, await get("hashKeyValue"));
        if (fields.rangeKeyField) {
          key[await get("rangeKeyField")] = keyOf(config.rangeKeyType, await get("rangeKeyValue"));
        }
        const values = {
          [await get("payloadField")]: isJson ? toAttribute(payload.toString("utf8")) : { B: payload },
        };
        return {
          lane: `${table} ${JSON.stringify(key)}`,
          resource: table,
          detail: `Table: ${table}, Operation: ${operation}`,
          async send(by) {
            const port = bus.ready("dynamodb") ?? (await bus.to("dynamodb"));
            if (operation === "INSERT") await port.putItem(scope, table, { ...key, ...values }, by);
            else if (operation === "UPDATE") await port.updateItem(scope, table, key, values, by);
            else if (operation === "DELETE") await port.deleteItem(scope, table, key, by);
            else throw invalidOperation(operation);
          },
        };
      },
    };
  },
});
