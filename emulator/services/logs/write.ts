import type { InputLogEvent, RejectedLogEventsInfo } from "@aws-sdk/client-cloudwatch-logs";
import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import { constraintCode, invalidParameter } from "./errors";
import type { LogGroup } from "./state";

/** An event counts its UTF-8 bytes and 26 more (API reference: PutLogEvents). */
const batchLimit = limits.logs.batch.value;
const eventOverhead = 26;

export interface CheckedEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** Refuses a batch that is malformed as a whole. */
export function checkEvents(events: readonly InputLogEvent[] | undefined): readonly CheckedEvent[] {
  checkConstraints(constraintCode, { logEvents: [events, { required: true }] });
  const { value: most } = limits.logs.events;
  if (events!.length < 1 || events!.length > most)
    throw invalidParameter(
      `1 validation error detected: Value '[${events!.length} log events]' at 'logEvents' failed to satisfy constraint: Member must have length ${events!.length ? `less than or equal to ${most}` : "greater than or equal to 1"}`,
    );
  let size = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const [i, { timestamp, message }] of events!.entries()) {
    if (timestamp === undefined || timestamp < 0 || !message)
      checkConstraints(constraintCode, {
        [`logEvents.${i + 1}.member.timestamp`]: [timestamp, { required: true, range: [0, Number.MAX_SAFE_INTEGER] }],
        [`logEvents.${i + 1}.member.message`]: [message, { required: true, length: [1, batchLimit] }],
      });
    if (timestamp! < last)
      throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
    last = timestamp!;
    const bytes = Buffer.byteLength(message!) + eventOverhead;
    if (bytes > batchLimit)
      throw invalidParameter(`Log event too large: ${bytes} bytes exceeds limit of ${batchLimit}`);
    size += bytes;
  }
  if (size > batchLimit) throw invalidParameter(`Upload too large: ${size} bytes exceeds limit of ${batchLimit}`);
  if (last - events![0]!.timestamp! > limits.logs.span.value)
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  return events as readonly CheckedEvent[];
}

/** Splits off what CloudWatch does not take: over 14 days old, over the group's retention, over two hours ahead. */
export function accept(events: readonly CheckedEvent[], group: LogGroup, now: number) {
  const tooOld = events.findLastIndex(({ timestamp }) => timestamp < now - limits.logs.past.value) + 1;
  const { retentionMs } = group;
  const expired =
    retentionMs === undefined ? 0 : events.findLastIndex(({ timestamp }) => timestamp < now - retentionMs) + 1;
  const tooNew = events.findIndex(({ timestamp }) => timestamp > now + limits.logs.future.value);
  const accepted = events.slice(Math.max(tooOld, expired), tooNew < 0 ? events.length : tooNew);
  const rejected: RejectedLogEventsInfo = {};
  if (tooOld) rejected.tooOldLogEventEndIndex = tooOld;
  if (expired > tooOld) rejected.expiredLogEventEndIndex = expired;
  if (tooNew >= 0) rejected.tooNewLogEventStartIndex = tooNew;
  return { accepted, rejected: Object.keys(rejected).length ? rejected : undefined };
}
