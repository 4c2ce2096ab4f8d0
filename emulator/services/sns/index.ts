import type * as Sdk from "@aws-sdk/client-sns";
import { AwsError } from "../../core/errors";
import { type DataPlaneRequest, defineService } from "../../core/service";
import { access } from "./access";
import { describeTopic } from "./attributes";
import { Delivery } from "./delivery";
import { accessDenied } from "./errors";
import { accept, publishOperations } from "./publish";
import { guarded } from "./regions";
import { Store } from "./state";
import { confirm, subscriptionOperations, unsubscribe } from "./subscriptions";
import { topicOperations } from "./topics";

/**
 * Amazon SNS: standard topics with subscribers at SQS, Lambda and HTTP.
 *
 * Not emulated, so answered with 501: FIFO topics, email, SMS, mobile push, Firehose, data protection policies. Topic
 * policies decide with IAM what callers may do, and alone what services may.
 */
export const definition = defineService<typeof Sdk>({
  sdk: () => require("@aws-sdk/client-sns"),
  client: "SNSClient",
  create(host) {
    const store = new Store();
    const delivery = new Delivery(host);
    const reset = () => {
      delivery.clear();
      store.clear();
    };
    return {
      operations: guarded({
        ...topicOperations(store),
        ...subscriptionOperations(store, delivery),
        ...publishOperations(store, delivery),
      }),
      access: access(store),
      ports: {
        sns: {
          async publish(topicArn, { message, subject, messageStructure, messageAttributes = {} }, by) {
            const topic = store.topic(topicArn);
            const { Policy: policy } = describeTopic(topic);
            host.bus.access.demand(by, { action: "sns:Publish", resource: topicArn, policy }, accessDenied);
            const { published } = accept({
              Message: message,
              Subject: subject,
              MessageStructure: messageStructure,
              MessageAttributes: Object.fromEntries(
                Object.entries(messageAttributes).map(([name, { dataType, stringValue, binaryValue }]) => [
                  name,
                  {
                    DataType: dataType,
                    StringValue: stringValue,
                    BinaryValue: binaryValue === undefined ? undefined : Buffer.from(binaryValue, "base64"),
                  },
                ]),
              ),
            });
            delivery.publish(topic, published);
            return { messageId: published.id };
          },
          async attributes(topicArn) {
            return describeTopic(store.topic(topicArn));
          },
        },
      },
      serve: (request) => serveLink(request, store, delivery),
      reset,
      close: reset,
    };
  },
});

/** The links in messages: the certificate, and the two actions that need no credentials. */
async function serveLink(request: DataPlaneRequest, store: Store, delivery: Delivery): Promise<void> {
  const { response, id, query } = request;
  const reply = (type: string, body: string) => void response.writeHead(200, { "content-type": type }).end(body);
  if (id === delivery.signer.file) return reply("application/x-pem-file", await delivery.signer.certificate());
  const fields = new URLSearchParams(query);
  const action = id === "" ? fields.get("Action") : undefined;
  if (action === "ConfirmSubscription") {
    const { arn } = confirm(store, fields.get("TopicArn") ?? undefined, fields.get("Token") ?? undefined);
    return reply("text/xml", xml(action, `<SubscriptionArn>${arn}</SubscriptionArn>`));
  }
  if (action === "Unsubscribe") {
    unsubscribe(store, fields.get("SubscriptionArn") ?? undefined);
    return reply("text/xml", xml(action, ""));
  }
  throw new AwsError("InvalidAction", "The link is none that a message of SNS carries.", 400);
}

const xml = (action: string, result: string) =>
  `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${action}Result>${result}</${action}Result></${action}Response>`;
