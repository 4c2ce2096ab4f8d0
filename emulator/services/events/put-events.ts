import type { PutEventsRequestEntry, PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import { notEmulated } from "../../core/errors";
import type { Host, Scope } from "../../core/service";
import { check } from "./checks";
import type { Delivery } from "./delivery";
import { invalid } from "./errors";
import { makeEvent } from "./event";
import { mayPut } from "./policies";
import type { EventsOperations, Store } from "./store";

/** Bytes of all entries of a request (API reference, PutEvents). */
const mostBytes = 256 * 1024;
/** JSON deeper than this is not processed (API reference, PutEvents). */
const deepest = 1_000;

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
const sizeOf = ({ Time, Source = "", DetailType = "", Detail = "", Resources = [] }: PutEventsRequestEntry): number =>
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), Time ? 14 : 0);

const refused = (ErrorCode: string, ErrorMessage: string): PutEventsResultEntry => ({ ErrorCode, ErrorMessage });

const missing = (name: string) =>
  refused("InvalidArgument", `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);

function tooDeep(json: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === "\\") i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === "{" || char === "[") && ++depth > deepest) return true;
    else if (!quoted && (char === "}" || char === "]")) depth--;
  }
  return false;
}

function readDetail(text: string): object | undefined {
  if (tooDeep(text)) return undefined;
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === "object" && detail !== null && !Array.isArray(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** Takes events of callers, each for itself: one that is refused does not hold up the others. */
export const putEventsOperations = (host: Host, store: Store, delivery: Delivery): EventsOperations => {
  const put = (entry: PutEventsRequestEntry, scope: Scope): PutEventsResultEntry => {
    const { Source, DetailType, Detail, Resources = [], Time, EventBusName = "default" } = entry;
    if (!Source) return missing("Source");
    if (!DetailType) return missing("DetailType");
    if (!Detail) return missing("Detail");
    if (Source.startsWith("aws.")) return refused("NotAuthorizedForSource", "Not authorized for the source.");
    const detail = readDetail(Detail);
    if (!detail) return refused("MalformedDetail", "Detail is malformed.");
    const bus = store.busIfThere(EventBusName, scope);
    if (bus && !mayPut(bus, scope.account)) {
      return refused(
        "AccessDeniedException",
        `Account ${scope.account} is not authorized to perform: events:PutEvents on resource: ${bus.arn} because no resource-based policy allows the events:PutEvents action`,
      );
    }
    const time = Time?.getTime() ?? host.clock.now();
    if (Number.isNaN(time)) return refused("InvalidArgument", "Parameter Time is not valid. Reason: it is no time.");
    const event = makeEvent(scope, time, { source: Source, detailType: DetailType, resources: Resources, detail });
    // An event for a bus that is not there is taken all the same, and goes nowhere, as on AWS.
    if (bus) void delivery.publish(bus, event);
    return { EventId: event.id };
  };
  return {
    PutEvents(input, context) {
      check({ entries: [input.Entries, { required: true, length: [1, 10] }] });
      if (input.EndpointId !== undefined) throw notEmulated("events", "PutEvents", "global endpoints");
      const entries = input.Entries!;
      if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > mostBytes) {
        throw invalid("Total size of the entries in the request is over the limit.");
      }
      const Entries = entries.map((entry) => put(entry, context));
      return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries };
    },
  };
};
