import type { Access } from "../../core/access/access";
import type { Authorizer } from "../../core/access/authorizer";
import { parseArn } from "../../core/arn";
import type { Bus } from "../../core/bus";
import { AwsError } from "../../core/errors";
import type { ServiceCaller } from "../../core/service-caller";
import type { Bucket } from "./model";
import type { Target } from "./notifications";

/** A bucket as those see it that it sends to. */
const callerOf = (bucket: Bucket): ServiceCaller => ({
  principal: "s3.amazonaws.com",
  sourceArn: `arn:aws:s3:::${bucket.name}`,
  sourceAccount: bucket.account,
});

type Check = (bus: Bus, arn: string, caller: ServiceCaller) => Promise<string | undefined>;

const mayPublish = (kind: string, access: Authorizer, caller: ServiceCaller, asked: Access) =>
  access.checkService(caller, asked) &&
  `Permissions on the destination ${kind} do not allow S3 to publish notifications from this bucket`;

const checks: Record<Target["service"], Check> = {
  async sqs(bus, arn, caller) {
    const { Policy, FifoQueue } = await (await bus.to("sqs")).attributes(arn);
    if (FifoQueue === "true") return "FIFO queues are not supported as a destination of event notifications";
    return mayPublish("queue", bus.access, caller, { action: "sqs:SendMessage", resource: arn, policy: Policy });
  },
  async lambda(bus, arn, caller) {
    const policy = await (await bus.to("lambda")).policy(arn);
    const denial = bus.access.checkService(caller, { action: "lambda:InvokeFunction", resource: arn, policy });
    return denial && `Not authorized to invoke function [${arn}]`;
  },
  async sns(bus, arn, caller) {
    const { Policy } = await (await bus.to("sns")).attributes(arn);
    return mayPublish("topic", bus.access, caller, { action: "sns:Publish", resource: arn, policy: Policy });
  },
};

const missing: Record<Target["service"], string> = {
  sqs: "The destination queue does not exist",
  lambda: "The destination Lambda function does not exist",
  sns: "The destination topic does not exist",
};

/** Why a bucket may not send to a destination; undefined where it may. */
export async function refusal(bus: Bus, bucket: Bucket, { service, arn }: Target): Promise<string | undefined> {
  if (parseArn(arn)?.region !== bucket.region) {
    return "The notification destination service region is not valid for the bucket location constraint";
  }
  try {
    return await checks[service](bus, arn, callerOf(bucket));
  } catch (error) {
    if (error instanceof AwsError) return missing[service];
    throw error;
  }
}

/** Sends a message to a destination. Rejects with the reason where it is not there or lets the bucket not send. */
export async function send(bus: Bus, bucket: Bucket, { service, arn }: Target, message: string): Promise<void> {
  const caller = callerOf(bucket);
  if (service === "sqs") await (await bus.to("sqs")).send(arn, { body: message }, caller);
  else if (service === "lambda") await (await bus.to("lambda")).invokeAsync(arn, message, caller);
  else await (await bus.to("sns")).publish(arn, { message, subject: "Amazon S3 Notification" }, caller);
}
