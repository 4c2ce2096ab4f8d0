import { randomUUID } from "node:crypto";
import type { Bus, MqttProperties } from "../../../core/bus";
import { allowsService } from "../../../core/service-caller";
import type { Message } from "../broker";
import { invalidRequest } from "../errors";
import type { SqlContext } from "../sql";
import type { Region } from "../state";

const forSql = ({
  payloadFormatIndicator,
  correlationData,
  ...rest
}: MqttProperties): SqlContext["mqttProperties"] => ({
  ...rest,
  ...(payloadFormatIndicator !== undefined && {
    formatIndicator: payloadFormatIndicator ? ("UTF8_DATA" as const) : ("UNSPECIFIED_BYTES" as const),
  }),
  ...(correlationData && { correlationData: correlationData.toString("base64") }),
});

/** What a rule's statement and templates see of a message. */
export function contextOf(region: Region, bus: Bus, message: Message, traceId: string): SqlContext {
  const { account, region: name } = region.scope;
  const { topic, payload, clientId, principal, sourceIp, timestamp, mqttProperties } = message;
  return {
    topic,
    payload,
    clientId,
    principal,
    sourceIp,
    timestamp,
    traceId: clientId === undefined ? undefined : traceId,
    accountId: account,
    region: name,
    newUuid: randomUUID,
    random: Math.random,
    ...(mqttProperties && { mqttProperties: forSql(mqttProperties) }),
    async invokeLambda(functionArn, input) {
      const lambda = await bus.to("lambda");
      const caller = { principal: "iot.amazonaws.com", sourceArn: region.arn("rule/*"), sourceAccount: account };
      if (!allowsService(await lambda.policy(functionArn), caller, "lambda:InvokeFunction", functionArn))
        throw invalidRequest(`The policy of ${functionArn} does not allow iot.amazonaws.com to invoke it`);
      const { payload: answer, functionError } = await lambda.invoke(
        functionArn,
        JSON.stringify(input ?? null),
        caller,
      );
      if (functionError) throw invalidRequest(`${functionArn} failed`);
      return JSON.parse(answer || "null");
    },
  };
}
