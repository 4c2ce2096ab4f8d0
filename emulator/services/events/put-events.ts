import type { PutEventsRequestEntry, PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import { formatArn } from "../../core/arn";
import { notEmulated } from "../../core/errors";
import { lostEntries } from "../../core/faults/partial";
import { limits } from "../../core/limits";
import type { Context, Host, Scope } from "../../core/service";
import { check } from "./checks";
import type { Delivery } from "./delivery";
import { internalFailure, invalid } from "./errors";
import { makeEvent } from "./event";
import { eventKeys, refusalOf } from "./policies";
import type { EventsOperations, Store } from "./store";

/** Bytes of all entries of a request (API reference, PutEvents). */
const mostBytes = limits.events.entrySize.value;
/** JSON deeper than this is not processed (API reference, PutEvents). */
const deepest = limits.events.nesting.value;

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
const sizeOf = ({ Time, Source = "", DetailType = "", Detail = "", Resources = [] }: PutEventsRequestEntry): number =>
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), Time ? 14 : 0);

const refused = (ErrorCode: string, ErrorMessage: string): PutEventsResultEntry => ({ ErrorCode, ErrorMessage });

const missing = (name: string) =>
  refused("InvalidArgument", `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);

/** The ARN of the bus that an entry names by name or ARN, whether it is there or not. */
const busArn = (nameOrArn = "default", { account, region }: Scope): string =>
  nameOrArn.startsWith("arn:") ? nameOrArn : formatArn("events", region, account, `event-bus/${nameOrArn}`);

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
  const put = (entry: PutEventsRequestEntry, context: Context): PutEventsResultEntry => {
    const { Source, DetailType, Detail, Resources = [], Time, EventBusName = "default" } = entry;
    if (!Source) return missing("Source");
    if (!DetailType) return missing("DetailType");
    if (!Detail) return missing("Detail");
    if (Source.startsWith("aws.")) return refused("NotAuthorizedForSource", "Not authorized for the source.");
    const detail = readDetail(Detail);
    if (!detail) return refused("MalformedDetail", "Detail is malformed.");
    const bus = store.busIfThere(EventBusName, context);
    // What the caller's own policies say has been asked for the whole request (access.ts).
    const keys = eventKeys(Source, DetailType);
    const refusal = bus && refusalOf(host.bus.access, bus, context.identity, keys);
    if (refusal !== undefined) return refused("AccessDeniedException", refusal);
    const time = Time?.getTime() ?? host.clock.now();
    const event = makeEvent(context, time, { source: Source, detailType: DetailType, resources: Resources, detail });
    // An event for a bus that is not there is taken all the same, and goes nowhere, as on AWS.
    if (bus) void delivery.publish(bus, event);
    return { EventId: event.id };
  };
  return {
    PutEvents(input, context) {
      check({ entries: [input.Entries, { required: true, length: [1, limits.events.entries.value] }] });
      if (input.EndpointId !== undefined) throw notEmulated("events", "PutEvents", "global endpoints");
      const entries = input.Entries!;
      if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > mostBytes) {
        throw invalid("Total size of the entries in the request is over the limit.");
      }
      const lost = lostEntries(
        context,
        entries.map(({ EventBusName }) => busArn(EventBusName, context)),
      );
      const Entries = entries.map((entry, index) => {
        const error = lost.errorOf(index, internalFailure);
        return error ? refused(error.code, error.message) : put(entry, context);
      });
      return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries };
    },
  };
};
