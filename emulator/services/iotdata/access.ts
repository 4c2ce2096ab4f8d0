import type { AccessTable } from "../../core/access/access";
import { formatArn } from "../../core/arn";
import type { Context } from "../../core/service";
import type { Sdk } from "./store";

/**
 * What the data plane of AWS IoT wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html):
 * messages as over MQTT, a named shadow as `thing/<thing>/<shadow>`.
 */
export const access = (): AccessTable<Sdk> => {
  const at = (action: string, resource: string, { account, region }: Context) => ({
    action: `iot:${action}`,
    resource: formatArn("iot", region, account, resource),
  });
  const shadow =
    (action: string) =>
    ({ thingName = "*", shadowName }: { thingName?: string; shadowName?: string }, context: Context) =>
      at(action, `thing/${thingName}${shadowName === undefined ? "" : `/${shadowName}`}`, context);
  const client = (action: string) => (input: { clientId?: string }, context: Context) =>
    at(action, `client/${input.clientId ?? "*"}`, context);

  return {
    DeleteConnection: client("DeleteConnection"),
    DeleteThingShadow: shadow("DeleteThingShadow"),
    GetConnection: (input, context) => ({
      ...client("GetConnection")(input, context),
      conditions: { "iot:IncludeSocketInformation": [String(input.includeSocketInformation ?? false)] },
    }),
    GetRetainedMessage: ({ topic = "*" }, context) => at("GetRetainedMessage", `topic/${topic}`, context),
    GetThingShadow: shadow("GetThingShadow"),
    ListNamedShadowsForThing: shadow("ListNamedShadowsForThing"),
    ListRetainedMessages: () => ({ action: "iot:ListRetainedMessages", resource: "*" }),
    ListSubscriptions: client("ListSubscriptions"),
    Publish: ({ topic = "*", retain }, context) => [
      at("Publish", `topic/${topic}`, context),
      ...(retain ? [at("RetainPublish", `topic/${topic}`, context)] : []),
    ],
    UpdateThingShadow: shadow("UpdateThingShadow"),
  };
};
