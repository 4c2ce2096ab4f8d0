import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  RemovePermissionCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let sqs: SQSClient;
beforeAll(() => {
  sqs = new SQSClient(settings(emulator.current));
});
beforeEach(() => emulator.current.reset());

const create = async (QueueName: string, Attributes?: Record<string, string>) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl!;
const attributes = async (QueueUrl: string, ...AttributeNames: QueueAttributeName[]) =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;

describe("SQS queues", () => {
  it("shows the defaults that AWS gives a new queue", async () => {
    const QueueUrl = await create("defaults");
    expect(QueueUrl).toBe(`http://localhost:${emulator.current.port}/000000000000/defaults`);
    expect(await attributes(QueueUrl, "All")).toEqual({
      QueueArn: "arn:aws:sqs:eu-west-1:000000000000:defaults",
      ApproximateNumberOfMessages: "0",
      ApproximateNumberOfMessagesNotVisible: "0",
      ApproximateNumberOfMessagesDelayed: "0",
      CreatedTimestamp: expect.stringMatching(/^\d{10}$/),
      LastModifiedTimestamp: expect.stringMatching(/^\d{10}$/),
      VisibilityTimeout: "30",
      MaximumMessageSize: "1048576",
      MessageRetentionPeriod: "345600",
      DelaySeconds: "0",
      ReceiveMessageWaitTimeSeconds: "0",
      SqsManagedSseEnabled: "true",
    });
  });

  it("refuses attributes that it does not know, also those that every JavaScript object has", async () => {
    for (const name of ["Colour", "constructor", "toString"]) {
      await expect(create("strange", { [name]: "1" })).rejects.toMatchObject({ name: "InvalidAttributeName" });
    }
    const form =
      "Action=CreateQueue&Version=2012-11-05&QueueName=strange&Attribute.1.Name=__proto__&Attribute.1.Value=1";
    const authorization =
      "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=x";
    const headers = { "content-type": "application/x-www-form-urlencoded", authorization };
    const response = await fetch(emulator.current.endpoint, { method: "POST", headers, body: form });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("InvalidAttributeName")]);
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);
  });

  it("gives the same queue again for the same attributes, and refuses other ones", async () => {
    const first = await create("again", { DelaySeconds: "5" });
    expect(await create("again", { DelaySeconds: "5" })).toBe(first);
    expect(await create("again")).toBe(first);
    await expect(create("again", { DelaySeconds: "6" })).rejects.toMatchObject({
      name: "QueueNameExists",
      Error: { Code: "QueueAlreadyExists" },
      message: "A queue already exists with the same name and a different value for attribute DelaySeconds",
    });
    expect(await attributes(first, "DelaySeconds")).toEqual({ DelaySeconds: "5" });
  });

  it.each([
    ["VisibilityTimeout", "43201"],
    ["VisibilityTimeout", "-1"],
    ["DelaySeconds", "901"],
    ["MessageRetentionPeriod", "59"],
    ["MessageRetentionPeriod", "1209601"],
    ["ReceiveMessageWaitTimeSeconds", "21"],
    ["MaximumMessageSize", "1023"],
    ["MaximumMessageSize", "1048577"],
    ["DelaySeconds", "ten"],
    ["Policy", "{not json"],
    ["SqsManagedSseEnabled", "yes"],
  ])("refuses %s = %s at creation and at a change, and changes nothing", async (name, value) => {
    const refusal = { name: "InvalidAttributeValue", message: `Invalid value for the parameter ${name}.` };
    await expect(create("bad", { [name]: value })).rejects.toMatchObject(refusal);
    const QueueUrl = await create("good");
    const before = await attributes(QueueUrl, "All");
    await expect(
      sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "7", [name]: value } })),
    ).rejects.toMatchObject(refusal);
    expect(await attributes(QueueUrl, "All")).toEqual(before);
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toEqual([QueueUrl]);
  });

  it("refuses an attribute that SQS does not know", async () => {
    const refusal = { name: "InvalidAttributeName", message: "Unknown Attribute Colour." };
    await expect(create("q", { Colour: "red" })).rejects.toMatchObject(refusal);
    const QueueUrl = await create("q");
    await expect(attributes(QueueUrl, "Colour" as QueueAttributeName)).rejects.toMatchObject(refusal);
    await expect(create("std", { ContentBasedDeduplication: "true" })).rejects.toMatchObject({
      name: "InvalidAttributeName",
    });
  });

  it.each(["", "a b", "x".repeat(81), "q.fifo", "dots.in.name"])("refuses the queue name %j", async (name) => {
    await expect(create(name)).rejects.toMatchObject({
      name: expect.stringMatching(/InvalidParameterValue|MissingParameter/),
    });
  });

  it("changes attributes, and takes policies and keys off again with an empty value", async () => {
    const QueueUrl = await create("change");
    const set = (Attributes: Record<string, string>) =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    await set({ VisibilityTimeout: "69", KmsMasterKeyId: "alias/mine", Policy: '{"Version":"2012-10-17"}' });
    expect(await attributes(QueueUrl, "VisibilityTimeout", "KmsMasterKeyId", "SqsManagedSseEnabled", "Policy")).toEqual(
      {
        VisibilityTimeout: "69",
        KmsMasterKeyId: "alias/mine",
        SqsManagedSseEnabled: "false",
        Policy: '{"Version":"2012-10-17"}',
      },
    );
    await set({ KmsMasterKeyId: "", Policy: "" });
    expect(await attributes(QueueUrl, "KmsMasterKeyId", "Policy")).toBeUndefined();
    await expect(set({ KmsMasterKeyId: "k", SqsManagedSseEnabled: "true" })).rejects.toMatchObject({
      name: "InvalidAttributeName",
      message:
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    });
  });

  it("keeps accounts and regions apart", async () => {
    const otherRegion = new SQSClient(settings(emulator.current, { region: "us-east-1" }));
    const otherAccount = new SQSClient(settings(emulator.current, { accessKeyId: "111111111111" }));
    const QueueUrl = await create("mine");
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "only here" }));
    for (const other of [otherRegion, otherAccount]) {
      expect((await other.send(new ListQueuesCommand({}))).QueueUrls).toBeUndefined();
      await other.send(new CreateQueueCommand({ QueueName: "mine" }));
      const { QueueUrl: url } = await other.send(new GetQueueUrlCommand({ QueueName: "mine" }));
      expect((await other.send(new ReceiveMessageCommand({ QueueUrl: url }))).Messages).toBeUndefined();
    }
    expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]?.Body).toBe("only here");
  });

  it("takes any URL that ends in account and name, also with the region in its host", async () => {
    const { port } = emulator.current;
    await create("anywhere");
    for (const QueueUrl of [
      `http://127.0.0.1:${port}/000000000000/anywhere`,
      `http://sqs.eu-west-1.localhost:${port}/000000000000/anywhere`,
      "https://sqs.eu-west-1.amazonaws.com/000000000000/anywhere",
    ]) {
      const client = new SQSClient({
        ...settings(emulator.current, { region: "us-east-1" }),
        useQueueUrlAsEndpoint: false,
      });
      const region = QueueUrl.includes("eu-west-1") ? client : sqs;
      await region.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    }
    const QueueUrl = `http://localhost:${port}/000000000000/anywhere`;
    expect(await attributes(QueueUrl, "ApproximateNumberOfMessages")).toEqual({ ApproximateNumberOfMessages: "3" });
  });

  it("says that a queue does not exist with both of its codes", async () => {
    const QueueUrl = await create("gone");
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toMatchObject({
      name: "QueueDoesNotExist",
      message: "The specified queue does not exist.",
      Error: { Code: "AWS.SimpleQueueService.NonExistentQueue", Type: "Sender" },
      $metadata: { httpStatusCode: 400 },
    });
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: "gone" }))).rejects.toMatchObject({
      name: "QueueDoesNotExist",
    });
  });

  it("lists queues by prefix, page by page", async () => {
    for (const name of ["a-1", "a-2", "a-3", "b-1"]) await create(name);
    const first = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "a-", MaxResults: 2 }));
    const second = await sqs.send(
      new ListQueuesCommand({ QueueNamePrefix: "a-", MaxResults: 2, NextToken: first.NextToken }),
    );
    const names = [...first.QueueUrls!, ...second.QueueUrls!].map((url) => url.split("/").pop());
    expect(names).toEqual(["a-1", "a-2", "a-3"]);
    expect(second.NextToken).toBeUndefined();
  });

  it("keeps tags", async () => {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "tagged", tags: { env: "test" } }));
    await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { team: "blue", env: "prod" } }));
    await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ["team"] }));
    expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ env: "prod" });
  });

  it("keeps permissions in the queue's policy, in the form that AWS gives them", async () => {
    const QueueUrl = await create("shared");
    const add = { QueueUrl, Label: "share", AWSAccountIds: ["111111111111"], Actions: ["ReceiveMessage"] };
    await sqs.send(new AddPermissionCommand(add));
    await expect(sqs.send(new AddPermissionCommand(add))).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: "Value share for parameter Label is invalid. Reason: Already exists.",
    });
    expect(JSON.parse((await attributes(QueueUrl, "Policy"))!.Policy!)).toEqual({
      Version: "2008-10-17",
      Id: "arn:aws:sqs:eu-west-1:000000000000:shared/SQSDefaultPolicy",
      Statement: [
        {
          Sid: "share",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::111111111111:root" },
          Action: "SQS:ReceiveMessage",
          Resource: "arn:aws:sqs:eu-west-1:000000000000:shared",
        },
      ],
    });
    await sqs.send(new RemovePermissionCommand({ QueueUrl, Label: "share" }));
    expect(await attributes(QueueUrl, "Policy")).toBeUndefined();
    await expect(sqs.send(new RemovePermissionCommand({ QueueUrl, Label: "share" }))).rejects.toMatchObject({
      message: "Value share for parameter Label is invalid. Reason: can't find label.",
    });
  });

  it("purges at most once in 60 seconds", async () => {
    const QueueUrl = await create("purged");
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
    await expect(sqs.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({
      name: "PurgeQueueInProgress",
      message: "Only one PurgeQueue operation on purged is allowed every 60 seconds.",
      $metadata: { httpStatusCode: 403 },
    });
    await emulator.current.clock.advance("60 seconds");
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  });
});
