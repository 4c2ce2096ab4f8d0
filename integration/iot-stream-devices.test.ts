import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { Devices, suback } from "./harness/devices";
import { settings } from "./harness/emulator";
import { drain } from "./harness/queues";
import { openSocket } from "./harness/sockets";

interface Outputs {
  endpoint: string;
  devices: Record<string, { certificate: string; privateKey: string }>;
  liveUrl: string;
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

test("a device's messages get to the table in order, and to the browser that subscribed to the device", async () => {
  const browser = await openSocket(deployed.current.outputs.liveUrl);
  await browser.ask({ action: "subscribe", devices: ["sensor-1"] });
  const [device, other] = [await connect("sensor-1"), await connect("sensor-2")];
  await other.publishAsync("devices/sensor-2/telemetry", '{"n":-1}', { qos: 1 });
  const sent = Array.from({ length: 20 }, (_, n) => n);
  for (const n of sent) await device.publishAsync("devices/sensor-1/telemetry", JSON.stringify({ n }), { qos: 1 });
  await expect.poll(() => items("sensor-1"), { timeout: 10_000 }).toHaveLength(20);
  const found = await items("sensor-1");
  expect(found.map(({ data }) => Number(data!.M!.n!.N))).toEqual(sent);
  await expect.poll(() => browser.records, { timeout: 10_000 }).toHaveLength(20);
  const shown = browser.records.map(({ device, data }) => [device, (data as { data: { n: number } }).data.n]);
  expect(shown.sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual(sent.map((n) => ["sensor-1", n]));
  await browser.close();
});

describe("a registered device", () => {
  test("can connect under its own name only", async () => {
    await expect(connect("sensor-1", "sensor-2")).rejects.toThrow(/closed|authorized/i);
  });

  test("can publish to its own topic only, and read nothing", async () => {
    const other = await connect("sensor-2");
    const closed = new Promise<void>((resolve) => other.once("close", () => resolve()));
    other.publish("devices/sensor-1/telemetry", '{"n":99}', { qos: 0 });
    await closed;
    const again = await connect("sensor-2");
    expect(await suback(again, ["devices/+/telemetry"])).toEqual([128]);
    expect((await items("sensor-1")).map(({ data }) => data!.M!.n!.N)).not.toContain("99");
  });

  test("connects to the account's endpoint, with a key that is a secret", () => {
    const { stack, outputs } = deployed.current;
    expect(outputs.endpoint).toMatch(/:\d+$|\.amazonaws\.com$/);
    expect(outputs.devices["sensor-2"]!.privateKey).toContain("PRIVATE KEY");
    expect(stack.outputs.devices!.secret).toBe(true);
  });
});

test("a binary message and one that is no object are dead-lettered with their reasons", async () => {
  const device = await connect("sensor-1");
  await device.publishAsync("devices/sensor-1/telemetry", Buffer.from([0xff, 0]), { qos: 1 });
  await device.publishAsync("devices/sensor-1/telemetry", "21.5", { qos: 1 });
  const letters: Record<string, unknown>[] = [];
  const sqs = new SQSClient(settings(deployed.current.emulator));
  await expect
    .poll(async () => letters.push(...(await drain(sqs, deployed.current.outputs.deadLetterQueueUrl))), {
      timeout: 10_000,
    })
    .toBe(2);
  expect(letters).toMatchObject([
    { stage: "parse", reason: "the payload is not UTF-8 text", message: { payload: "/wA=", device: "sensor-1" } },
    { stage: "validate", reason: "the payload must be a JSON object", text: "21.5", device: "sensor-1" },
  ]);
});
