import { checkConstraints } from "../../core/constraint";
import type { Host } from "../../core/service";
import { invalidRequest } from "./errors";
import type { IotDataOperations } from "./store";

const text = (document: object) => Buffer.from(JSON.stringify(document));

/** Device shadows over HTTP. Subscribers hear of changes as they do of those by MQTT, and of refusals nothing. */
export function shadowOperations(host: Host): IotDataOperations {
  const broker = () => host.bus.ready("iot") ?? host.bus.to("iot");
  const nameOf = ({ thingName = "", shadowName }: { thingName?: string; shadowName?: string }) => ({
    thing: thingName,
    ...(shadowName !== undefined && { shadow: shadowName }),
  });
  return {
    async GetThingShadow(input, context) {
      return { payload: text((await broker()).shadows(context).get(nameOf(input))) as never };
    },

    async UpdateThingShadow(input, context) {
      const payload = Buffer.from((input.payload as Uint8Array | undefined) ?? []);
      return { payload: text((await broker()).shadows(context).update(nameOf(input), payload)) as never };
    },

    async DeleteThingShadow(input, context) {
      return { payload: text((await broker()).shadows(context).delete(nameOf(input))) as never };
    },

    async ListNamedShadowsForThing({ thingName = "", nextToken = "", pageSize }, context) {
      checkConstraints("InvalidRequestException", { pageSize: [pageSize, { range: [1, 100] }] });
      const after = Buffer.from(nextToken, "base64").toString("utf8");
      const all = (await broker()).shadows(context).names(thingName);
      if (nextToken !== "" && after === "") throw invalidRequest("Invalid nextToken");
      const rest = all.filter((name) => name > after);
      const results = rest.slice(0, pageSize ?? 25);
      return {
        results,
        timestamp: Math.floor(host.clock.now() / 1000),
        ...(results.length < rest.length && { nextToken: Buffer.from(results.at(-1)!).toString("base64") }),
      };
    },
  };
}
