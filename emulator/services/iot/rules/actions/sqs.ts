import { formatArn } from "../../../../core/arn";
import { AwsError } from "../../../../core/errors";
import { defineAction, required } from "./action";

const queuePath = /\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)\/?$/;
const hostRegion = /\/\/sqs\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

const invalidAddress = (url: string) =>
  new AwsError("InvalidAddress", `The address ${url} is not valid for this endpoint.`);

/** https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html */
export const sqs = defineAction("sqs", {
  title: "SqsAction",
  attempt: "send the message",
  service: "AmazonSQS",
  members: { roleArn: required, queueUrl: required, useBase64: {} },
  compile({ queueUrl = "", useBase64 }, { scope, bus, template }) {
    const queue = template(queueUrl, "queueUrl");
    return {
      resource: queueUrl,
      async prepare({ message, fill, payload }) {
        const url = await fill(queue);
        return {
          lane: `${url} ${message.topic}`,
          resource: url,
          detail: `QueueUrl: ${url}`,
          async send(by) {
            const [, account, name] = queuePath.exec(url) ?? [];
            if (account === undefined || name === undefined) throw invalidAddress(url);
            const region = hostRegion.exec(url)?.[1] ?? scope.region;
            const port = bus.ready("sqs") ?? (await bus.to("sqs"));
            const body = payload.toString(useBase64 ? "base64" : "utf8");
            await port.send(formatArn("sqs", region, account, name), { body }, by);
          },
        };
      },
    };
  },
});
