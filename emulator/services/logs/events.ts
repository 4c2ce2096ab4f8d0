import type { FilteredLogEvent, OutputLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import type { Host, Operations, Scoped } from "../../core/service";
import { checkGroupName, checkLimit, checkStreamName, makeToken, readToken } from "./checks";
import { constraintCode, invalidParameter, invalidToken } from "./errors";
import { compilePattern } from "./pattern";
import type { LogGroup, LogsState } from "./state";
import type { LogEvent, LogStream } from "./stream";
import { sequenceToken } from "./streams";
import { accept, checkEvents } from "./write";

/** "up to 1 MB" of events come back at once (API reference: GetLogEvents, FilterLogEvents). */
const pageBytes = limits.logs.page.value;
const pageEvents = limits.logs.events.value;

/** How many of the events in front fit into one answer; at least one. */
function fitting(events: Iterable<LogEvent>, limit: number): number {
  let count = 0;
  let bytes = 0;
  for (const { message } of events) {
    bytes += Buffer.byteLength(message) + 26;
    if (count === limit || (count && bytes > pageBytes)) break;
    count++;
  }
  return count;
}

function* backwards(events: readonly LogEvent[], start: number, end: number): Iterable<LogEvent> {
  for (let i = end - 1; i >= start; i--) yield events[i]!;
}

function* forwards(events: readonly LogEvent[], start: number, end: number): Iterable<LogEvent> {
  for (let i = start; i < end; i++) yield events[i]!;
}

const positionPattern = /^([fb])\/(\d{56})\/s$/;
const nowhere = "0".repeat(56);

const readPosition = (token: string): { forward: boolean; id: string } => {
  const match = positionPattern.exec(token);
  if (!match) throw invalidToken();
  return { forward: match[1] === "f", id: match[2]! };
};

interface Page {
  readonly startTime?: number;
  readonly endTime?: number;
  readonly nextToken?: string;
  readonly limit?: number;
  readonly startFromHead?: boolean;
}

/** One page of a stream, and the tokens to go on in both directions; at an end the same token comes back. */
function readPage(stream: LogStream, { nextToken, limit = pageEvents, startFromHead = false, ...range }: Page) {
  const position = nextToken === undefined ? undefined : readPosition(nextToken);
  const events = stream.all();
  let [start, end] = stream.range(range);
  const forward = position ? position.forward : startFromHead;
  if (position?.forward) start = Math.max(start, stream.indexOf(position.id) + (has(stream, position.id) ? 1 : 0));
  else if (position) end = Math.min(end, stream.indexOf(position.id));
  end = Math.max(start, end);
  if (forward) end = start + fitting(forwards(events, start, end), limit);
  else start = end - fitting(backwards(events, start, end), limit);
  const page = events.slice(start, end);
  return {
    events: page.map(
      ({ timestamp, message, ingestedAt }): OutputLogEvent => ({ timestamp, message, ingestionTime: ingestedAt }),
    ),
    nextForwardToken: `f/${page.at(-1)?.id ?? position?.id ?? nowhere}/s`,
    nextBackwardToken: `b/${page[0]?.id ?? position?.id ?? nowhere}/s`,
  };
}

const has = (stream: LogStream, id: string) => stream.all()[stream.indexOf(id)]?.id === id;

interface Choice {
  readonly logStreamNames?: string[];
  readonly logStreamNamePrefix?: string;
}

function chooseStreams(group: LogGroup, { logStreamNames: names, logStreamNamePrefix: prefix }: Choice): LogStream[] {
  if (names !== undefined && prefix !== undefined)
    throw invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
  if (names) {
    if (names.length < 1 || names.length > 100)
      checkConstraints(constraintCode, { logStreamNames: [names, { length: [1, 100] }] });
    return names.map((name) => group.stream(name));
  }
  return [...group.streams.values()].filter(({ name }) => name.startsWith(prefix ?? ""));
}

/** Writing, reading and searching log events. */
export const eventOperations = (
  state: Scoped<LogsState>,
  host: Host,
  onWritten: (group: LogGroup, stream: string, events: readonly LogEvent[]) => void,
) =>
  ({
    PutLogEvents({ logGroupName, logStreamName, logEvents }, context) {
      const groupName = checkGroupName(logGroupName);
      const streamName = checkStreamName(logStreamName);
      const events = checkEvents(logEvents);
      const group = state.of(context).group(groupName);
      const stream = group.stream(streamName);
      const { accepted, rejected } = accept(events, group, host.clock.now());
      onWritten(group, streamName, stream.append(accepted));
      return { nextSequenceToken: sequenceToken, rejectedLogEventsInfo: rejected };
    },

    GetLogEvents(input, context) {
      const name = checkStreamName(input.logStreamName);
      checkLimit(input.limit, pageEvents);
      return readPage(state.of(context).find(input).stream(name), input);
    },

    FilterLogEvents(input, context) {
      const { limit = pageEvents, startTime, endTime, filterPattern, nextToken } = input;
      checkLimit(input.limit, pageEvents);
      checkConstraints(constraintCode, {
        filterPattern: [filterPattern, { length: [0, limits.logs.filterPattern.value] }],
      });
      const matches = compilePattern(filterPattern);
      const streams = chooseStreams(state.of(context).find(input), input);
      const token = nextToken === undefined ? undefined : readToken(nextToken);
      const after = token?.slice(1);
      // A token goes on in the direction of the request that gave it.
      const fromHead = token === undefined ? (input.startFromHead ?? true) : token.startsWith("f");
      const found: (LogEvent & { stream: string; key: string })[] = [];
      for (const stream of streams) {
        const events = stream.all();
        const [start, end] = stream.range({ startTime, endTime });
        for (const event of forwards(events, start, end)) {
          if (!matches(event.message)) continue;
          const key = `${event.id}/${stream.name}`;
          if (after !== undefined && (fromHead ? key <= after : key >= after)) continue;
          found.push({ ...event, stream: stream.name, key });
        }
      }
      found.sort((a, b) => (a.key < b.key ? -1 : 1));
      if (!fromHead) found.reverse();
      const page = found.slice(0, fitting(found, limit));
      return {
        events: page.map(
          ({ id, stream, timestamp, message, ingestedAt }): FilteredLogEvent => ({
            logStreamName: stream,
            timestamp,
            message,
            ingestionTime: ingestedAt,
            eventId: id,
          }),
        ),
        // Deprecated, and empty on AWS.
        searchedLogStreams: [],
        nextToken:
          page.length < found.length ? makeToken(`${fromHead ? "f" : "b"}${page[page.length - 1]!.key}`) : undefined,
      };
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-cloudwatch-logs")>;
