import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { MqttClient } from "mqtt";
import { afterAll, beforeAll } from "vitest";
import type { Emulator } from "../../../emulator";
import { useDenials } from "../denials";
import { startDeployed } from "../deployed";
import { Devices } from "../devices";
import { settings } from "../emulator";
import { s3Client } from "../s3";
import type { FunctionName } from "./step";

/** What the programs `proof` and `proof-seeds` export; the second has no Postbox and no MQTT. */
export interface Outputs {
  readonly url: string;
  readonly apiKey: string;
  readonly tableName: string;
  readonly liveUrl: string;
  readonly liveQueueUrl: string;
  readonly postboxUrl?: string;
  readonly postboxBucket: string;
  readonly postboxQueueUrl: string;
  readonly reconcileFunction: string;
  readonly iotTableName: string;
  readonly devices?: Record<string, { certificate: string; privateKey: string }>;
  readonly deadLetterQueueUrls: readonly string[];
  readonly functionNames: Readonly<Partial<Record<FunctionName, string>>>;
}

/** A deployed system under proof, with clients for all that is looked at. */
export interface System {
  readonly emulator: Emulator;
  readonly outputs: Outputs;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  /** Of the registered devices, in their order. */
  readonly mqtt: readonly MqttClient[];
  /** Texts of dead letters found so far: a letter of one program may come while another runs. */
  readonly letters: string[];
  /** Every mark that was ever sent, with its device: for what must not be seen. */
  readonly devices: Map<string, string>;
  /** Numbers the runs, shrunk ones too, so that nothing of one is taken for another's. */
  runs: number;
}

/** Deploys a program for one test file. Read it inside tests only. */
export function useSystem(program: "proof" | "proof-seeds"): { readonly current: System } {
  let system: System | undefined;
  let devices: Devices | undefined;
  let close: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    const deployed = await startDeployed<Outputs>(program);
    const { emulator, outputs } = deployed;
    close = deployed.close;
    const config = settings(emulator);
    devices = new Devices(emulator);
    const mqtt: MqttClient[] = [];
    for (const [clientId, { certificate: cert, privateKey: key }] of Object.entries(outputs.devices ?? {})) {
      // Time that is moved on ends what is kept alive by real time.
      mqtt.push(await devices.connect({ cert, key }, { clientId, reconnectPeriod: 10 }));
    }
    system = {
      ...{ emulator, outputs, mqtt, letters: [], devices: new Map(), runs: 0 },
      dynamodb: new DynamoDBClient(config),
      sqs: new SQSClient(config),
      s3: s3Client(emulator),
      lambda: new LambdaClient(config),
    };
  }, 120_000);
  useDenials(() => system?.emulator);
  afterAll(async () => {
    await devices?.close();
    for (const client of [system?.dynamodb, system?.sqs, system?.s3, system?.lambda]) client?.destroy();
    await close?.();
  });
  return {
    get current() {
      if (!system) throw new Error("the system is deployed before the first test; use it inside a test");
      return system;
    },
  };
}
