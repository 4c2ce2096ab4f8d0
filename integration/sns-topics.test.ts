import * as SNS from "@aws-sdk/client-sns";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { failure } from "./harness/s3";
import { account, makeTopic } from "./harness/topics";

const emulator = useEmulator();
let sns: SNS.SNSClient;
beforeAll(() => {
  sns = new SNS.SNSClient(settings(emulator.current));
});

const create = (Name: string, more: Partial<SNS.CreateTopicCommandInput> = {}) =>
  sns.send(new SNS.CreateTopicCommand({ Name, ...more }));
const subscribe = (TopicArn: string, Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
  sns.send(new SNS.SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes }));
const queueArn = (name: string) => `arn:aws:sqs:eu-west-1:${account}:${name}`;

describe("topics", () => {
  it("are made once by name, and refused where they would differ", async () => {
    const Tags = [{ Key: "team", Value: "iot" }];
    const { TopicArn } = await create("alarms", { Attributes: { DisplayName: "Alarms" }, Tags });
    expect(TopicArn).toBe(`arn:aws:sns:eu-west-1:${account}:alarms`);
    expect(await create("alarms")).toMatchObject({ TopicArn });
    expect(await failure(create("alarms", { Attributes: { DisplayName: "Others" } }))).toMatchObject({
      name: "InvalidParameterException",
      message: "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
      status: 400,
    });
    expect((await failure(create("alarms", { Tags: [{ Key: "a", Value: "b" }] }))).message).toContain("different tags");
    const { Attributes } = await sns.send(new SNS.GetTopicAttributesCommand({ TopicArn }));
    expect(Attributes).toMatchObject({ TopicArn, Owner: account, DisplayName: "Alarms", SubscriptionsConfirmed: "0" });
    expect(JSON.parse(Attributes!.Policy!)).toMatchObject({ Id: "__default_policy_ID" });
    expect(await sns.send(new SNS.ListTagsForResourceCommand({ ResourceArn: TopicArn }))).toMatchObject({ Tags });
  });

  it.each([
    ["a name with spaces", () => create("two words"), "InvalidParameterException", 400],
    ["an unknown attribute", () => create("x", { Attributes: { Colour: "red" } }), "InvalidParameterException", 400],
    [
      "FIFO, which is not emulated",
      () => create("x.fifo", { Attributes: { FifoTopic: "true" } }),
      "NotImplemented",
      501,
    ],
  ])("refuse %s and change nothing", async (_what, call, name, status) => {
    expect(await failure(call())).toMatchObject({ name, status });
    const { Topics = [] } = await sns.send(new SNS.ListTopicsCommand({}));
    expect(Topics.map(({ TopicArn }) => TopicArn?.split(":").at(-1))).not.toContain("x");
  });

  it("are listed in pages, and are gone once deleted", async () => {
    const made = await Promise.all(Array.from({ length: 105 }, () => makeTopic(sns)));
    const first = await sns.send(new SNS.ListTopicsCommand({}));
    const rest = await sns.send(new SNS.ListTopicsCommand({ NextToken: first.NextToken }));
    expect(first.Topics).toHaveLength(100);
    const listed = [...first.Topics!, ...rest.Topics!].map(({ TopicArn }) => TopicArn);
    expect(listed).toEqual(expect.arrayContaining(made));
    const TopicArn = made[0]!;
    await sns.send(new SNS.DeleteTopicCommand({ TopicArn }));
    await sns.send(new SNS.DeleteTopicCommand({ TopicArn }));
    expect(await failure(sns.send(new SNS.PublishCommand({ TopicArn, Message: "x" })))).toMatchObject({
      name: "NotFoundException",
      message: "Topic does not exist",
      status: 404,
    });
  });
});

