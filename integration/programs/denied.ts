import * as aws from "@pulumi/aws";
import { InlineFunction } from "../../components/inline-function";

/** A function whose role lacks what it does. */

const queue = new aws.sqs.Queue("jobs");
const worker = new InlineFunction("worker", {
  title: "worker",
  environment: { QUEUE: queue.url },
  factory: () => async () => {
    const { SQSClient, SendMessageCommand } = await import("@aws-sdk/client-sqs");
    await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: "hello" }));
  },
});

export const functionName = worker.function.name;
export const queueArn = queue.arn;
export const roleArn = worker.role.arn;
