import type { Ports } from "../../core/bus";
import { consumerNotFound, streamNotFound } from "./errors";
import { putRecord } from "./put";
import type { Store } from "./store";

/** What IoT rules, Lambda event sources and the others do with streams. */
export const kinesisPort = (store: Store): Ports["kinesis"] => ({
  async putRecord(streamArn, { data, partitionKey, explicitHashKey }) {
    const stream = store.byArn(streamArn);
    const { ShardId, SequenceNumber } = putRecord(
      stream,
      { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey },
      store.clock.now(),
    );
    return { shardId: ShardId, sequenceNumber: SequenceNumber };
  },

  async open(arn) {
    const { stream, consumer } = store.resource(arn);
    /** Whoever reads what has gone must hear so. */
    const check = () => {
      if (stream.deleted) throw streamNotFound(stream.name, stream.scope.account);
      const gone = consumer && stream.consumers.get(consumer.name) !== consumer;
      if (gone) throw consumerNotFound(consumer.name);
    };
    return {
      id: stream.id,
      shards() {
        check();
        stream.trim(store.clock.now());
        return [...stream.shards.values()].map(({ id, parents }) => ({ id, parents: parents.map((p) => p.id) }));
      },
      position(id, { type, timestamp = 0 }) {
        check();
        const log = stream.shards.get(id)?.log;
        if (!log) return Number.MAX_SAFE_INTEGER;
        log.trim(stream.horizon(store.clock.now()));
        if (type === "TRIM_HORIZON") return log.start;
        return type === "LATEST" ? log.end : log.positionAt(timestamp);
      },
      read(id, position, limit) {
        check();
        const shard = stream.shards.get(id);
        if (!shard) return { records: [], next: position, ended: true };
        shard.log.trim(stream.horizon(store.clock.now()));
        const { records, next } = shard.log.read(position, limit);
        return {
          records: records.map((record, index) => ({
            sequenceNumber: record.sequenceNumber,
            position: next - records.length + index,
            arrival: record.arrival,
            size: record.size,
            key: record.partitionKey,
            detail: record,
          })),
          next,
          ended: !shard.open && next === shard.log.end,
        };
      },
      watch: (listener) => stream.watch(listener),
    };
  },
});
