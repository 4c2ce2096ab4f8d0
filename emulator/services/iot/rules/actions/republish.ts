import type { MqttHeaders } from "@aws-sdk/client-iot";
import { formatArn } from "../../../../core/arn";
import type { MqttProperties } from "../../../../core/bus";
import { invalidRequest, payloadTooLarge, unauthorized } from "../../errors";
import { isReserved, payloadLimit, topicProblem } from "../../topics";
import { defineAction, type Firing, required, type Surroundings } from "./action";

/** After so many rules have passed a message on, it goes round in circles. AWS has no such limit, and bills each round. */
const mostRounds = 20;
/** So many messages of one are an avalanche: two actions that feed their own rule double it with each round. */
const mostRepublished = 1000;

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads the headers of MQTT 5 that the action adds. */
function headersOf(headers: MqttHeaders, template: Surroundings["template"]) {
  const field = (member: Exclude<keyof MqttHeaders, "userProperties">) => {
    const text = headers[member];
    return text === undefined ? undefined : template(text, `headers.${member}`);
  };
  const [indicator, contentType, responseTopic] = [
    field("payloadFormatIndicator"),
    field("contentType"),
    field("responseTopic"),
  ];
  const [correlationData, messageExpiry] = [field("correlationData"), field("messageExpiry")];
  const own = headers.userProperties?.map(({ key = "", value = "" }, index) => ({
    key: template(key, `headers.userProperties.${index + 1}.member.key`),
    value: template(value, `headers.userProperties.${index + 1}.member.value`),
  }));
  return async (fill: Firing["fill"]): Promise<MqttProperties> => {
    const format = indicator && (await fill(indicator));
    if (format !== undefined && format !== "UNSPECIFIED_BYTES" && format !== "UTF8_DATA")
      throw invalidRequest(`payloadFormatIndicator must be UNSPECIFIED_BYTES or UTF8_DATA, and is "${format}"`);
    const expiry = messageExpiry && (await fill(messageExpiry));
    if (expiry !== undefined && !/^\d{1,10}$/.test(expiry))
      throw invalidRequest(`messageExpiry must be a number of seconds, and is "${expiry}"`);
    const correlation = correlationData && (await fill(correlationData));
    if (correlation !== undefined && !base64.test(correlation))
      throw invalidRequest("correlationData must be base64 encoded");
    const userProperties: [string, string][] = [];
    for (const { key, value } of own ?? []) {
      userProperties.push([await fill(key), await fill(value)]);
    }
    return {
      ...(format !== undefined && { payloadFormatIndicator: format === "UTF8_DATA" }),
      ...(contentType && { contentType: await fill(contentType) }),
      ...(responseTopic && { responseTopic: await fill(responseTopic) }),
      ...(correlation !== undefined && { correlationData: Buffer.from(correlation, "base64") }),
      ...(expiry !== undefined && { messageExpiryInterval: Number(expiry) }),
      ...(own && { userProperties }),
    };
  };
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/republish-rule-action.html */
export const republish = defineAction("republish", {
  title: "RepublishAction",
  attempt: "republish the message",
  service: "AWSIot",
  members: { roleArn: required, topic: required, qos: { range: [0, 1] } },
  compile({ topic = "", qos, headers }, { scope, bus, broker, template }) {
    // Topics of AWS's own begin with `$`, and are written with `$$` here, where `${` begins a template.
    const target = template(topic.replace(/^\$\$/, "$"), "topic");
    const properties = headers && headersOf(headers, template);
    return {
      resource: topic,
      async prepare({ message, fill, payload }) {
        const name = await fill(target);
        const mqttProperties = await properties?.(fill);
        return {
          lane: name,
          resource: name,
          detail: `Topic: ${name}`,
          async send(by) {
            const problem = topicProblem(name) ?? (isReserved(name) ? "the topic is reserved for AWS IoT" : undefined);
            if (problem) throw invalidRequest(`Invalid topic: ${problem}`);
            if (payload.length > payloadLimit) throw payloadTooLarge();
            const resource = formatArn("iot", scope.region, scope.account, `topic/${name}`);
            bus.access.demand(by, { action: "iot:Publish", resource }, unauthorized);
            const rounds = (message.rounds ?? 0) + 1;
            if (rounds > mostRounds)
              throw invalidRequest(
                `${mostRounds} rules have passed the message on: rules that feed each other end here`,
              );
            if (++message.family.republished > mostRepublished)
              throw invalidRequest(
                `Rules have made ${mostRepublished} messages of one: rules that feed themselves end here`,
              );
            broker.publish(name, payload, {
              qos: qos === 1 ? 1 : 0,
              rounds,
              family: message.family,
              ...(mqttProperties && { mqttProperties }),
            });
          },
        };
      },
    };
  },
});
