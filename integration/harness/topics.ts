import * as SNS from "@aws-sdk/client-sns";
import * as SQS from "@aws-sdk/client-sqs";
import { expect } from "vitest";

/** The account behind the harness's credentials. */
export const account = "000000000000";

let queues = 0;

/** A policy that lets a service use a resource for another one of this account. */
export const servicePolicy = (service: string, action: string, resource: string, sourceArn: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: service },
        Action: action,
        Resource: resource,
        Condition: { ArnEquals: { "aws:SourceArn": sourceArn }, StringEquals: { "aws:SourceAccount": account } },
      },
    ],
  });

/** A queue whose policy lets a service send for a resource; `allow` sets that policy, `forbid` takes it away. */
export async function makeOpenQueue(sqs: SQS.SQSClient, service: string, sourceArn: string) {
  const QueueName = `told-${++queues}`;
  const arn = `arn:aws:sqs:eu-west-1:${account}:${QueueName}`;
  const { QueueUrl = "" } = await sqs.send(new SQS.CreateQueueCommand({ QueueName }));
  const set = (Policy: string) => sqs.send(new SQS.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const allow = () => set(servicePolicy(service, "sqs:SendMessage", arn, sourceArn));
  await allow();
  return { url: QueueUrl, arn, allow, forbid: () => set("") };
}

/** Takes what is in a queue now, oldest first. */
export async function take(sqs: SQS.SQSClient, QueueUrl: string): Promise<SQS.Message[]> {
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
  const { Messages = [] } = await sqs.send(new SQS.ReceiveMessageCommand(input));
  for (const { ReceiptHandle } of Messages) await sqs.send(new SQS.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages;
}

/** Waits for this many messages and takes them, oldest first. */
export async function takeUntil(sqs: SQS.SQSClient, url: string, count: number): Promise<SQS.Message[]> {
  const found: SQS.Message[] = [];
  const more = async () => {
    found.push(...(await take(sqs, url)));
    return found.length;
  };
  await expect.poll(more, { timeout: 15_000, interval: 20 }).toBeGreaterThanOrEqual(count);
  return found;
}

/** Makes a topic with a name of its own. Gives its ARN. */
export async function makeTopic(sns: SNS.SNSClient, Attributes: Record<string, string> = {}): Promise<string> {
  const { TopicArn = "" } = await sns.send(new SNS.CreateTopicCommand({ Name: `topic-${++queues}`, Attributes }));
  return TopicArn;
}
