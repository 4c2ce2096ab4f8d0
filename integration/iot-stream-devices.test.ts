import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { Devices } from "./harness/devices";
import { settings } from "./harness/emulator";

interface Outputs {
  endpoint: string;
  devices: Record<string, { certificate: string; privateKey: string }>;
  streamName: string;
  tableName: string;
  deadLetterQueueUrl: string;
}

const deployed = useDeployed<Outputs>("iot-fleet");
let all: Devices | undefined;
const devices = () => {
  all ??= new Devices(deployed.current.emulator);
  return all;
};
afterAll(() => all?.close());

const connect = (name: string, clientId = name) => {
  const { certificate: cert, privateKey: key } = deployed.current.outputs.devices[name]!;
  return devices().connect({ cert, key }, { clientId });
};

async function items(ident: string) {
  const { Items = [] } = await new DynamoDBClient(settings(deployed.current.emulator)).send(
    new QueryCommand({
      TableName: deployed.current.outputs.tableName,
      KeyConditionExpression: "ident = :ident",
      ExpressionAttributeValues: { ":ident": { S: ident } },
    }),
  );
  return Items;
}

test("a device's messages get to the table, in order", async () => {
  const device = await connect("sensor-1");
  for (let n = 0; n < 20; n++)
    await device.publishAsync("devices/sensor-1/telemetry", JSON.stringify({ n }), { qos: 1 });
  await expect.poll(() => items("sensor-1"), { timeout: 10_000 }).toHaveLength(20);
  const found = await items("sensor-1");
  expect(found.map(({ data }) => Number(data!.M!.n!.N))).toEqual(Array.from({ length: 20 }, (_, n) => n));
});
