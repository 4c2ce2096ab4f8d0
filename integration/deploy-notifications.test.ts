import * as S3 from "@aws-sdk/client-s3";
import * as SNS from "@aws-sdk/client-sns";
import * as SQS from "@aws-sdk/client-sqs";
import { beforeAll, expect, it } from "vitest";
import { type Deployment, deploy } from "../deploy";
import { program, warm } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";
import { s3Client } from "./harness/s3";
import { takeUntil } from "./harness/topics";

interface Outputs {
  uploadsName: string;
  archiveName: string;
  topicArn: string;
  subscriptionArn: string;
  urls: { seen: string; heard: string; told: string };
}

const emulator = useEmulator();
let stack: Deployment;
beforeAll(async () => {
  const { endpoint } = emulator.current;
  const config = { notifications: {} };
  stack = await deploy({ program: program("notifications"), stack: "test", endpoint, warm, config });
}, 120_000);

const clients = () => {
  const options = settings(emulator.current);
  const outputs = Object.fromEntries(Object.entries(stack.outputs).map(([name, { value }]) => [name, value]));
  return {
    s3: s3Client(emulator.current),
    sqs: new SQS.SQSClient(options),
    sns: new SNS.SNSClient(options),
    ...(outputs as unknown as Outputs),
  };
};

it("runs a bucket's handlers: one for what comes under a prefix, one for what goes", async () => {
  const { s3, sqs, uploadsName: Bucket, urls } = clients();
  for (const Key of ["out/a", "in/b c"]) await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: "12" }));
  const created = JSON.parse((await takeUntil(sqs, urls.seen, 1))[0]!.Body!);
  expect(created).toMatchObject({
    kind: "created",
    event: { Records: [{ eventName: "ObjectCreated:Put", s3: { object: { key: "in/b+c", size: 2 } } }] },
  });
  await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "out/a" }));
  const removed = JSON.parse((await takeUntil(sqs, urls.seen, 1))[0]!.Body!);
  expect(removed).toMatchObject({
    kind: "removed",
    event: { Records: [{ eventName: "ObjectRemoved:Delete", s3: { object: { key: "out/a" } } }] },
  });
});

it("runs a topic's handler and tells its queue, for people and for a bucket", async () => {
  const { s3, sns, sqs, topicArn: TopicArn, archiveName: Bucket, urls } = clients();
  // The test event of the bucket that tells the topic.
  await takeUntil(sqs, urls.told, 1);
  await takeUntil(sqs, urls.heard, 1);
  await sns.send(new SNS.PublishCommand({ TopicArn, Message: "full" }));
  const handled = JSON.parse((await takeUntil(sqs, urls.heard, 1))[0]!.Body!);
  expect(handled).toMatchObject({ kind: "alarmed", event: { Records: [{ Sns: { Message: "full" } }] } });
  expect(JSON.parse((await takeUntil(sqs, urls.told, 1))[0]!.Body!)).toMatchObject({ Message: "full", TopicArn });

  await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a.json", Body: "1" }));
  await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a.csv", Body: "1" }));
  const told = JSON.parse((await takeUntil(sqs, urls.told, 1))[0]!.Body!);
  expect(told).toMatchObject({ Type: "Notification", Subject: "Amazon S3 Notification" });
  expect(JSON.parse(told.Message)).toMatchObject({ Records: [{ s3: { object: { key: "a.csv" } } }] });
});

it("changes subscriptions and filters in place, and takes everything away again", async () => {
  const { sns, s3, topicArn: TopicArn, subscriptionArn, uploadsName: Bucket } = clients();
  const changed = await stack.update({
    config: { notifications: { prefix: "new/", raw: true, filter: { kind: ["alert"] } } },
  });
  expect(changed.outputs.subscriptionArn?.value).toBe(subscriptionArn);
  const attributes = new SNS.GetSubscriptionAttributesCommand({ SubscriptionArn: subscriptionArn });
  expect((await sns.send(attributes)).Attributes).toMatchObject({
    RawMessageDelivery: "true",
    FilterPolicy: '{"kind":["alert"]}',
  });
  const { LambdaFunctionConfigurations = [] } = await s3.send(
    new S3.GetBucketNotificationConfigurationCommand({ Bucket }),
  );
  const prefixes = LambdaFunctionConfigurations.flatMap(({ Filter }) => Filter?.Key?.FilterRules ?? []);
  expect(prefixes).toMatchObject([{ Value: "new/" }]);
  await changed.update({ config: { notifications: {} } });
  expect((await sns.send(attributes)).Attributes).toMatchObject({ RawMessageDelivery: "false", FilterPolicy: "{}" });
  await stack.destroy();
  const { Topics = [] } = await sns.send(new SNS.ListTopicsCommand({}));
  expect(Topics).not.toContainEqual({ TopicArn });
});
