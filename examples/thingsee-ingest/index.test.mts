import assert from "node:assert/strict";
import { test } from "node:test";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { startStack } from "sensorcast/testing";

interface Outputs {
  url: string;
  apiKey: string;
  tableName: string;
}

test("a reading is in the table with its room; a battery report is not; and neither is lost to a throttled table", async () => {
  await using stack = await startStack<Outputs>({ program: import.meta.dirname });
  const { url, apiKey, tableName } = stack.outputs;
  stack.faults.inject({ fault: "throttle", service: "dynamodb", operation: "BatchWriteItem", count: 1 });

  const common = { tsmEv: 10, tsmTs: 1520416221, tsmTuid: "TSPR04E2O90201558" };
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": apiKey },
    body: JSON.stringify([
      { ...common, tsmId: 12100, temp: 21.3 },
      { ...common, tsmId: 1110, batl: 83 },
    ]),
  });
  assert.deepEqual(await answer.json(), { status: "ok", accepted: 2, rejected: 0 });

  const { Items = [] } = await stack.client(DynamoDBClient).send(new ScanCommand({ TableName: tableName }));
  assert.equal(Items.length, 1);
  assert.equal(Items[0]!.data!.M!.room!.S, "lobby");
  assert.equal(stack.denialReport(), "");
});
