import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";

const deployed = useDeployed<{ url: string; tableName: string }>("thingsee-changing");

const post = async (url: string, headers: Record<string, string> = {}) => {
  const body = '{"tsmId":1110,"tsmEv":10,"tsmTs":1520416221,"tsmTuid":"TSPR04E2O90201558"}';
  return (await fetch(url, { method: "POST", body, headers })).status;
};

test("a change of the API takes effect with the next deployment, and the messages stay", async () => {
  const { outputs, emulator } = deployed.current;
  expect(await post(outputs.url)).toBe(200);

  const key = "a-key-that-comes-later";
  const stack = await deployed.current.stack.update({ config: { key, path: "sensors/thingsee" } });
  const url = String(stack.outputs.url!.value);
  expect(url).toMatch(/\/prod\/sensors\/thingsee$/);
  expect(await post(outputs.url, { "x-api-key": key })).toBe(403);
  expect(await post(url)).toBe(403);
  expect(await post(url, { "x-api-key": key })).toBe(200);

  const { Count } = await new DynamoDBClient(settings(emulator)).send(
    new ScanCommand({ TableName: String(stack.outputs.tableName!.value) }),
  );
  expect(Count).toBe(1);
});
