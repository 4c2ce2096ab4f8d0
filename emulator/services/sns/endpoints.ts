import type { QueueMessage } from "../../core/bus";
import { AwsError, mayPass } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Host } from "../../core/service";
import type { ServiceCaller } from "../../core/service-caller";
import { envelope, lambdaEvent } from "./message";
import type { Published } from "./publish";
import type { Signer } from "./signing";
import type { Subscription, Topic } from "./state";

/** A delivery that failed. `permanent`: trying again cannot help. */
export class Refused extends Error {
  constructor(
    readonly permanent: boolean,
    message: string,
  ) {
    super(message);
  }
}

/** A message on its way to one subscriber. */
export interface Sending {
  readonly subscription: Subscription;
  readonly published: Published;
  /** When it was published, in milliseconds since the epoch. */
  readonly time: number;
}

/** SQS takes no more; a raw message with more is refused. */
const mostRawAttributes = limits.sns.rawAttributes.value;

/** A topic as those see it that it sends to. */
export const callerOf = (topic: Topic): ServiceCaller => ({
  principal: "sns.amazonaws.com",
  sourceArn: topic.arn,
  sourceAccount: topic.account,
});

const forQueue = ({ attributes }: Published): QueueMessage["messageAttributes"] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType = "", StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        ...(BinaryValue ? { binaryValue: Buffer.from(BinaryValue).toString("base64") } : { stringValue: StringValue }),
      },
    ]),
  );

const isRaw = ({ attributes }: Subscription) => attributes.RawMessageDelivery === "true";

/** What a queue gets: the envelope, or the message alone with its attributes. */
export async function queueMessage(host: Host, signer: Signer, { subscription, published, time }: Sending) {
  if (isRaw(subscription)) return { body: published.textFor("sqs"), messageAttributes: forQueue(published) };
  return { body: JSON.stringify(await envelope(subscription, published, time, signer, host.endpoint())) };
}

async function toQueue(host: Host, signer: Signer, sending: Sending): Promise<void> {
  const { subscription, published } = sending;
  const message = await queueMessage(host, signer, sending);
  if (isRaw(subscription) && Object.keys(published.attributes).length > mostRawAttributes) {
    throw new Refused(true, `a raw message to a queue can have ${mostRawAttributes} attributes`);
  }
  const sqs = await host.bus.to("sqs");
  await sqs.send(subscription.endpoint, message, callerOf(subscription.topic));
}

async function toFunction(host: Host, signer: Signer, { subscription, published, time }: Sending): Promise<void> {
  const full = await envelope(subscription, published, time, signer, host.endpoint());
  const event = JSON.stringify(lambdaEvent(subscription, published, full));
  const lambda = await host.bus.to("lambda");
  await lambda.invokeAsync(subscription.endpoint, event, callerOf(subscription.topic));
}

/** User and password of a URL, or "" where it has none; undefined where they are not percent-encoded text. */
export function loginOf({ username, password }: URL): string | undefined {
  try {
    return username && `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    return undefined;
  }
}

/** Posts to an HTTP endpoint, with SNS's headers. 4xx answers but 429 are final (developer guide, delivery retries). */
export async function post(
  { endpoint, topic, arn }: Subscription,
  message: { type: string; id: string; body: string; raw?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(endpoint);
  const login = loginOf(url);
  url.username = "";
  url.password = "";
  const response = await fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "text/plain; charset=UTF-8",
      "user-agent": "Amazon Simple Notification Service Agent",
      "x-amz-sns-message-type": message.type,
      "x-amz-sns-message-id": message.id,
      "x-amz-sns-topic-arn": topic.arn,
      ...(message.type === "Notification" && { "x-amz-sns-subscription-arn": arn }),
      ...(message.raw && { "x-amz-sns-rawdelivery": "true" }),
      ...(login && { authorization: `Basic ${Buffer.from(login).toString("base64")}` }),
    },
    body: message.body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.sns.endpointAnswer.value)]),
  }).catch((error: Error) => {
    throw new Refused(false, `${url.host} could not be reached: ${error.name}`);
  });
  await response.body?.cancel();
  if (response.status >= 200 && response.status < 300) return;
  const permanent = response.status < 500 && response.status !== 429;
  throw new Refused(permanent, `${url.host} answered ${response.status}`);
}

async function toUrl(host: Host, signer: Signer, sending: Sending, signal: AbortSignal): Promise<void> {
  const { subscription, published, time } = sending;
  const raw = isRaw(subscription);
  const body = raw
    ? published.textFor(subscription.protocol)
    : JSON.stringify(await envelope(subscription, published, time, signer, host.endpoint()));
  await post(subscription, { type: "Notification", id: published.id, body, raw }, signal);
}

/** Sends a message to its subscriber. Rejects with {@link Refused}. */
export async function deliver(host: Host, signer: Signer, sending: Sending, signal: AbortSignal): Promise<void> {
  try {
    const { protocol } = sending.subscription;
    if (protocol === "sqs") await toQueue(host, signer, sending);
    else if (protocol === "lambda") await toFunction(host, signer, sending);
    else await toUrl(host, signer, sending, signal);
  } catch (error) {
    // The service was reached and refused: a queue or a function that is gone does not come back by waiting.
    if (error instanceof AwsError) throw new Refused(!mayPass(error), error.message);
    throw error;
  }
}
