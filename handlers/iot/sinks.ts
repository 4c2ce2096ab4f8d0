import { hash } from "node:crypto";
import { archive } from "../archive";
import { describe } from "../retry";
import type { SinkSettings } from "./environment";
import type { Placed } from "./record";
import { type Batch, failAt, REPLAY, type Sink, type SinkClients, type SinkFailures } from "./sink";
import { type OnRecords, runCallback } from "./sink-callback";
import { send } from "./sink-queue";
import { store } from "./sink-table";
import { writeTimestream } from "./sink-timestream";

/** Makes the sinks of a function; the callbacks are those of its `onRecords` sinks, in their order. */
export function makeSinks(
  settings: readonly SinkSettings[],
  clients: SinkClients,
  callbacks: readonly OnRecords[],
): Sink[] {
  const rest = [...callbacks];
  return settings.map((sink) => {
    const callback = sink.kind === "onRecords" ? rest.shift() : undefined;
    return {
      name: sink.name,
      async write(records, batch) {
        if (records.length === 0) return {};
        try {
          return await write(sink, records, clients, batch, callback);
        } catch (error) {
          return failAt([...records.keys()], describe(error));
        }
      },
    };
  });
}

const idInShard = (id: string) => id.slice(id.indexOf(":") + 1);

async function write(
  sink: SinkSettings,
  records: readonly Placed[],
  clients: SinkClients,
  batch: Batch,
  callback: OnRecords | undefined,
): Promise<SinkFailures> {
  switch (sink.kind) {
    case "dynamodb":
      return store(records, sink, clients, batch.deadline);
    case "timestream":
      return writeTimestream(records, sink, clients, batch.deadline);
    case "queue":
      return send(records, sink.url, clients, batch);
    case "s3":
      return keep(records, sink.bucket, clients, batch);
    case "onRecords":
      if (!callback) throw new Error("its callback is not part of the function's code");
      return runCallback(records, callback, batch.deadline);
  }
}

/** Keeps records in S3, gzipped, one JSON a line: an object for those that came together. */
async function keep(
  records: readonly Placed[],
  bucket: string,
  clients: SinkClients,
  { shardId }: Batch,
): Promise<SinkFailures> {
  const { receivedAt, id } = records[0]!.record;
  // Of a shard, what follows the first comes again with it; of letters that are replayed, it may not.
  const own = shardId === REPLAY ? hash("sha256", records.map(({ record }) => record.id).join()) : idInShard(id);
  const requestId = `${shardId}-${own}`;
  const lines = records.map(({ record }) => JSON.stringify(record));
  await archive(lines, { receivedAt, requestId }, { clients, bucket });
  return {};
}
