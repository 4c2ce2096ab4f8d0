import { randomUUID } from "node:crypto";
import type { Bus, MqttProperties } from "../../../core/bus";
import { AwsError } from "../../../core/errors";
import type { Message } from "../broker";
import { invalidRequest, unauthorized } from "../errors";
import { groupsWith } from "../groups";
import { AssumedRole, serviceOf } from "../roles";
import type { SqlContext } from "../sql";
import type { Region } from "../state";
import { describeThing, findThing } from "../things";
import { fromItem, toKey } from "./attributes";

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

type Functions = Pick<SqlContext, "invokeLambda" | "getThingShadow" | "getDynamoDbItem" | "getRegistryData">;

/** What the functions of SQL that reach other services do for a rule. */
export function functionsOf(region: Region, bus: Bus, ruleArn: string): Functions {
  const { scope } = region;
  const itself = serviceOf({ arn: ruleArn }, scope);
  const assume = (roleArn: string) => new AssumedRole(bus, scope, ruleArn, roleArn).assume();
  /** Acts as a role on a thing, or its shadow. */
  const reach = (roleArn: string, action: string, thing: string) =>
    bus.access.demand(assume(roleArn), { action, resource: region.arn(`thing/${thing}`) }, unauthorized);
  return {
    // Not emulated: AWS gives a function two seconds here. A cold start on a busy machine may take longer.
    async invokeLambda(functionArn, input) {
      const lambda = await bus.to("lambda");
      const json = JSON.stringify(input ?? null);
      const { payload, functionError } = await lambda.invoke(functionArn, json, { by: itself, inBackground: true });
      if (functionError !== undefined) throw invalidRequest(`${functionArn} failed`);
      return JSON.parse(payload || "null");
    },

    async getThingShadow(thing, shadow, roleArn) {
      reach(roleArn, "iot:GetThingShadow", shadow === undefined ? thing : `${thing}/${shadow}`);
      try {
        return region.shadows.get({ thing, shadow });
      } catch (error) {
        if (error instanceof AwsError && error.status === 404) return undefined;
        throw error;
      }
    },

    async getRegistryData(api, thing, roleArn) {
      reach(roleArn, `iot:${api}`, thing);
      if (api === "DescribeThing") return describeThing(findThing(region, thing));
      if (api === "ListThingGroupsForThing") return { thingGroups: groupsWith(region, thing) };
      throw invalidRequest(`get_registry_data knows DescribeThing and ListThingGroupsForThing, and not ${api}`);
    },

    async getDynamoDbItem(table, key, roleArn) {
      const item = await (await bus.to("dynamodb")).getItem(scope, table, toKey(key), assume(roleArn));
      return item && fromItem(item);
    },
  };
}

/** What a rule's statement and templates see of a message. */
export function contextOf(region: Region, functions: Functions, message: Message, traceId: string): SqlContext {
  const { topic, payload, clientId, principal, sourceIp, timestamp, mqttProperties } = message;
  return {
    topic,
    payload,
    clientId,
    principal,
    sourceIp,
    timestamp,
    traceId: clientId === undefined ? undefined : traceId,
    accountId: region.scope.account,
    region: region.scope.region,
    newUuid: randomUUID,
    random: Math.random,
    ...(mqttProperties && { mqttProperties: forSql(mqttProperties) }),
    ...functions,
  };
}
