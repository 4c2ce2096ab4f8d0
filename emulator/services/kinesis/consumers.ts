import { limits } from "../../core/limits";
import { check, checkTags, makeToken, readToken, streamNamePattern } from "./checks";
import { consumerExists, consumerNotFound, invalidArgument, limitExceeded } from "./errors";
import { checkCreation } from "./shards";
import type { KinesisOperations, Store } from "./store";
import type { Consumer, Stream } from "./stream";

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html */
const mostConsumers = limits.kinesis.consumers.value;

const nameConstraint = { length: [1, limits.kinesis.name.value], pattern: streamNamePattern } as const;

const shown = ({ name, arn, created }: Consumer) => ({
  ConsumerName: name,
  ConsumerARN: arn,
  ConsumerStatus: "ACTIVE" as const,
  ConsumerCreationTimestamp: new Date(created),
});

interface ConsumerReference {
  StreamARN?: string;
  ConsumerName?: string;
  ConsumerARN?: string;
}

/** Consumers with enhanced fan-out. They can be named as event sources of functions. */
export const consumerOperations = (store: Store): KinesisOperations => {
  const find = ({
    StreamARN,
    ConsumerName,
    ConsumerARN,
  }: ConsumerReference): { stream: Stream; consumer: Consumer } => {
    check({ consumerName: [ConsumerName, nameConstraint] });
    if (ConsumerARN !== undefined) {
      const { stream, consumer } = store.resource(ConsumerARN);
      if (!consumer) throw invalidArgument(`ConsumerARN ${ConsumerARN} is not that of a consumer.`);
      return { stream, consumer };
    }
    if (StreamARN === undefined || ConsumerName === undefined) {
      throw invalidArgument("Either ConsumerARN or StreamARN and ConsumerName must be provided.");
    }
    const stream = store.byArn(StreamARN);
    const consumer = stream.consumers.get(ConsumerName);
    if (!consumer) throw consumerNotFound(ConsumerName);
    return { stream, consumer };
  };

  return {
    RegisterStreamConsumer(input) {
      check({
        streamARN: [input.StreamARN, { required: true, length: [1, 2048] }],
        consumerName: [input.ConsumerName, { required: true, ...nameConstraint }],
      });
      checkTags(input.Tags, new Map());
      const stream = store.byArn(input.StreamARN!);
      const name = input.ConsumerName!;
      if (stream.consumers.has(name)) throw consumerExists(name, stream.name, stream.scope.account);
      if (stream.consumers.size >= mostConsumers) {
        throw limitExceeded(`Stream ${stream.name} cannot have more than ${mostConsumers} registered consumers.`);
      }
      const created = store.clock.now();
      const consumer: Consumer = {
        name,
        arn: `${stream.arn}/consumer/${name}:${Math.floor(created / 1_000)}`,
        created,
        tags: new Map(Object.entries(input.Tags ?? {})),
      };
      stream.consumers.set(name, consumer);
      // It is ready at once; the answer names the step that AWS is in.
      return { Consumer: { ...shown(consumer), ConsumerStatus: "CREATING" } };
    },

    DescribeStreamConsumer(input) {
      const { stream, consumer } = find(input);
      return { ConsumerDescription: { ...shown(consumer), StreamARN: stream.arn } };
    },

    DeregisterStreamConsumer(input) {
      const { stream, consumer } = find(input);
      stream.consumers.delete(consumer.name);
      stream.policies.delete(consumer.arn);
      stream.changed();
      return {};
    },

    ListStreamConsumers(input) {
      check({
        streamARN: [input.StreamARN, { required: true, length: [1, 2048] }],
        maxResults: [input.MaxResults, { range: [1, 10_000] }],
      });
      const stream = store.byArn(input.StreamARN!);
      const now = store.clock.now();
      checkCreation(stream, input.StreamCreationTimestamp);
      const [start = ""] = input.NextToken === undefined ? [] : readToken(input.NextToken, now);
      const after = [...stream.consumers.values()]
        .filter(({ name }) => name > start)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const page = after.slice(0, Math.min(input.MaxResults ?? 100, 100));
      return {
        Consumers: page.map(shown),
        NextToken: after.length > page.length ? makeToken([page.at(-1)!.name], now) : undefined,
      };
    },
  };
};
