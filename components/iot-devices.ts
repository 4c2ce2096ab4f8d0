import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { allow } from "./policy";

/** What a device needs to connect and publish. */
export interface RegisteredDevice {
  /** Its name, which is also the MQTT client id that it must connect with. */
  readonly name: string;
  /** Where it connects, on port 8883. */
  readonly endpoint: pulumi.Output<string>;
  /** PEM. */
  readonly certificate: pulumi.Output<string>;
  /** PEM; a secret. */
  readonly privateKey: pulumi.Output<string>;
  /** What it may publish to; a `*` stands for anything. */
  readonly topics: string[];
  readonly thing: aws.iot.Thing;
}

/** In policies, the name of the thing that the connection's certificate belongs to. */
const THING = `\${iot:Connection.Thing.ThingName}`;

/** The topics that a topic filter leaves to one device, for a policy or with a name for it. */
function ownTopic(filter: string, device: number | undefined, name: string): string {
  const parts = filter.split("/").map((part, i) => (i + 1 === device ? name : /^[+#]$/.test(part) ? "*" : part));
  return parts.join("/");
}

export interface DevicesArgs {
  topics: readonly string[];
  /** For each topic, the part that is the device's name; undefined where its payload names it. */
  parts: readonly (number | undefined)[];
  names: readonly string[];
  endpoint: pulumi.Output<string>;
  /** ARN of anything in this account and region. */
  near: pulumi.Output<string>;
}

/**
 * Registers devices. One policy does for all: it lets a certificate connect under the name of the thing that it is
 * attached to, and publish to that thing's topics, and nothing else.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/thing-policy-variables.html
 */
export function registerDevices(
  name: string,
  { topics, parts, names, endpoint, near }: DevicesArgs,
  opts: pulumi.CustomResourceOptions,
): { policy: aws.iot.Policy; devices: Record<string, RegisteredDevice> } {
  const iot = near
    .apply((arn) => arn.split(":"))
    .apply(([, partition, , region, account]) => {
      return `arn:${partition}:iot:${region}:${account}`;
    });
  const policy = new aws.iot.Policy(
    `${name}-device-policy`,
    {
      policy: allow([
        {
          actions: ["iot:Connect"],
          resources: [pulumi.interpolate`${iot}:client/${THING}`],
          conditions: { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
        },
        {
          actions: ["iot:Publish"],
          resources: topics.map((topic, i) => pulumi.interpolate`${iot}:topic/${ownTopic(topic, parts[i], THING)}`),
        },
      ]),
    },
    opts,
  );
  const registered = names.map((device): [string, RegisteredDevice] => {
    const id = `${name}-${device}`;
    const thing = new aws.iot.Thing(`${id}-thing`, { name: device }, opts);
    const certificate = new aws.iot.Certificate(`${id}-certificate`, { active: true }, opts);
    new aws.iot.ThingPrincipalAttachment(`${id}-attachment`, { thing: thing.name, principal: certificate.arn }, opts);
    new aws.iot.PolicyAttachment(`${id}-policy`, { policy: policy.name, target: certificate.arn }, opts);
    const made = {
      ...{ name: device, endpoint, thing },
      certificate: certificate.certificatePem,
      privateKey: pulumi.secret(certificate.privateKey),
      topics: topics.map((topic, i) => ownTopic(topic, parts[i], device)),
    };
    return [device, made];
  });
  return { policy, devices: Object.fromEntries(registered) };
}
