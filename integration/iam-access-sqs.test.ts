import * as SQS from "@aws-sdk/client-sqs";
import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { expectNeeds, makeUser, policyOf, type User } from "./harness/identities";

const emulator = useEmulator();
const arn = (name: string) => `arn:aws:sqs:eu-west-1:000000000000:${name}`;
const url = (name: string) => `${emulator.current.endpoint}/000000000000/${name}`;
const denied = { name: "AccessDenied", $metadata: { httpStatusCode: 403 } };

let admin: SQS.SQS;
let user: User;
let sqs: SQS.SQS;
beforeAll(async () => {
  admin = new SQS.SQS(settings(emulator.current));
  await admin.createQueue({ QueueName: "letters" });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn("letters"), maxReceiveCount: 5 });
  await admin.createQueue({ QueueName: "jobs", Attributes: { RedrivePolicy } });
  await admin.createQueue({ QueueName: "elsewhere" });
  user = await makeUser(emulator.current);
  sqs = new SQS.SQS(user.settings);
});
beforeEach(() => user.allow());

type Case = [what: string, call: () => Promise<unknown>, ...needed: [action: string, queue: string][]];
const redrive: [string, string][] = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map((action) => [
  action,
  "letters",
]);
const jobs = () => ({ QueueUrl: url("jobs") });

describe("what a user may not do with queues is said in AWS's words, and the suggested statement allows it", () => {
  test.each<Case>([
    ["ListQueues", () => sqs.listQueues(), ["ListQueues", "*"]],
    ["GetQueueUrl", () => sqs.getQueueUrl({ QueueName: "jobs" }), ["GetQueueUrl", "jobs"]],
    [
      "CreateQueue with tags",
      () => sqs.createQueue({ QueueName: "made", tags: { a: "b" } }),
      ["CreateQueue", "made"],
      ["TagQueue", "made"],
    ],
    ["SendMessage", () => sqs.sendMessage({ ...jobs(), MessageBody: "x" }), ["SendMessage", "jobs"]],
    [
      "SendMessageBatch",
      () => sqs.sendMessageBatch({ ...jobs(), Entries: [{ Id: "1", MessageBody: "x" }] }),
      ["SendMessage", "jobs"],
    ],
    ["ReceiveMessage", () => sqs.receiveMessage(jobs()), ["ReceiveMessage", "jobs"]],
    ["PurgeQueue", () => sqs.purgeQueue(jobs()), ["PurgeQueue", "jobs"]],
    [
      "StartMessageMoveTask",
      () => sqs.startMessageMoveTask({ SourceArn: arn("letters") }),
      ...[["StartMessageMoveTask", "letters"] as [string, string], ...redrive],
      ["SendMessage", "jobs"],
    ],
    [
      "StartMessageMoveTask to another queue",
      () => sqs.startMessageMoveTask({ SourceArn: arn("letters"), DestinationArn: arn("elsewhere") }),
      ...[["StartMessageMoveTask", "letters"] as [string, string], ...redrive],
      ["SendMessage", "elsewhere"],
    ],
    [
      "ListMessageMoveTasks",
      () => sqs.listMessageMoveTasks({ SourceArn: arn("letters") }),
      ["ListMessageMoveTasks", "letters"],
      ["GetQueueAttributes", "letters"],
    ],
  ])("%s", async (_, call, ...needed) => {
    await emulator.current.clock.advance("1 minute");
    await expectNeeds(
      emulator.current,
      user,
      call,
      needed.map(([action, queue]) => [`sqs:${action}`, arn(queue)] as const),
    );
  });
});

describe("the policy of a queue", () => {
  const stranger = () => new SQS.SQS(settings(emulator.current, { accessKeyId: "111122223333" }));
  const set = (Action: string, Principal: unknown, Condition?: object) =>
    admin.setQueueAttributes({
      QueueUrl: url("jobs"),
      Attributes: { Policy: policyOf({ Effect: "Allow", Principal, Action, Resource: arn("jobs"), Condition }) },
    });

  it("lets in another account, but not to what belongs to the owner alone", async () => {
    const send = () => stranger().sendMessage({ ...jobs(), MessageBody: "x" });
    await expect(send()).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: sqs:sendmessage on resource: ${arn("jobs")} because no resource-based policy allows the sqs:sendmessage action`,
    });
    await set("sqs:*", { AWS: "111122223333" });
    await send();
    await expect(stranger().deleteQueue(jobs())).rejects.toMatchObject(denied);
    await expect(stranger().setQueueAttributes({ ...jobs(), Attributes: {} })).rejects.toMatchObject(denied);
  });

  it("lets everyone in that it says, also who signs no request", async () => {
    const QueueUrl = "https://sqs.eu-west-1.amazonaws.com/000000000000/jobs";
    const fields = { Action: "SendMessage", Version: "2012-11-05", MessageBody: "x", QueueUrl };
    const send = async () =>
      (await fetch(emulator.current.endpoint, { method: "POST", body: new URLSearchParams(fields) })).status;
    expect(await send()).toBe(403);
    await set("SQS:SendMessage", "*");
    expect(await send()).toBe(200);
  });
});

it("conditions see the tags of queues", async () => {
  const Condition = { StringEquals: { "aws:ResourceTag/team": "iot" } };
  await user.allow({ Effect: "Allow", Action: "sqs:*", Resource: "*", Condition });
  await admin.setQueueAttributes({ ...jobs(), Attributes: { Policy: "" } });
  await expect(sqs.receiveMessage(jobs())).rejects.toMatchObject(denied);
  await admin.tagQueue({ ...jobs(), Tags: { team: "iot" } });
  await sqs.receiveMessage(jobs());
});
