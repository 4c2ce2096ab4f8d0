import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** A topic rule to Kinesis whose failures go to a queue. */
const {
  sql = "SELECT *, topic(2) AS device FROM 'devices/+/up'",
  enabled = true,
  stream,
  partitionKey,
} = new pulumi.Config().requireObject<{ sql?: string; enabled?: boolean; stream?: string; partitionKey: string }>(
  "rules",
);

const role = new aws.iam.Role("rule", {
  assumeRolePolicy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "iot.amazonaws.com" }, Action: "sts:AssumeRole" }],
  },
});
new aws.iot.LoggingOptions("log", { roleArn: role.arn, defaultLogLevel: enabled ? "ERROR" : "INFO" });
const readings = new aws.kinesis.Stream("readings", { shardCount: 2 });
const failed = new aws.sqs.Queue("failed");
new aws.iam.RolePolicy("may", {
  role: role.name,
  policy: {
    Version: "2012-10-17",
    Statement: [
      // A stream that is not there has to be looked for, too.
      { Effect: "Allow", Action: "kinesis:PutRecord", Resource: "*" },
      { Effect: "Allow", Action: "sqs:SendMessage", Resource: failed.arn },
      { Effect: "Allow", Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*" },
    ],
  },
});

const rule = new aws.iot.TopicRule("to-kinesis", {
  sql,
  enabled,
  sqlVersion: "2016-03-23",
  kineses: [{ roleArn: role.arn, streamName: stream ?? readings.name, partitionKey }],
  errorAction: { sqs: { roleArn: role.arn, queueUrl: failed.url, useBase64: false } },
  tags: { purpose: "a test of rules", enabled: String(enabled) },
});

export const ruleName = rule.name;
export const ruleArn = rule.arn;
export const streamName = readings.name;
export const failedUrl = failed.url;
