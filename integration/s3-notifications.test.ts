import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as S3 from "@aws-sdk/client-s3";
import * as SQS from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { failure, makeBucket, s3Client } from "./harness/s3";

const emulator = useEmulator();
let s3: S3.S3Client;
let sqs: SQS.SQSClient;
beforeAll(() => {
  s3 = s3Client(emulator.current);
  sqs = new SQS.SQSClient(settings(emulator.current));
});

const account = "000000000000";
let queues = 0;

/** A queue; its policy lets the bucket send. */
async function makeQueue(bucket: string, statement: object = {}) {
  const QueueName = `events-${++queues}`;
  const QueueArn = `arn:aws:sqs:eu-west-1:${account}:${QueueName}`;
  const { QueueUrl } = await sqs.send(new SQS.CreateQueueCommand({ QueueName }));
  const allow = () =>
    sqs.send(
      new SQS.SetQueueAttributesCommand({
        QueueUrl,
        Attributes: {
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { Service: "s3.amazonaws.com" },
                Action: "sqs:SendMessage",
                Resource: QueueArn,
                Condition: {
                  ArnEquals: { "aws:SourceArn": `arn:aws:s3:::${bucket}` },
                  StringEquals: { "aws:SourceAccount": account },
                },
                ...statement,
              },
            ],
          }),
        },
      }),
    );
  await allow();
  return { QueueUrl: QueueUrl!, QueueArn, allow };
}

const configure = (Bucket: string, NotificationConfiguration: S3.NotificationConfiguration, skip = false) =>
  s3.send(
    new S3.PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration,
      SkipDestinationValidation: skip,
    }),
  );

/** All messages that come until `count` are there. */
async function messages(QueueUrl: string, count: number) {
  const bodies: { Event?: string; Records?: Record<string, never>[] }[] = [];
  await expect
    .poll(
      async () => {
        const { Messages = [] } = await sqs.send(
          new SQS.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
        );
        bodies.push(...Messages.map(({ Body }) => JSON.parse(Body!)));
        return bodies.length;
      },
      { timeout: 8_000 },
    )
    .toBeGreaterThanOrEqual(count);
  return bodies;
}

const everything = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"] as S3.Event[];

describe("a bucket that tells a queue", () => {
  it("sends a test event first, then the record of each object", async () => {
    const Bucket = await makeBucket(s3);
    const { QueueUrl, QueueArn } = await makeQueue(Bucket);
    await configure(Bucket, { QueueConfigurations: [{ Id: "mine", QueueArn, Events: everything }] });
    const put = await s3.send(new S3.PutObjectCommand({ Bucket, Key: "in/a b+ä.csv", Body: "12345" }));
    const [test, told] = await messages(QueueUrl, 2);
    expect(test).toMatchObject({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket });
    expect(told).toEqual({
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: "eu-west-1",
          eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
          eventName: "ObjectCreated:Put",
          userIdentity: { principalId: expect.stringMatching(/^AWS:A[A-Z0-9]{13}$/) },
          requestParameters: { sourceIPAddress: "127.0.0.1" },
          responseElements: {
            "x-amz-request-id": expect.stringMatching(/^[0-9A-F]{16}$/),
            "x-amz-id-2": expect.stringMatching(/^[\w+/]{76}$/),
          },
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "mine",
            bucket: {
              name: Bucket,
              ownerIdentity: { principalId: expect.stringMatching(/^A[A-Z0-9]{13}$/) },
              arn: `arn:aws:s3:::${Bucket}`,
            },
            object: {
              key: "in/a+b%2B%C3%A4.csv",
              size: 5,
              eTag: put.ETag!.replaceAll('"', ""),
              sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
            },
          },
        },
      ],
    });
  });
});

describe("a bucket that tells a function", () => {
  it("needs the function's permission, and then invokes it with the record", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const Bucket = await makeBucket(s3);
    const out = await makeBucket(s3);
    const code = `const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
      exports.handler = (event) => new S3Client({ forcePathStyle: true }).send(
        new PutObjectCommand({ Bucket: "${out}", Key: "seen", Body: JSON.stringify(event) }));`;
    const LambdaFunctionArn = await makeFunction(lambda, "sees", code, { Timeout: 20 });
    const wanted = { LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events: everything }] };
    expect(await failure(configure(Bucket, wanted))).toMatchObject({
      name: "InvalidArgument",
      message: "Unable to validate the following destination configurations",
    });
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "sees",
        StatementId: "s3",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn: `arn:aws:s3:::${Bucket}`,
        SourceAccount: account,
      }),
    );
    await configure(Bucket, wanted);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "x", Body: "1" }));
    const seen = async () => {
      const { Body } = await s3.send(new S3.GetObjectCommand({ Bucket: out, Key: "seen" }));
      return JSON.parse(await Body!.transformToString());
    };
    await expect
      .poll(() => seen().catch(() => undefined), { timeout: 15_000 })
      .toMatchObject({
        Records: [{ eventName: "ObjectCreated:Put", s3: { object: { key: "x", size: 1 } } }],
      });
  });
});
