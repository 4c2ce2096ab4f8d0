import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  DescribeEndpointCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";

/** A certificate with its key, as a device has it. */
export interface Identity {
  readonly id: string;
  readonly arn: string;
  readonly cert: string;
  readonly key: string;
}

/** One statement of an IoT policy; everything is allowed where it is left out. */
export interface Statement {
  Effect?: "Allow" | "Deny";
  Action: string | string[];
  Resource: string | string[];
  Condition?: object;
}

export const iotPolicy = (statements: Statement[] = [{ Action: "iot:*", Resource: "*" }]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements.map((one) => ({ Effect: "Allow", ...one })) });

/** The ARN of an AWS IoT resource in the region that tests use. */
export const iotArn = (resource: string, region = "eu-west-1", account = "000000000000") =>
  `arn:aws:iot:${region}:${account}:${resource}`;

/** Devices of one emulator: makes their certificates, connects them, and ends what is connected. */
export class Devices {
  readonly iot: IoTClient;
  private readonly clients: MqttClient[] = [];
  private address?: Promise<{ url: string; ca: string }>;
  private count = 0;

  constructor(
    private readonly emulator: Pick<Emulator, "endpoint">,
    options: Parameters<typeof settings>[1] = {},
  ) {
    this.iot = new IoTClient(settings(emulator, options));
  }

  /** Where devices connect, and the CA certificate that they trust. */
  endpoint(): Promise<{ url: string; ca: string }> {
    this.address ??= (async () => {
      const { endpointAddress } = await this.iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
      const ca = await fetch(`${this.emulator.endpoint}/_aws/iot/ca.pem`);
      return { url: `mqtts://${endpointAddress}`, ca: await ca.text() };
    })();
    return this.address;
  }

  /** A certificate from CreateKeysAndCertificate; with a policy of its own that has these statements. */
  async certificate(statements?: Statement[] | "none", setAsActive = true): Promise<Identity> {
    const made = await this.iot.send(new CreateKeysAndCertificateCommand({ setAsActive }));
    const identity = {
      id: made.certificateId!,
      arn: made.certificateArn!,
      cert: made.certificatePem!,
      key: made.keyPair!.PrivateKey!,
    };
    if (statements !== "none") await this.allow(identity, statements);
    return identity;
  }

  /** Attaches a new policy to a certificate; gives the policy's name. */
  async allow({ arn }: Identity, statements?: Statement[]): Promise<string> {
    const policyName = `policy-${++this.count}`;
    await this.iot.send(new CreatePolicyCommand({ policyName, policyDocument: iotPolicy(statements) }));
    await this.iot.send(new AttachPolicyCommand({ policyName, target: arn }));
    return policyName;
  }

  /** A client that has been let in; rejects where it is not. */
  async connect(
    { cert, key }: Pick<Identity, "cert" | "key">,
    options: IClientOptions = {},
    early?: (client: MqttClient) => void,
  ): Promise<MqttClient> {
    const { url, ca } = await this.endpoint();
    return this.open(url, { ca, cert, key, ...options }, early);
  }

  /** @param early sees the client before it is connected, so that it misses nothing. */
  async open(url: string, options: IClientOptions, early?: (client: MqttClient) => void): Promise<MqttClient> {
    const client = connect(url, { reconnectPeriod: 0, connectTimeout: 5000, ...options });
    this.clients.push(client);
    early?.(client);
    await new Promise<void>((resolve, reject) => {
      client.once("connect", () => resolve());
      client.once("error", reject);
      client.once("close", () => reject(new Error("the connection was closed")));
    });
    client.on("error", () => {});
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.endAsync(true)));
    this.iot.destroy();
  }
}

/** A policy variable: `${iot:ClientId}`. */
export const variable = (name: string) => `\${${name}}`;

/** Subscribes, and gives what SUBACK says of each filter: the granted QoS, or 128. */
export function suback(client: MqttClient, filters: string[], qos: 0 | 1 | 2 = 0): Promise<number[]> {
  return new Promise((resolve) => {
    client.on("packetreceive", function look(packet) {
      if (packet.cmd !== "suback") return;
      client.off("packetreceive", look);
      resolve(packet.granted.map(Number));
    });
    client.subscribe(filters, { qos });
  });
}

/** What a client gets from now on, as topic and text. */
export function inbox(client: MqttClient, messages: [string, string][] = []): [topic: string, text: string][] {
  client.on("message", (topic, payload) => messages.push([topic, payload.toString("utf8")]));
  return messages;
}

/** Resolves when the broker has ended the connection. */
export const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => {
    if (client.connected) client.once("close", () => resolve());
    else resolve();
  });
