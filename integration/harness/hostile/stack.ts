import { resolve } from "node:path";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DisableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { deploy } from "../../../deploy";
import { warm } from "../deploying";
import { Devices, type Identity } from "../devices";
import { settings } from "../emulator";

/** What a device connects with. */
interface DeviceCredentials {
  readonly certificate: string;
  readonly privateKey: string;
  readonly topics: readonly string[];
}

/** The deployed project, and how its doors are reached. */
export interface Stack {
  readonly endpoint: string;
  readonly port: number;
  /** An output that is a text; addresses with 127.0.0.1, so that no name has to be looked up. */
  text(name: string): string;
  readonly devices: Readonly<Record<string, DeviceCredentials>>;
  /** A certificate that may do everything with the broker. */
  readonly intruder: Identity;
  readonly mqttPort: number;
  /** The CA certificate that devices trust. */
  readonly ca: string;
  /** The URLs of all queues. */
  readonly queues: readonly string[];
  /** The names of all functions. */
  readonly functions: readonly string[];
  readonly clients: {
    readonly sqs: SQSClient;
    readonly s3: S3Client;
    readonly dynamodb: DynamoDBClient;
    readonly logs: CloudWatchLogsClient;
    readonly lambda: LambdaClient;
    readonly management: ApiGatewayManagementApiClient;
  };
  /** Ends the clients' connections; they open others when they are used again. */
  close(): void;
}

/** Deploys the whole project with these devices, its throttles out of the way. */
export async function deployStack(
  { endpoint, port }: { endpoint: string; port: number },
  devices: readonly string[],
): Promise<Stack> {
  const config = { rateLimit: 10_000, burstLimit: 5_000, archive: true, dashboard: true, devices };
  const program = resolve(__dirname, "../../..");
  const { outputs, resources } = await deploy({ program, stack: "test", endpoint, warm, config });
  const text = (name: string) => String(outputs[name]?.value).replace("//localhost:", "//127.0.0.1:");
  const own = settings({ endpoint });
  const clients = {
    sqs: new SQSClient(own),
    s3: new S3Client({ ...own, forcePathStyle: true }),
    dynamodb: new DynamoDBClient(own),
    logs: new CloudWatchLogsClient(own),
    lambda: new LambdaClient(own),
    management: new ApiGatewayManagementApiClient({ ...own, endpoint: text("liveUrl").replace(/^ws/, "http") }),
  };
  const { QueueUrls = [] } = await clients.sqs.send(new ListQueuesCommand({}));
  // What runs by the hour would run whenever the clock is moved.
  const events = new EventBridgeClient(own);
  const rules = resources.filter(({ type }) => type === "aws:cloudwatch/eventRule:EventRule");
  for (const { id } of rules) await events.send(new DisableRuleCommand({ Name: id }));
  events.destroy();
  const maker = new Devices({ endpoint });
  const intruder = await maker.certificate();
  await maker.close();
  return {
    endpoint,
    port,
    text,
    devices: outputs.devices!.value as Stack["devices"],
    intruder,
    mqttPort: Number(text("iotEndpoint").split(":")[1]),
    ca: await (await fetch(`${endpoint}/_aws/iot/ca.pem`)).text(),
    queues: QueueUrls,
    functions: resources.filter(({ type }) => type === "aws:lambda/function:Function").map(({ id }) => id!),
    clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
