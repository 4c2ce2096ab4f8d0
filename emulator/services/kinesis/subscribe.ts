import type { SubscribeToShardEventStream } from "@aws-sdk/client-kinesis";
import { limits } from "../../core/limits";
import { check, sequenceNumberPattern, shardIdConstraint } from "./checks";
import { invalidArgument, streamNotFound, subscribedAlready } from "./errors";
import { findShard, iteratorTypes, shownChildren, shownRecord, startingPosition } from "./get";
import type { Shard } from "./shard";
import type { KinesisOperations, Store } from "./store";
import type { Consumer, Stream } from "./stream";

/** A subscription ends after five minutes; the consumer makes another one. */
const life = limits.kinesis.subscription.value;
/** Where there is nothing new, an event without records says how far the consumer is. */
const heartbeat = 5_000;
/** So long after a subscription was made, another one of the same consumer and shard is refused; later it takes over. */
const protectedFor = limits.kinesis.subscriptionPause.value;
const mostRecords = 10_000;
const mostBytes = 2 * 1024 * 1024;

interface Subscription {
  readonly made: number;
  end(): void;
}

/** Enhanced fan-out: records are pushed to a consumer as they come. */
export const subscribeOperations = (store: Store): KinesisOperations => {
  const current = new WeakMap<Consumer, Map<string, Subscription>>();

  return {
    SubscribeToShard(input, context) {
      const { Type, SequenceNumber, Timestamp } = input.StartingPosition ?? {};
      check({
        consumerARN: [input.ConsumerARN, { required: true, length: [1, 2048] }],
        shardId: [input.ShardId, shardIdConstraint],
        startingPosition: [input.StartingPosition, { required: true }],
        "startingPosition.type": [Type, { required: true, oneOf: iteratorTypes }],
        "startingPosition.sequenceNumber": [SequenceNumber, { pattern: sequenceNumberPattern }],
      });
      const { stream, consumer } = store.resource(input.ConsumerARN!);
      if (!consumer) throw invalidArgument(`ConsumerARN ${input.ConsumerARN} is not that of a consumer.`);
      const now = store.clock.now();
      stream.trim(now);
      const shard = findShard(stream, input.ShardId!);
      const position = startingPosition(stream, shard, Type!, SequenceNumber, Timestamp, now);

      const subscriptions = current.get(consumer) ?? new Map<string, Subscription>();
      current.set(consumer, subscriptions);
      const before = subscriptions.get(shard.id);
      if (before && now - before.made < protectedFor) throw subscribedAlready(consumer.arn, shard.id);
      before?.end();
      const ended = new AbortController();
      const subscription: Subscription = { made: now, end: () => ended.abort() };
      subscriptions.set(shard.id, subscription);
      const signal = AbortSignal.any([context.signal, ended.signal]);
      const over = () => {
        if (subscriptions.get(shard.id) === subscription) subscriptions.delete(shard.id);
      };
      const trace = context.http.headers["x-amzn-trace-id"];
      return { EventStream: push(store, stream, consumer, shard, position, signal, trace, over) };
    },
  };
};

/** The events of one subscription. */
async function* push(
  store: Store,
  stream: Stream,
  consumer: Consumer,
  shard: Shard,
  start: number,
  signal: AbortSignal,
  trace: string | undefined,
  over: () => void,
): AsyncGenerator<SubscribeToShardEventStream> {
  const { clock } = store;
  const end = clock.now() + life;
  const news = new Bell();
  const unwatch = stream.watch((shardId) => {
    if (shardId === undefined || shardId === shard.id) news.ring();
  });
  const ring = () => news.ring();
  signal.addEventListener("abort", ring);
  let position = start;
  let continuation = shard.log.at(start - 1)?.sequenceNumber ?? shard.startingSequenceNumber;
  try {
    while (!signal.aborted && clock.now() < end && stream.consumers.get(consumer.name) === consumer) {
      if (stream.deleted) throw streamNotFound(stream.name, stream.scope.account);
      const now = clock.now();
      shard.log.trim(stream.horizon(now));
      const { records, next } = shard.log.read(position, { records: mostRecords, bytes: mostBytes });
      position = next;
      continuation = records.at(-1)?.sequenceNumber ?? continuation;
      const rest = shard.log.at(next);
      const done = !shard.open && rest === undefined;
      yield {
        SubscribeToShardEvent: {
          Records: records.map(shownRecord),
          // A shard that has ended has nothing to continue with.
          ContinuationSequenceNumber: done ? undefined : continuation,
          MillisBehindLatest: rest ? now - rest.arrival : 0,
          ChildShards: done ? shownChildren(stream, shard) : undefined,
        },
      };
      if (done) return;
      if (rest || news.rung) continue;
      const timer = clock.after(Math.min(heartbeat, end - clock.now()), ring);
      await clock.hold(news.next(), trace);
      timer.cancel();
    }
  } finally {
    signal.removeEventListener("abort", ring);
    unwatch();
    over();
  }
}

/** Tells one who waits, and remembers what rang in between. */
class Bell {
  private heard?: () => void;
  private pending = false;

  ring(): void {
    this.pending = true;
    this.heard?.();
  }

  /** Whether it rang since the last wait ended. */
  get rung(): boolean {
    const { pending } = this;
    this.pending = false;
    return pending;
  }

  async next(): Promise<void> {
    if (!this.pending) {
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
    this.pending = false;
  }
}
