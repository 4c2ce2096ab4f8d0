import { createVerify, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as S3 from "@aws-sdk/client-s3";
import * as SNS from "@aws-sdk/client-sns";
import * as SQS from "@aws-sdk/client-sqs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { failure, makeBucket, s3Client } from "./harness/s3";
import { makeOpenQueue, makeTopic, take, takeUntil } from "./harness/topics";

const faults: string[] = [];
const emulator = useEmulator({ onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`) });
let sns: SNS.SNSClient;
let sqs: SQS.SQSClient;
beforeAll(() => {
  sns = new SNS.SNSClient(settings(emulator.current));
  sqs = new SQS.SQSClient(settings(emulator.current));
});

const subscribe = (TopicArn: string, Endpoint: string, Attributes: Record<string, string> = {}, Protocol = "sqs") =>
  sns.send(new SNS.SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }));
const publish = (TopicArn: string, Message: string, more: Partial<SNS.PublishCommandInput> = {}) =>
  sns.send(new SNS.PublishCommand({ TopicArn, Message, ...more }));
const text = (StringValue: string) => ({ DataType: "String", StringValue });

/** A topic and a queue that is subscribed to it. */
async function pair(Attributes: Record<string, string> = {}) {
  const topic = await makeTopic(sns);
  const queue = await makeOpenQueue(sqs, "sns.amazonaws.com", topic);
  const { SubscriptionArn = "" } = await subscribe(topic, queue.arn, Attributes);
  return { topic, queue, subscription: SubscriptionArn };
}

describe("a message to a queue", () => {
  it("comes in an envelope that its certificate verifies", async () => {
    const { topic, queue, subscription } = await pair();
    const MessageAttributes = { kind: text("alert"), raw: { DataType: "Binary", BinaryValue: Buffer.from("hi") } };
    const { MessageId } = await publish(topic, "the tank is full", { Subject: "Tank", MessageAttributes });
    const [message] = await takeUntil(sqs, queue.url, 1);
    const body = JSON.parse(message!.Body!);
    const base = `${emulator.current.endpoint}/_aws/sns/`;
    expect(body).toEqual({
      Type: "Notification",
      MessageId,
      TopicArn: topic,
      Subject: "Tank",
      Message: "the tank is full",
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      SignatureVersion: "1",
      Signature: expect.stringMatching(/^[\w+/]+=*$/),
      SigningCertURL: expect.stringMatching(/\/_aws\/sns\/SimpleNotificationService-[0-9a-f]{32}\.pem$/),
      UnsubscribeURL: `${base}?Action=Unsubscribe&SubscriptionArn=${subscription}`,
      MessageAttributes: {
        kind: { Type: "String", Value: "alert" },
        raw: { Type: "Binary", Value: Buffer.from("hi").toString("base64") },
      },
    });
    const { publicKey } = new X509Certificate(await (await fetch(body.SigningCertURL)).text());
    const signed = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
    const verify = (from: Record<string, string>) =>
      createVerify("RSA-SHA1")
        .update(signed.map((field) => `${field}\n${from[field]}\n`).join(""))
        .verify(publicKey, body.Signature, "base64");
    expect(verify(body)).toBe(true);
    expect(verify({ ...body, Message: "the tank is empty" })).toBe(false);
  });

  it("comes as it was published where the subscription is raw, with its attributes", async () => {
    const { topic, queue } = await pair({ RawMessageDelivery: "true" });
    await publish(topic, "bare", { MessageAttributes: { kind: text("alert") } });
    const [message] = await takeUntil(sqs, queue.url, 1);
    expect(message).toMatchObject({ Body: "bare", MessageAttributes: { kind: { StringValue: "alert" } } });
  });

  it("has the text for its protocol where the publisher gave several", async () => {
    const { topic, queue } = await pair({ RawMessageDelivery: "true" });
    const json = { MessageStructure: "json" };
    await publish(topic, JSON.stringify({ default: "for all", sqs: "for queues" }), json);
    await publish(topic, JSON.stringify({ default: "for all", lambda: "for functions" }), json);
    const bodies = (await takeUntil(sqs, queue.url, 2)).map(({ Body }) => Body);
    expect(bodies).toEqual(["for queues", "for all"]);
    expect((await failure(publish(topic, "{}", json))).message).toContain("No default entry in JSON message body");
  });

  it("comes in batches, each entry judged for itself", async () => {
    const { topic, queue } = await pair({ RawMessageDelivery: "true" });
    const batch = (PublishBatchRequestEntries: SNS.PublishBatchRequestEntry[]) =>
      sns.send(new SNS.PublishBatchCommand({ TopicArn: topic, PublishBatchRequestEntries }));
    const answer = await batch([
      { Id: "a", Message: "first" },
      { Id: "b", Message: "" },
      { Id: "c", Message: "third" },
    ]);
    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(["a", "c"]);
    expect(answer.Failed).toMatchObject([{ Id: "b", Code: "InvalidParameter", SenderFault: true }]);
    expect((await takeUntil(sqs, queue.url, 2)).map(({ Body }) => Body)).toEqual(["first", "third"]);
    expect(await failure(batch([]))).toMatchObject({ name: "EmptyBatchRequestException" });
    const twice = [
      { Id: "a", Message: "x" },
      { Id: "a", Message: "y" },
    ];
    expect(await failure(batch(twice))).toMatchObject({ name: "BatchEntryIdsNotDistinctException" });
  });
});

describe("a filter policy", () => {
  it("lets through what its attributes say, and nothing else", async () => {
    const FilterPolicy = JSON.stringify({
      kind: [{ prefix: "al" }],
      level: [{ numeric: [">=", 3] }],
      zones: ["north"],
      muted: [{ exists: false }],
    });
    const { topic, queue } = await pair({ FilterPolicy, RawMessageDelivery: "true" });
    const base = {
      kind: text("alert"),
      level: { DataType: "Number", StringValue: "3" },
      zones: { DataType: "String.Array", StringValue: '["south","north"]' },
    };
    await publish(topic, "kind", { MessageAttributes: { ...base, kind: text("info") } });
    await publish(topic, "level", {
      MessageAttributes: { ...base, level: { DataType: "Number", StringValue: "2.9" } },
    });
    await publish(topic, "muted", { MessageAttributes: { ...base, muted: text("yes") } });
    await publish(topic, "none");
    await publish(topic, "through", { MessageAttributes: base });
    expect((await takeUntil(sqs, queue.url, 1)).map(({ Body }) => Body)).toEqual(["through"]);
  });

  it("looks into the body where its scope says so", async () => {
    const scoped = { FilterPolicyScope: "MessageBody", FilterPolicy: '{"device":{"type":["tank"]}}' };
    const { topic, queue, subscription } = await pair({ ...scoped, RawMessageDelivery: "true" });
    const tank = JSON.stringify({ device: { type: "tank" } });
    for (const body of ["no json", JSON.stringify({ device: { type: "pump" } }), tank]) await publish(topic, body);
    expect((await takeUntil(sqs, queue.url, 1)).map(({ Body }) => Body)).toEqual([tank]);
    const set = (AttributeValue: string) =>
      sns.send(
        new SNS.SetSubscriptionAttributesCommand({
          SubscriptionArn: subscription,
          AttributeName: "FilterPolicy",
          AttributeValue,
        }),
      );
    expect((await failure(set('{"a":[{"unknown":1}]}'))).message).toContain("FilterPolicy");
    await set("{}");
    await publish(topic, "no json");
    expect((await takeUntil(sqs, queue.url, 1)).map(({ Body }) => Body)).toEqual(["no json"]);
  });
});

describe("a subscriber that refuses", () => {
  it("loses the message to the dead-letter queue, and without one the loss is reported", async () => {
    const { topic, queue, subscription } = await pair();
    const dead = await makeOpenQueue(sqs, "sns.amazonaws.com", topic);
    await queue.forbid();
    await publish(topic, "lost");
    await expect.poll(() => faults.filter((fault) => fault.includes(subscription))).toHaveLength(1);
    expect(faults.at(-1)).toContain("User: sns.amazonaws.com is not authorized to perform: sqs:sendmessage");
    await sns.send(
      new SNS.SetSubscriptionAttributesCommand({
        SubscriptionArn: subscription,
        AttributeName: "RedrivePolicy",
        AttributeValue: JSON.stringify({ deadLetterTargetArn: dead.arn }),
      }),
    );
    await publish(topic, "saved");
    const [message] = await takeUntil(sqs, dead.url, 1);
    expect(JSON.parse(message!.Body!)).toMatchObject({ Message: "saved", TopicArn: topic });
    expect(await take(sqs, queue.url)).toEqual([]);
  });
});

describe("a function that subscribes", () => {
  it("is invoked with the record that Lambda documents", async () => {
    const lambda = new LambdaClient(settings(emulator.current));
    const s3 = s3Client(emulator.current);
    const [topic, Bucket] = [await makeTopic(sns), await makeBucket(s3)];
    const code = `const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
      exports.handler = (event) => new S3Client({ forcePathStyle: true }).send(
        new PutObjectCommand({ Bucket: "${Bucket}", Key: "seen", Body: JSON.stringify(event) }));`;
    const fn = await makeFunction(lambda, "told", code, { Timeout: 20 });
    await lambda.send(
      new AddPermissionCommand({
        ...{ FunctionName: "told", StatementId: "sns", Action: "lambda:InvokeFunction" },
        ...{ Principal: "sns.amazonaws.com", SourceArn: topic },
      }),
    );
    const { SubscriptionArn } = await subscribe(topic, fn, {}, "lambda");
    const { MessageId } = await publish(topic, "run");
    const seen = async () => {
      const { Body } = await s3.send(new S3.GetObjectCommand({ Bucket, Key: "seen" }));
      return JSON.parse(await Body!.transformToString());
    };
    await expect
      .poll(() => seen().catch(() => undefined), { timeout: 15_000 })
      .toEqual({
        Records: [
          {
            EventSource: "aws:sns",
            EventVersion: "1.0",
            EventSubscriptionArn: SubscriptionArn,
            Sns: expect.objectContaining({
              ...{ Type: "Notification", MessageId, TopicArn: topic, Subject: null, Message: "run" },
              MessageAttributes: {},
              SigningCertUrl: expect.any(String),
              UnsubscribeUrl: expect.any(String),
            }),
          },
        ],
      });
  });
});

describe("an HTTP endpoint", () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  it("confirms its subscription by the link, then gets messages, tried again while it fails", async () => {
    const got: { headers: IncomingMessage["headers"]; body: string }[] = [];
    let status = 200;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const topic = await makeTopic(sns);
    const { SubscriptionArn = "" } = await subscribe(topic, url, {}, "http");
    await expect.poll(() => got.length).toBe(1);
    expect(got[0]!.headers).toMatchObject({
      "x-amz-sns-message-type": "SubscriptionConfirmation",
      "x-amz-sns-topic-arn": topic,
    });
    const attributes = async () =>
      (await sns.send(new SNS.GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes;
    expect(await attributes()).toMatchObject({ PendingConfirmation: "true", Protocol: "http", Endpoint: url });
    await publish(topic, "too early");
    const { SubscribeURL } = JSON.parse(got[0]!.body);
    expect((await fetch(`${SubscribeURL}0`)).status).toBe(400);
    expect((await fetch(SubscribeURL)).status).toBe(200);
    expect(await attributes()).toMatchObject({ PendingConfirmation: "false" });

    status = 503;
    await publish(topic, "again");
    await expect.poll(() => got.length).toBe(2);
    status = 200;
    await expect
      .poll(async () => {
        await emulator.current.clock.advance("20 seconds");
        return got.length;
      })
      .toBe(3);
    expect(got[2]!.headers).toMatchObject({
      "content-type": "text/plain; charset=UTF-8",
      "user-agent": "Amazon Simple Notification Service Agent",
      "x-amz-sns-message-type": "Notification",
      "x-amz-sns-subscription-arn": SubscriptionArn,
    });
    const { Message, UnsubscribeURL } = JSON.parse(got[2]!.body);
    expect(Message).toBe("again");
    expect((await fetch(UnsubscribeURL)).status).toBe(200);
    expect(await failure(attributes())).toMatchObject({ name: "NotFoundException" });
  });
});
