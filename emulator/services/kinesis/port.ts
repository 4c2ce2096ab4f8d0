import type { Authorizer } from "../../core/access/authorizer";
import type { Ports } from "../../core/bus";
import { guardedReader } from "../../core/guarded-reader";
import type { DataRecordDetail, StreamReader } from "../../core/stream-reader";
import { accessDenied, consumerNotFound, streamNotFound } from "./errors";
import { putRecord } from "./put";
import type { Store } from "./store";

/** What IoT rules, Lambda event sources and the others do with streams. */
export const kinesisPort = (store: Store, access: Authorizer): Ports["kinesis"] => ({
  async putRecord(streamArn, { data, partitionKey, explicitHashKey }, by) {
    const stream = store.byArn(streamArn);
    const policy = stream.policies.get(streamArn);
    access.demand(by, { action: "kinesis:PutRecord", resource: streamArn, policy }, accessDenied);
    const entry = { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey };
    const { ShardId, SequenceNumber } = putRecord(store, stream, entry);
    return { shardId: ShardId, sequenceNumber: SequenceNumber };
  },

  async open(arn, by) {
    const { stream, consumer } = store.resource(arn);
    /** Whoever reads what has gone must hear so. */
    const check = () => {
      if (stream.deleted) throw streamNotFound(stream.name, stream.scope.account);
      const gone = consumer && stream.consumers.get(consumer.name) !== consumer;
      if (gone) throw consumerNotFound(consumer.name);
    };
    const reader: StreamReader<DataRecordDetail> = {
      id: stream.id,
      demand() {},
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
            causes: record.causes,
            detail: record,
          })),
          next,
          ended: !shard.open && next === shard.log.end,
        };
      },
      watch: (listener) => stream.watch(listener),
    };
    if (!by) return reader;
    const demand = (action: string, resource: string) =>
      access.demand(by, { action, resource, policy: stream.policies.get(resource) }, accessDenied);
    return guardedReader(reader, (step) => {
      // Who reads by a consumer is sent the records.
      if (consumer && step !== "DescribeStream") return demand("kinesis:SubscribeToShard", consumer.arn);
      demand(`kinesis:${step}`, stream.arn);
      if (step === "DescribeStream") demand("kinesis:ListShards", stream.arn);
    });
  },
});
