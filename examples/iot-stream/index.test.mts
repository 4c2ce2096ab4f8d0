import assert from "node:assert/strict";
import { test } from "node:test";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { connectAsync } from "mqtt";
import { startStack } from "sensorcast/testing";

interface Outputs {
  endpoint: string;
  tableName: string;
  certificate: string;
  privateKey: string;
}

test("what a device publishes is in the table", async () => {
  await using stack = await startStack<Outputs>({ program: import.meta.dirname });
  const { endpoint, tableName, certificate: cert, privateKey: key } = stack.outputs;
  const [host, port] = endpoint.split(":");
  const ca = await (await fetch(`${stack.emulator.endpoint}/_aws/iot/ca.pem`)).text();

  const device = await connectAsync({
    protocol: "mqtts",
    host,
    port: Number(port),
    ca,
    cert,
    key,
    clientId: "sensor-1",
  });
  await device.publishAsync("devices/sensor-1/telemetry", '{"temp":21.3}', { qos: 1 });
  await device.endAsync();
  await stack.clock.idle();

  const { Items = [] } = await stack.client(DynamoDBClient).send(new ScanCommand({ TableName: tableName }));
  assert.equal(Items.length, 1);
  assert.equal(Items[0]!.ident!.S, "sensor-1");
  assert.equal(Items[0]!.data!.M!.temp!.N, "21.3");
});
