import type { StreamReader } from "./stream-reader";

/** What reading a stream takes, as policies name it without their service. */
export type ReadingStep = (typeof steps)[number];

const steps = ["DescribeStream", "GetShardIterator", "GetRecords"] as const;

/** A reader that asks before each step whether it may; `ask` throws where not. */
export const guardedReader = <Detail>(
  reader: StreamReader<Detail>,
  ask: (step: ReadingStep) => void,
): StreamReader<Detail> => ({
  id: reader.id,
  demand() {
    for (const step of steps) ask(step);
  },
  shards() {
    ask("DescribeStream");
    return reader.shards();
  },
  position(shardId, start) {
    ask("GetShardIterator");
    return reader.position(shardId, start);
  },
  read(shardId, position, limit) {
    ask("GetRecords");
    return reader.read(shardId, position, limit);
  },
  watch: (listener) => reader.watch(listener),
});
