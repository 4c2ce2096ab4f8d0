import { DescribeContinuousBackupsCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";

const deployed = useDeployed<{ url: string; apiKey: string; tableName: string }>("thingsee-changing");

const post = async (url: string, key = "") => {
  const body = '{"tsmId":1110,"tsmEv":10,"tsmTs":1520416221,"tsmTuid":"TSPR04E2O90201558"}';
  return (await fetch(url, { method: "POST", body, headers: key ? { "x-api-key": key } : {} })).status;
};

test("one new, without arguments, deploys an ingest that takes messages with the generated key only", async () => {
  const { outputs, stack, emulator } = deployed.current;
  const { url, apiKey, tableName: TableName } = outputs;
  expect(url).toMatch(/\/prod\/thingsee$/);
  expect(stack.outputs.apiKey!.secret).toBe(true);
  expect(await post(url)).toBe(403);
  expect(await post(url, apiKey)).toBe(200);
  const { ContinuousBackupsDescription } = await new DynamoDBClient(settings(emulator)).send(
    new DescribeContinuousBackupsCommand({ TableName }),
  );
  expect(ContinuousBackupsDescription!.PointInTimeRecoveryDescription!.PointInTimeRecoveryStatus).toBe("ENABLED");
});

test("a change of the API takes effect with the next deployment, and the messages stay", async () => {
  const { outputs, emulator } = deployed.current;
  const key = "a-key-that-comes-later";
  const stack = await deployed.current.stack.update({ config: { key } });
  const url = String(stack.outputs.url!.value);
  expect(url).toMatch(/\/prod\/sensors\/thingsee$/);
  expect(await post(outputs.url, key)).toBe(403);
  expect(await post(url, outputs.apiKey)).toBe(403);
  expect(await post(url, key)).toBe(200);
  const { Count } = await new DynamoDBClient(settings(emulator)).send(
    new ScanCommand({ TableName: String(stack.outputs.tableName!.value) }),
  );
  expect(Count).toBe(1);
});
