import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { allow, type PolicyStatement, trust } from "./policy";
import type { TableRef } from "./storage";

const DAY = 24 * 60 * 60;

/** The names of a component's rules. Pulumi would put hyphens into them, which rules do not take. */
export const ruleNamesOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    [pulumi.getProject(), pulumi.getStack(), name, ...(count > 1 ? [i + 1] : [])]
      .join("_")
      .replace(/\W/g, "_")
      .slice(-128),
  );

export interface RulesArgs {
  topics: readonly string[];
  ruleNames: readonly string[];
  /** For each topic, what names the device in AWS IoT SQL, such as `topic(2)`. */
  devices: readonly string[];
  where?: string;
  /** Where messages go: a stream, or a table. */
  to: { stream: aws.kinesis.Stream } | { table: TableRef; ttlDays?: number };
  /** Gets what an action of a rule could not deliver. */
  deadLetterQueue: aws.sqs.Queue;
}

/**
 * Topic rules, one for each topic filter, with one role for all.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/iot/topicrule/
 */
export function makeRules(
  name: string,
  { topics, ruleNames, devices, where, to, deadLetterQueue }: RulesArgs,
  opts: pulumi.CustomResourceOptions,
): { rules: aws.iot.TopicRule[]; role: aws.iam.Role } {
  const role = new aws.iam.Role(`${name}-rule-role`, { assumeRolePolicy: trust("iot.amazonaws.com") }, opts);
  const put: PolicyStatement =
    "stream" in to
      ? { actions: ["kinesis:PutRecord"], resources: [to.stream.arn] }
      : { actions: ["dynamodb:PutItem"], resources: [to.table.arn] };
  const bury: PolicyStatement = { actions: ["sqs:SendMessage"], resources: [deadLetterQueue.arn] };
  const policy = new aws.iam.RolePolicy(`${name}-rule-policy`, { role: role.name, policy: allow([put, bury]) }, opts);
  const roleArn = role.arn;
  const rules = topics.map((topic, i) => {
    const device = devices[i]!;
    const action =
      "stream" in to
        ? { kineses: [{ roleArn, streamName: to.stream.name, partitionKey: `\${${device}}` }] }
        : { dynamodbv2s: [{ roleArn, putItem: { tableName: to.table.name } }] };
    const select = "stream" in to ? envelope(device) : item(device, to.ttlDays);
    return new aws.iot.TopicRule(
      `${name}-rule${topics.length > 1 ? `-${i + 1}` : ""}`,
      {
        name: ruleNames[i],
        enabled: true,
        sqlVersion: "2016-03-23",
        sql: `SELECT ${select} FROM '${topic}'${where === undefined ? "" : ` WHERE ${where}`}`,
        ...action,
        errorAction: { sqs: { roleArn, queueUrl: deadLetterQueue.url, useBase64: false } },
      },
      // A rule that runs before its policy is there fails for want of permissions.
      { ...opts, dependsOn: [policy] },
    );
  });
  return { rules, role };
}

/**
 * What goes on the stream. The payload is encoded whole: of one that is no JSON, nothing else could be selected, and the
 * rule would drop it without a word; and numbers keep all their digits.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/binary-payloads.html
 */
const envelope = (device: string) =>
  `encode(*, 'base64') AS payload, ${device} AS device, topic() AS topic, timestamp() AS receivedAt, clientid() AS clientId`;

/** What goes into the table: the fields of the payload, and the keys. */
function item(device: string, ttlDays = 0): string {
  const time = `parse_time("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", timestamp(), 'UTC')`;
  const fields = [
    "*",
    `${device} AS ident`,
    `concat(${time}, '#', newuuid()) AS sortKey`,
    "topic() AS topic",
    `${time} AS receivedAt`,
    ...(ttlDays > 0 ? [`floor(timestamp() / 1000) + ${ttlDays * DAY} AS expiresAt`] : []),
  ];
  return fields.join(", ");
}
