import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import type { EmulatorOptions } from "../../emulator";
import { settings, useEmulator } from "./emulator";

export type Item = Record<string, AttributeValue>;

/** What AWS answers for a refusal: the error's name and its exact words. */
export const refusal = (name: string, message: string | RegExp) =>
  expect.objectContaining({
    name,
    message: typeof message === "string" ? message : expect.stringMatching(message),
  });

/** A ValidationException with these words. */
export const invalid = (message: string | RegExp) => refusal("ValidationException", message);

/** `pk` of type S, and `sk` of the given type if there is one. */
export const keyed = (sortType?: "S" | "N" | "B"): Omit<CreateTableCommandInput, "TableName"> => ({
  BillingMode: "PAY_PER_REQUEST",
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    ...(sortType ? [{ AttributeName: "sk", KeyType: "RANGE" as const }] : []),
  ],
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    ...(sortType ? [{ AttributeName: "sk", AttributeType: sortType }] : []),
  ],
});

/** Makes a table on demand with a text for each part of its key. */
export async function createTable(client: DynamoDBClient, TableName: string, ...keys: string[]): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? "HASH" : "RANGE" })),
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    }),
  );
}

/** The key of {@link sample}, in a table of {@link keyed} without a sort key. */
export const key: Item = { pk: { S: "1" } };

/** An item with an attribute of each kind. */
export const sample: Item = {
  ...key,
  n: { N: "5" },
  s: { S: "hello" },
  b: { B: new Uint8Array([1, 2, 3]) },
  t: { BOOL: true },
  z: { NULL: true },
  ss: { SS: ["a", "b"] },
  ns: { NS: ["1", "2"] },
  l: { L: [{ S: "zero" }, { N: "1" }, { M: { x: { S: "y" } } }] },
  m: { M: { core: { N: "7" }, "dotted.name": { S: "d" } } },
};

let tableCounter = 0;

/** An emulator with DynamoDB for one test file, and short ways to make tables and items. Read it inside tests only. */
export function useDynamo(options: EmulatorOptions = {}) {
  const emulator = useEmulator(options);
  let client: DynamoDBClient | undefined;
  let patient: DynamoDBClient | undefined;
  const dynamo = {
    get emulator() {
      return emulator.current;
    },
    get client(): DynamoDBClient {
      client ??= new DynamoDBClient(settings(emulator.current));
      return client;
    },
    /** Makes a table and gives its name. */
    async table(definition: Omit<CreateTableCommandInput, "TableName"> = keyed()): Promise<string> {
      const TableName = `table-${++tableCounter}`;
      await dynamo.client.send(new CreateTableCommand({ TableName, ...definition }));
      return TableName;
    },
    /** Puts items; what one partition key does not take in this second, as soon as it does. */
    async put(TableName: string, ...items: Item[]): Promise<void> {
      patient ??= new DynamoDBClient(settings(emulator.current, { maxAttempts: 10 }));
      for (const Item of items) await patient.send(new PutItemCommand({ TableName, Item }));
    },
  };
  return dynamo;
}
