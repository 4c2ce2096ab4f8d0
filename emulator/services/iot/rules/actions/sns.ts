import { defineAction, oneOf, required } from "./action";

/** https://docs.aws.amazon.com/iot/latest/developerguide/sns-rule-action.html */
export const sns = defineAction("sns", {
  title: "SnsAction",
  attempt: "publish the notification",
  service: "AmazonSNS",
  members: { roleArn: required, targetArn: required, messageFormat: oneOf("RAW", "JSON") },
  compile({ targetArn = "", messageFormat }, { bus, template }) {
    const topic = template(targetArn, "targetArn");
    return {
      resource: targetArn,
      async prepare({ message, fill, payload }) {
        const arn = await fill(topic);
        return {
          lane: `${arn} ${message.topic}`,
          resource: arn,
          detail: `TargetArn: ${arn}`,
          async send(by) {
            const port = bus.ready("sns") ?? (await bus.to("sns"));
            const structure = messageFormat === "JSON" ? { messageStructure: "json" as const } : {};
            await port.publish(arn, { message: payload.toString("utf8"), ...structure }, by);
          },
        };
      },
    };
  },
});