describe("subscriptions", () => {
  it("are the same again for the same endpoint, and are listed until they end", async () => {
    const TopicArn = await makeTopic(sns);
    const { SubscriptionArn } = await subscribe(TopicArn, "sqs", queueArn("a"), { RawMessageDelivery: "true" });
    expect(await subscribe(TopicArn, "sqs", queueArn("a"))).toMatchObject({ SubscriptionArn });
    expect(
      (await failure(subscribe(TopicArn, "sqs", queueArn("a"), { RawMessageDelivery: "false" }))).message,
    ).toContain("Subscription already exists with different attributes");
    const list = async () =>
      (await sns.send(new SNS.ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions ?? [];
    expect(await list()).toMatchObject([{ SubscriptionArn, Protocol: "sqs", Endpoint: queueArn("a"), TopicArn }]);
    await sns.send(new SNS.UnsubscribeCommand({ SubscriptionArn }));
    await sns.send(new SNS.UnsubscribeCommand({ SubscriptionArn }));
    expect(await list()).toEqual([]);
  });

  it.each([
    ["sqs", "no-arn", {}, "SQS endpoint ARN", 400],
    ["sqs", queueArn("a.fifo"), {}, "FIFO SQS Queues can not be subscribed to standard SNS topics", 400],
    ["lambda", queueArn("a"), {}, "Lambda endpoint ARN", 400],
    ["https", "http://example.com", {}, "Endpoint must match the specified protocol", 400],
    ["http", "http://user:%zz@127.0.0.1/", {}, "user name and password must be percent-encoded", 400],
    ["carrier-pigeon", "x", {}, "does not support this protocol string", 400],
    ["email", "a@example.com", {}, "not emulated", 501],
    ["sqs", queueArn("a"), { RawMessageDelivery: "maybe" }, "Must be true or false", 400],
    ["sqs", queueArn("a"), { FilterPolicy: "{" }, "FilterPolicy Reason: failed to parse JSON", 400],
    [
      "sqs",
      queueArn("a"),
      { RedrivePolicy: '{"deadLetterTargetArn":"x"}' },
      "deadLetterTargetArn is an invalid arn",
      400,
    ],
    ["sqs", queueArn("a"), { Colour: "red" }, "AttributeName", 400],
  ])("to %s at %s with %o are refused: %s", async (protocol, endpoint, attributes, message, status) => {
    const TopicArn = await makeTopic(sns);
    const refused = await failure(subscribe(TopicArn, protocol, endpoint, attributes as Record<string, string>));
    expect(refused).toMatchObject({ status, message: expect.stringContaining(message) });
    expect((await sns.send(new SNS.ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions).toEqual([]);
  });
});

describe("messages", () => {
  it.each([
    [{ Message: "" }, "Empty message"],
    [{ Message: "x".repeat(262_145) }, "Message too long"],
    [{ Message: "x", Subject: "two\nlines" }, "Subject"],
    [{ Message: "x", MessageStructure: "xml" }, "MessageStructure"],
    [
      { Message: "x", MessageAttributes: { a: { DataType: "Text", StringValue: "x" } } },
      "invalid message attribute type",
    ],
    [{ Message: "x", MessageAttributes: { a: { DataType: "String" } } }, "non-empty message attribute value"],
    [{ Message: "x", MessageAttributes: { a: { DataType: "Number", StringValue: "many" } } }, "cast"],
  ])("that cannot be are refused: case %#", async (input, message) => {
    const TopicArn = await makeTopic(sns);
    const refused = await failure(sns.send(new SNS.PublishCommand({ TopicArn, ...input })));
    expect(refused).toMatchObject({ status: 400, message: expect.stringContaining(message) });
  });
});

describe("another account", () => {
  it("does with a topic what its policy allows, and ends its own subscriptions", async () => {
    const TopicArn = await makeTopic(sns);
    const stranger = new SNS.SNS(settings(emulator.current, { accessKeyId: "111122223333" }));
    const denied = (action: string) => ({
      name: "AuthorizationErrorException",
      status: 403,
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: SNS:${action} on resource: ${TopicArn} because no resource-based policy allows the SNS:${action} action`,
    });
    const subscription = { TopicArn, Protocol: "sqs", Endpoint: queueArn("a") };
    expect(await failure(stranger.publish({ TopicArn, Message: "x" }))).toMatchObject(denied("Publish"));
    expect(await failure(stranger.subscribe(subscription))).toMatchObject(denied("Subscribe"));
    expect(await failure(stranger.deleteTopic({ TopicArn }))).toMatchObject(denied("DeleteTopic"));
    const ActionName = ["Publish", "Subscribe"];
    await sns.send(
      new SNS.AddPermissionCommand({ TopicArn, Label: "guest", AWSAccountId: ["111122223333"], ActionName }),
    );
    expect((await stranger.publish({ TopicArn, Message: "x" })).MessageId).toBeTruthy();
    const { SubscriptionArn } = await stranger.subscribe(subscription);
    expect(await failure(stranger.deleteTopic({ TopicArn }))).toMatchObject(denied("DeleteTopic"));
    await stranger.unsubscribe({ SubscriptionArn });
    const { Subscriptions } = await sns.send(new SNS.ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toEqual([]);
    stranger.destroy();
  });

  it("and other regions find no topic by its ARN", async () => {
    const TopicArn = await makeTopic(sns);
    const elsewhere = new SNS.SNS(settings(emulator.current, { region: "us-east-1" }));
    expect(await failure(elsewhere.getTopicAttributes({ TopicArn }))).toMatchObject({
      name: "InvalidParameterException",
      message: "Invalid parameter: TopicArn",
    });
    elsewhere.destroy();
  });
});
