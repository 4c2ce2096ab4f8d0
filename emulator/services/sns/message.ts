import type { Published } from "./publish";
import type { Signer } from "./signing";
import type { Subscription } from "./state";

/** Addresses that messages carry. */
export interface Links {
  readonly certificate: string;
  readonly unsubscribe: string;
}

/** Where the emulator answers the links of messages: the path of the certificate, and of the query actions. */
export const linkBase = (endpoint: string) => `${endpoint}/_aws/sns/`;

export const confirmLink = (endpoint: string, topicArn: string, token: string) =>
  `${linkBase(endpoint)}?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`;

export const unsubscribeLink = (endpoint: string, subscriptionArn: string) =>
  `${linkBase(endpoint)}?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;

/** Message attributes as JSON shows them: binary values in base64. */
const shownAttributes = ({ attributes }: Published) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType = "", StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: BinaryValue ? Buffer.from(BinaryValue).toString("base64") : StringValue },
    ]),
  );

/**
 * The JSON that queues and HTTP endpoints get
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html).
 *
 * @param time milliseconds since the epoch.
 */
export async function envelope(
  subscription: Subscription,
  published: Published,
  time: number,
  signer: Signer,
  endpoint: string,
) {
  const { topic, protocol, arn } = subscription;
  const version = topic.attributes.SignatureVersion ?? "1";
  const message = {
    Type: "Notification",
    MessageId: published.id,
    TopicArn: topic.arn,
    ...(published.subject !== undefined && { Subject: published.subject }),
    Message: published.textFor(protocol),
    Timestamp: new Date(time).toISOString(),
  };
  return {
    ...message,
    SignatureVersion: version,
    Signature: await signer.sign(message, version),
    SigningCertURL: `${linkBase(endpoint)}${signer.file}`,
    UnsubscribeURL: unsubscribeLink(endpoint, arn),
    ...(Object.keys(published.attributes).length > 0 && { MessageAttributes: shownAttributes(published) }),
  };
}

type Envelope = Awaited<ReturnType<typeof envelope>>;

/** The event that functions get (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html). */
export const lambdaEvent = (subscription: Subscription, published: Published, full: Envelope) => ({
  Records: [
    {
      EventSource: "aws:sns",
      EventVersion: "1.0",
      EventSubscriptionArn: subscription.arn,
      Sns: {
        Type: full.Type,
        MessageId: full.MessageId,
        TopicArn: full.TopicArn,
        Subject: published.subject ?? null,
        Message: full.Message,
        Timestamp: full.Timestamp,
        SignatureVersion: full.SignatureVersion,
        Signature: full.Signature,
        // Functions see these two names with small letters.
        SigningCertUrl: full.SigningCertURL,
        UnsubscribeUrl: full.UnsubscribeURL,
        MessageAttributes: shownAttributes(published),
      },
    },
  ],
});

/** What asks an HTTP endpoint to confirm its subscription. */
export async function confirmation(
  subscription: Subscription,
  token: string,
  id: string,
  time: number,
  signer: Signer,
  endpoint: string,
) {
  const { topic } = subscription;
  const version = topic.attributes.SignatureVersion ?? "1";
  const message = {
    Type: "SubscriptionConfirmation",
    MessageId: id,
    Token: token,
    TopicArn: topic.arn,
    Message: `You have chosen to subscribe to the topic ${topic.arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
    SubscribeURL: confirmLink(endpoint, topic.arn, token),
    Timestamp: new Date(time).toISOString(),
  };
  const SigningCertURL = `${linkBase(endpoint)}${signer.file}`;
  return { ...message, SignatureVersion: version, Signature: await signer.sign(message, version), SigningCertURL };
}
