import { checkConstraints } from "../../core/constraint";
import type { Context, Host } from "../../core/service";
import { notFound } from "./errors";
import type { IotDataOperations } from "./store";

/** Ids that begin with a dollar sign are AWS's own. */
const clientIdRule = { required: true, length: [1, 128], pattern: /^[^$].*$/s } as const;

/** The MQTT clients that are connected, or were a short while ago. */
export function connectionOperations(host: Host): IotDataOperations {
  const broker = () => host.bus.ready("iot") ?? host.bus.to("iot");
  const unknown = (clientId: string | undefined) => notFound(`No connection found for the client ID ${clientId}`);
  const find = async (clientId: string | undefined, context: Context) => {
    checkConstraints("InvalidRequestException", { clientId: [clientId, clientIdRule] });
    const found = await (await broker()).client(context, clientId!);
    if (!found) throw unknown(clientId);
    return found;
  };
  return {
    async GetConnection({ clientId, includeSocketInformation }, context) {
      const { keepAlive, sourceIp, sourcePort, subscriptions: _subscriptions, ...rest } = await find(clientId, context);
      return {
        ...rest,
        clientId,
        keepAliveDuration: keepAlive,
        sessionExpiry: rest.cleanSession ? 0 : 3600,
        ...(includeSocketInformation && { sourceIp, sourcePort }),
      };
    },

    async DeleteConnection({ clientId, cleanSession, preventWillMessage }, context) {
      checkConstraints("InvalidRequestException", { clientId: [clientId, clientIdRule] });
      const options = { cleanSession, preventWill: preventWillMessage };
      if (!(await (await broker()).disconnect(context, clientId!, options))) throw unknown(clientId);
      return {};
    },

    async ListSubscriptions({ clientId, nextToken, maxResults }, context) {
      checkConstraints("InvalidRequestException", { maxResults: [maxResults, { range: [1, 200] }] });
      const { subscriptions } = await find(clientId, context);
      const start = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, "base64").toString("utf8")) || 0;
      const end = start + (maxResults ?? 50);
      return {
        subscriptions: subscriptions.slice(start, end).map((one) => ({ ...one })),
        ...(end < subscriptions.length && { nextToken: Buffer.from(String(end)).toString("base64") }),
      };
    },
  };
}
