import type { MqttProperties } from "../scope";
import { toSmallInt, toText, type Value } from "../values";
import { literalText, type SqlFunction, type SqlFunctions } from "./definition";

const constant = (value: SqlFunction["call"]): SqlFunction => ({ arity: [0], call: value });

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-sql-function-get-mqtt-property */
const properties: Record<string, (of: MqttProperties) => Value> = {
  format_indicator: ({ formatIndicator }) => formatIndicator,
  content_type: ({ contentType }) => contentType,
  response_topic: ({ responseTopic }) => responseTopic,
  correlation_data: ({ correlationData }) => correlationData,
};

/** What is known of the message besides its payload. */
export const message: SqlFunctions = {
  accountid: constant((_args, { run }) => run.context.accountId),
  // "or n/a if the message wasn't sent over MQTT"
  clientid: constant((_args, { run }) => run.context.clientId ?? "n/a"),
  newuuid: constant((_args, { run }) => run.once(run.context.newUuid) as Value),
  principal: constant((_args, { run }) => run.context.principal),
  sourceip: constant((_args, { run }) => run.context.sourceIp),
  sql_version: constant((_args, { run }) => run.version),
  timestamp: constant((_args, { run }) => run.context.timestamp),
  traceid: constant((_args, { run }) => run.context.traceId),
  topic: {
    arity: [0, 1],
    call: ([segment], { run }, written) => {
      if (!written.length) return run.context.topic;
      const position = toSmallInt(segment, run.version);
      return position === undefined ? undefined : run.context.topic.split("/")[position - 1];
    },
  },
  get_mqtt_property: {
    arity: [1],
    newer: true,
    check: ([name]) => {
      const text = literalText(name);
      if (text === undefined || Object.hasOwn(properties, text)) return undefined;
      return `get_mqtt_property has no property ${text}; it has ${Object.keys(properties).join(", ")}`;
    },
    call: ([name], { run }) => {
      const { mqttProperties } = run.context;
      if (!mqttProperties || typeof name !== "string" || !Object.hasOwn(properties, name)) return undefined;
      return properties[name]!(mqttProperties);
    },
  },
  // One property is a string, several of the same key are an array.
  get_user_properties: {
    arity: [0, 1],
    newer: true,
    call: ([key], { run }, written) => {
      const pairs = run.context.mqttProperties?.userProperties ?? [];
      if (!written.length) return pairs.map(([name, value]) => ({ [name]: value }));
      const wanted = toText(key);
      const found = pairs.filter(([name]) => name === wanted).map(([, value]) => value);
      return found.length > 1 ? found : found[0];
    },
  },
};
