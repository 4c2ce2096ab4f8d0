import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { InlineFunction } from "./inline-function";
import type { PolicyStatement } from "./policy";

/** What an event source needs of its queue (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html). */
export const consuming = ({ arn }: aws.sqs.Queue): PolicyStatement => ({
  actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  resources: [arn],
});

/** Runs a function for a queue's messages; those that its answer names come again. */
export function triggerByQueue(
  name: string,
  queue: aws.sqs.Queue,
  handler: InlineFunction,
  settings: Partial<aws.lambda.EventSourceMappingArgs>,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.EventSourceMapping {
  return new aws.lambda.EventSourceMapping(
    `${name}-trigger`,
    {
      eventSourceArn: queue.arn,
      functionName: handler.function.name,
      functionResponseTypes: ["ReportBatchItemFailures"],
      ...settings,
    },
    opts,
  );
}
