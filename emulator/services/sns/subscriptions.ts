import { randomBytes, randomUUID } from "node:crypto";
import { parseArn } from "../../core/arn";
import { notEmulated } from "../../core/errors";
import { describeSubscription, readSubscription } from "./attributes";
import type { Delivery } from "./delivery";
import { loginOf } from "./endpoints";
import { invalidFor, invalidParameter, invalidToken, subscriptionNotFound } from "./errors";
import { page } from "./page";
import type { Protocol, Store, Subscription } from "./state";
import type { SnsOperations } from "./topics";

const pageSize = 100;
const elsewhere = new Set(["email", "email-json", "sms", "application", "firehose"]);

/** Refuses an endpoint that its protocol cannot reach. */
function checkEndpoint(protocol: string, endpoint: string): asserts protocol is Protocol {
  if (elsewhere.has(protocol)) {
    throw notEmulated("sns", "Subscribe", `protocol ${protocol}; sqs, lambda, http and https are`);
  }
  if (protocol === "sqs") {
    const arn = parseArn(endpoint);
    if (arn?.service !== "sqs" || !arn.resource) throw invalidParameter("SQS endpoint ARN");
    if (arn.resource.endsWith(".fifo")) {
      throw invalidParameter(
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
      );
    }
  } else if (protocol === "lambda") {
    const arn = parseArn(endpoint);
    if (arn?.service !== "lambda" || !/^function:/.test(arn.resource)) throw invalidParameter("Lambda endpoint ARN");
  } else if (protocol === "http" || protocol === "https") {
    if (!endpoint.startsWith(`${protocol}://`) || !URL.canParse(endpoint)) {
      throw invalidParameter("Endpoint must match the specified protocol");
    }
    if (loginOf(new URL(endpoint)) === undefined) {
      throw invalidFor("Endpoint", "user name and password must be percent-encoded UTF-8");
    }
  } else {
    throw invalidFor("Amazon SNS does not support this protocol string", protocol);
  }
}

const shown = (subscription: Subscription) => ({
  SubscriptionArn: subscription.token === undefined ? subscription.arn : "PendingConfirmation",
  Owner: subscription.owner,
  Protocol: subscription.protocol,
  Endpoint: subscription.endpoint,
  TopicArn: subscription.topic.arn,
});

/** Confirms the subscription that a token was made for. */
export function confirm(store: Store, topicArn: string | undefined, token: string | undefined): Subscription {
  const topic = store.topic(topicArn);
  const found = [...topic.subscriptions.values()].find((subscription) => token && subscription.token === token);
  if (!found) throw invalidToken();
  delete found.token;
  return found;
}

/** Ends a subscription; one that is gone already is no error. */
export function unsubscribe(store: Store, subscriptionArn: string | undefined): void {
  const subscription = store.subscription(subscriptionArn);
  if (!subscription) return;
  if (subscription.token !== undefined) {
    throw invalidFor("SubscriptionArn", "This operation is not permitted on a pending subscription");
  }
  subscription.topic.subscriptions.delete(subscription.arn);
  subscription.topic.deleted++;
}

/** Subscriptions, their confirmation and their attributes. */
export function subscriptionOperations(store: Store, delivery: Delivery): SnsOperations {
  const find = (arn: string | undefined): Subscription => {
    const subscription = store.subscription(arn);
    if (!subscription) throw subscriptionNotFound();
    return subscription;
  };
  return {
    Subscribe({ TopicArn, Protocol: protocol = "", Endpoint = "", Attributes = {}, ReturnSubscriptionArn }, context) {
      const topic = store.topic(TopicArn);
      checkEndpoint(protocol, Endpoint);
      const settings = readSubscription(Attributes);
      const answer = (subscription: Subscription) => ({
        SubscriptionArn:
          subscription.token === undefined || ReturnSubscriptionArn ? subscription.arn : "pending confirmation",
      });
      const existing = [...topic.subscriptions.values()].find(
        (one) => one.protocol === protocol && one.endpoint === Endpoint,
      );
      if (existing) {
        const differs = Object.entries(settings.attributes).some(
          ([name, value]) => existing.attributes[name] !== value,
        );
        if (differs) throw invalidFor("Attributes", "Subscription already exists with different attributes");
        if (existing.token !== undefined) delivery.askToConfirm(existing);
        return answer(existing);
      }
      const pending = protocol === "http" || protocol === "https";
      const subscription: Subscription = {
        arn: `${topic.arn}:${randomUUID()}`,
        topic,
        protocol,
        endpoint: Endpoint,
        owner: context.account,
        ...(pending && { token: randomBytes(128).toString("hex") }),
        ...settings,
      };
      topic.subscriptions.set(subscription.arn, subscription);
      if (pending) delivery.askToConfirm(subscription);
      return answer(subscription);
    },

    ConfirmSubscription: ({ TopicArn, Token }) => ({ SubscriptionArn: confirm(store, TopicArn, Token).arn }),

    Unsubscribe({ SubscriptionArn }) {
      unsubscribe(store, SubscriptionArn);
      return {};
    },

    ListSubscriptions({ NextToken }, context) {
      const all = [...store.topicsOf(context).values()].flatMap(({ subscriptions }) => [...subscriptions.values()]);
      const { items, next } = page(all, NextToken, pageSize);
      return { Subscriptions: items.map(shown), NextToken: next };
    },

    ListSubscriptionsByTopic({ TopicArn, NextToken }) {
      const { items, next } = page([...store.topic(TopicArn).subscriptions.values()], NextToken, pageSize);
      return { Subscriptions: items.map(shown), NextToken: next };
    },

    GetSubscriptionAttributes: ({ SubscriptionArn }) => ({ Attributes: describeSubscription(find(SubscriptionArn)) }),

    SetSubscriptionAttributes({ SubscriptionArn, AttributeName = "", AttributeValue = "" }) {
      const subscription = find(SubscriptionArn);
      Object.assign(subscription, readSubscription({ ...subscription.attributes, [AttributeName]: AttributeValue }));
      return {};
    },
  };
}
