import { DynamoDBClient, ScanCommand, type ScanCommandOutput } from "@aws-sdk/client-dynamodb";
import { connectAsync, type MqttClient } from "mqtt";
import type { Deployment } from "../deploy";
import { measure } from "./load";
import type { Figure } from "./report";
import type { Started } from "./servers";
import { connectAll, latency } from "./viewers";

/** Milliseconds after which messages that are not stored count as lost. */
const patience = 180_000;

/** The device that {@link deployStack} has registered. */
export const benchDevice = "bench-1";

interface Credentials {
  readonly certificate: string;
  readonly privateKey: string;
  readonly topics: readonly string[];
}

/** Connects the device, and says where it may publish. */
export async function connectDevice(
  { outputs }: Deployment,
  emulatorUrl: string,
): Promise<{ client: MqttClient; topic: string }> {
  const { certificate, privateKey, topics } = (outputs.devices!.value as Record<string, Credentials>)[benchDevice]!;
  const [host, port] = String(outputs.iotEndpoint?.value).split(":");
  const ca = await (await fetch(`${emulatorUrl}/_aws/iot/ca.pem`)).text();
  const broker = { protocol: "mqtts" as const, host, port: Number(port), ca, cert: certificate, key: privateKey };
  return { client: await connectAsync({ ...broker, clientId: benchDevice }), topic: topics[0]! };
}

/** From a device by MQTT, through rule, stream, function, queue and broadcast, to a browser. */
async function mqttLatency(deployment: Deployment, emulator: Started): Promise<Figure[]> {
  const text = (name: string) => String(deployment.outputs[name]?.value);
  const { client, topic } = await connectDevice(deployment, emulator.url);
  const [viewer] = await connectAll(1, text("liveUrl"), text("liveToken"));
  let temp = 0;
  const figures = await latency("MQTT", viewer!, () =>
    client.publishAsync(topic, JSON.stringify({ temp: temp++ }), { qos: 1 }),
  );
  viewer!.socket.close();
  await client.endAsync();
  return figures;
}

/** Messages of 50 devices through rule and stream to both sinks: the table and the broadcast's queue. */
async function throughput({ outputs }: Deployment, emulator: Started): Promise<Figure[]> {
  const amount = 20_000;
  // The load generator warms up with a tenth of it.
  const published = amount * 1.1;
  const settings = { region: "eu-west-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const dynamodb = new DynamoDBClient({ ...settings, endpoint: emulator.url });
  const stored = async () => {
    let count = 0;
    let ExclusiveStartKey: ScanCommandOutput["LastEvaluatedKey"];
    do {
      const input = { TableName: String(outputs.iotTableName?.value), Select: "COUNT" as const, ExclusiveStartKey };
      const page = await dynamodb.send(new ScanCommand(input));
      count += page.Count!;
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return count;
  };
  const before = await stored();
  let [sent, seconds] = [0, 0];
  const calls = await emulator.count(async () => {
    const started = performance.now();
    const paths = Array.from({ length: 50 }, (_, n) => `/topics/devices%2Fload-${n}%2Ftelemetry?qos=1`);
    const headers = {
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/iotdata/aws4_request, SignedHeaders=host, Signature=0",
    };
    const body = JSON.stringify({ temp: 21.3, humd: 45.2 });
    const load = { url: emulator.url, headers, body, paths, connections: 20, amount };
    const { failures } = await measure(load);
    if (failures > 0) throw new Error(`${failures} messages were not published`);
    sent = (performance.now() - started) / 1000;
    for (let missing = published; missing > 0; missing = published + before - (await stored())) {
      if (performance.now() - started > patience) throw new Error(`${missing} of ${published} messages are not stored`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    seconds = (performance.now() - started) / 1000;
  });
  dynamodb.destroy();
  const behind = Object.entries(calls)
    .filter(([name]) => !/^(iotdata:|dynamodb:Scan|execute-api:)/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);
  return [
    { name: `${published} messages published in`, value: sent, unit: "s" },
    { name: "messages through rule, stream and sinks", value: published / seconds, unit: "/s" },
    {
      name: "AWS calls for each message behind the stream",
      value: behind / published,
      unit: "",
      promise: { atMost: 0.5 },
    },
  ];
}

/** From a device to the browser, and what a fleet costs. */
export const iot = async (deployment: Deployment, emulator: Started): Promise<Figure[]> => [
  ...(await mqttLatency(deployment, emulator)),
  ...(await throughput(deployment, emulator)),
];
