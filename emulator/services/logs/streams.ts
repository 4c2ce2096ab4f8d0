import type { LogStream as SdkLogStream } from "@aws-sdk/client-cloudwatch-logs";
import { checkConstraints } from "../../core/constraint";
import type { Operations, Scoped } from "../../core/service";
import { byName, checkGroupName, checkLimit, checkStreamName, pageByName } from "./checks";
import { constraintCode, invalidParameter, streamExists, streamNotFound } from "./errors";
import type { LogGroup, LogsState } from "./state";
import type { LogStream } from "./stream";

/** PutLogEvents takes any token since 2023, and still answers one. */
export const sequenceToken = "49039859592843014282104231451837621158482094193475620866";

function describe(group: LogGroup, stream: LogStream): SdkLogStream {
  const events = stream.all();
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    firstEventTimestamp: events[0]?.timestamp,
    lastEventTimestamp: events[events.length - 1]?.timestamp,
    lastIngestionTime: stream.lastIngestedAt,
    uploadSequenceToken: stream.lastIngestedAt === undefined ? undefined : sequenceToken,
    arn: `${group.arn}:log-stream:${stream.name}`,
    // "storedBytes is always 0 for streams" (API reference: LogStream).
    storedBytes: 0,
  };
}

/** Log streams: making, removing, listing. */
export const streamOperations = (state: Scoped<LogsState>) =>
  ({
    CreateLogStream({ logGroupName, logStreamName }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkStreamName(logStreamName);
      const group = state.of(context).group(groupName);
      if (group.streams.has(name)) throw streamExists();
      group.addStream(name);
      return {};
    },

    DeleteLogStream({ logGroupName, logStreamName }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkStreamName(logStreamName);
      if (!state.of(context).group(groupName).streams.delete(name)) throw streamNotFound();
      return {};
    },

    DescribeLogStreams(input, context) {
      const { orderBy = "LogStreamName", descending = false, logStreamNamePrefix: prefix } = input;
      checkLimit(input.limit, 50);
      checkConstraints(constraintCode, { orderBy: [orderBy, { oneOf: ["LogStreamName", "LastEventTime"] }] });
      if (orderBy === "LastEventTime" && prefix !== undefined)
        throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
      const group = state.of(context).find(input);
      const found = [...group.streams.values()].filter(({ name }) => name.startsWith(prefix ?? ""));
      const lastTime = (stream: LogStream) => stream.all().at(-1)?.timestamp ?? 0;
      found.sort((a, b) => (orderBy === "LastEventTime" && lastTime(a) - lastTime(b)) || byName(a.name, b.name));
      if (descending) found.reverse();
      const { items, nextToken } = pageByName(found, ({ name }) => name, input);
      return { logStreams: items.map((stream) => describe(group, stream)), nextToken };
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-cloudwatch-logs")>;
