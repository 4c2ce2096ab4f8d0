import * as SNS from "@aws-sdk/client-sns";
import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { denialOf, expectNeeds, makeUser, policyOf, type User } from "./harness/identities";

// Nothing is behind the subscriptions.
const emulator = useEmulator({ onFault() {} });
const TopicArn = "arn:aws:sns:eu-west-1:000000000000:alarms";
const queue = "arn:aws:sqs:eu-west-1:000000000000:inbox";
const denied = { name: "AuthorizationErrorException", $metadata: { httpStatusCode: 403 } };

let admin: SNS.SNS;
let user: User;
let sns: SNS.SNS;
let SubscriptionArn: string;

beforeAll(async () => {
  admin = new SNS.SNS(settings(emulator.current));
  user = await makeUser(emulator.current);
  sns = new SNS.SNS(user.settings);
});
beforeEach(async () => {
  await user.allow();
  await admin.deleteTopic({ TopicArn });
  await admin.createTopic({ Name: "alarms" });
  ({ SubscriptionArn: SubscriptionArn = "" } = await admin.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue }));
});

type Case = [what: string, call: () => Promise<unknown>, ...needed: [action: string, resource: string][]];

describe("what a user may not do with topics is said in AWS's words, and the suggested statement allows it", () => {
  const made = "arn:aws:sns:eu-west-1:000000000000:made";
  const role = "arn:aws:iam::000000000000:role/feedback";
  const entry = { Id: "1", Message: "x" };
  test.each<Case>([
    ["ListTopics", () => sns.listTopics(), ["SNS:ListTopics", "arn:aws:sns:eu-west-1:000000000000:*"]],
    ["Publish", () => sns.publish({ TopicArn, Message: "x" }), ["SNS:Publish", TopicArn]],
    [
      "PublishBatch",
      () => sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [entry] }),
      ["SNS:Publish", TopicArn],
    ],
    ["GetTopicAttributes", () => sns.getTopicAttributes({ TopicArn }), ["SNS:GetTopicAttributes", TopicArn]],
    [
      "CreateTopic with tags",
      () => sns.createTopic({ Name: "made", Tags: [{ Key: "a", Value: "b" }] }),
      ["SNS:CreateTopic", made],
      ["SNS:TagResource", made],
    ],
    [
      "SetTopicAttributes of a role",
      () => sns.setTopicAttributes({ TopicArn, AttributeName: "SQSFailureFeedbackRoleArn", AttributeValue: role }),
      ["SNS:SetTopicAttributes", TopicArn],
      ["iam:PassRole", role],
    ],
    ["Subscribe", () => sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue }), ["SNS:Subscribe", TopicArn]],
    [
      "GetSubscriptionAttributes",
      () => sns.getSubscriptionAttributes({ SubscriptionArn }),
      ["SNS:GetSubscriptionAttributes", TopicArn],
    ],
    ["Unsubscribe", () => sns.unsubscribe({ SubscriptionArn }), ["SNS:Unsubscribe", TopicArn]],
  ])("%s", async (_, call, ...needed) => expectNeeds(emulator.current, user, call, needed));
});

it("a topic's first policy lets in nobody by itself", async () => {
  await expect(sns.publish({ TopicArn, Message: "x" })).rejects.toMatchObject({
    ...denied,
    message: denialOf(user, "SNS:Publish", TopicArn),
  });
});

it("a topic's policy lets in a user whom no other policy does, however the action is written", async () => {
  const statement = { Effect: "Allow", Principal: { AWS: user.arn }, Action: "sns:PUBLISH", Resource: TopicArn };
  await admin.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue: policyOf(statement) });
  await sns.publish({ TopicArn, Message: "x" });
  await expect(sns.deleteTopic({ TopicArn })).rejects.toMatchObject(denied);
});

it("conditions see where a subscription would send to", async () => {
  const Condition = { StringEquals: { "sns:Protocol": "sqs" }, StringLike: { "sns:Endpoint": "*:mine-*" } };
  await user.allow({ Effect: "Allow", Action: "SNS:Subscribe", Resource: "*", Condition });
  const subscribe = (Protocol: string, Endpoint: string) => sns.subscribe({ TopicArn, Protocol, Endpoint });
  await subscribe("sqs", "arn:aws:sqs:eu-west-1:000000000000:mine-1");
  await expect(subscribe("sqs", queue)).rejects.toMatchObject(denied);
  await expect(subscribe("https", "https://example.com/:mine-2")).rejects.toMatchObject(denied);
});

it("a subscription is its owner's to see and end, also in another account, and the topic's owner's", async () => {
  const stranger = new SNS.SNS(settings(emulator.current, { accessKeyId: "111122223333" }));
  const third = new SNS.SNS(settings(emulator.current, { accessKeyId: "222233334444" }));
  const permission = { TopicArn, Label: "guest", AWSAccountId: ["111122223333"], ActionName: ["Subscribe"] };
  await admin.addPermission(permission);
  const endpoint = { TopicArn, Protocol: "sqs", Endpoint: "arn:aws:sqs:eu-west-1:111122223333:inbox" };
  const { SubscriptionArn: foreign } = await stranger.subscribe(endpoint);
  await stranger.setSubscriptionAttributes({
    ...{ SubscriptionArn: foreign, AttributeName: "RawMessageDelivery", AttributeValue: "true" },
  });
  await admin.getSubscriptionAttributes({ SubscriptionArn: foreign });
  await expect(third.unsubscribe({ SubscriptionArn: foreign })).rejects.toMatchObject(denied);
  await expect(stranger.unsubscribe({ SubscriptionArn })).rejects.toMatchObject(denied);
  await stranger.unsubscribe({ SubscriptionArn: foreign });
});
