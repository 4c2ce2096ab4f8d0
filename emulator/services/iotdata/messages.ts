import type { PublishCommandInput } from "@aws-sdk/client-iot-data-plane";
import type { MqttProperties } from "../../core/bus";
import { checkConstraints } from "../../core/constraint";
import type { Host } from "../../core/service";
import { invalidRequest, notFound } from "./errors";
import type { IotDataOperations } from "./store";

const formats = ["UNSPECIFIED_BYTES", "UTF8_DATA"];

/**
 * `[{"deviceName": "alpha"}, {"deviceCnt": "45"}]` as pairs.
 *
 * @param base64 as the header carries it.
 */
function readUserProperties(base64: string | undefined): [string, string][] | undefined {
  if (base64 === undefined) return undefined;
  const refuse = () => invalidRequest("userProperties must be a JSON array of objects whose values are strings");
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    throw refuse();
  }
  if (!Array.isArray(list)) throw refuse();
  return list.flatMap((one) => {
    if (typeof one !== "object" || one === null || Array.isArray(one)) throw refuse();
    return Object.entries(one as Record<string, unknown>).map(([name, value]): [string, string] => {
      if (typeof value !== "string") throw refuse();
      return [name, value];
    });
  });
}

function properties(input: PublishCommandInput): MqttProperties | undefined {
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, messageExpiry } = input;
  const userProperties = readUserProperties(input.userProperties as string | undefined);
  if (correlationData !== undefined && !/^[A-Za-z0-9+/]*={0,2}$/.test(correlationData))
    throw invalidRequest("correlationData must be base64 encoded");
  const all: MqttProperties = {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, "base64") }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator === "UTF8_DATA" }),
    ...(messageExpiry !== undefined && { messageExpiryInterval: messageExpiry }),
    ...(userProperties && { userProperties }),
  };
  return Object.keys(all).length > 0 ? all : undefined;
}

/** The place to go on, for lists that are sorted by topic: the last topic of the page before. */
const readToken = (token: string | undefined) =>
  token === undefined ? "" : Buffer.from(token, "base64").toString("utf8");

/** Messages to the broker, and the retained ones that it keeps. */
export function messageOperations(host: Host): IotDataOperations {
  const broker = () => host.bus.ready("iot") ?? host.bus.to("iot");
  return {
    async Publish(input, context) {
      const { topic = "", qos, retain, payload, payloadFormatIndicator, messageExpiry } = input;
      checkConstraints("InvalidRequestException", {
        qos: [qos, { range: [0, 1] }],
        payloadFormatIndicator: [payloadFormatIndicator, { oneOf: formats }],
        messageExpiry: [messageExpiry, { range: [0, 4_294_967_295] }],
      });
      const message = {
        topic,
        payload: Buffer.from((payload as Uint8Array | undefined) ?? []),
        qos: qos === 1 ? (1 as const) : (0 as const),
        retain: retain ?? false,
        principal: context.caller.accessKeyId,
        sourceIp: context.http.sourceIp,
        mqttProperties: properties(input),
      };
      (await broker()).publish(context, message);
      return {};
    },

    async GetRetainedMessage({ topic = "" }, context) {
      const found = (await broker()).retained(context).get(topic);
      if (!found) throw notFound("No retained message found for the specified topic");
      const { payload, qos, lastModified, mqttProperties } = found;
      const own = mqttProperties?.userProperties?.map(([name, value]) => ({ [name]: value }));
      return {
        topic,
        payload,
        qos,
        lastModifiedTime: lastModified,
        ...(own && { userProperties: Buffer.from(JSON.stringify(own)) }),
      };
    },

    async ListRetainedMessages({ nextToken, maxResults }, context) {
      checkConstraints("InvalidRequestException", { maxResults: [maxResults, { range: [1, 200] }] });
      const after = readToken(nextToken);
      const all = [...(await broker()).retained(context)]
        .filter(([topic]) => topic > after)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const shown = all.slice(0, maxResults ?? 50);
      return {
        retainedTopics: shown.map(([topic, { payload, qos, lastModified }]) => ({
          topic,
          payloadSize: payload.length,
          qos,
          lastModifiedTime: lastModified,
        })),
        ...(shown.length < all.length && { nextToken: Buffer.from(shown.at(-1)![0]).toString("base64") }),
      };
    },
  };
}
