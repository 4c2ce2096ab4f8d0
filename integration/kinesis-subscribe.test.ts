import { once } from "node:events";
import { connect } from "node:http2";
import {
  DeleteStreamCommand,
  RegisterStreamConsumerCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from "@aws-sdk/client-kinesis";
import { expect, it } from "vitest";
import { useEmulator } from "./harness/emulator";
import { text, useKinesis } from "./harness/kinesis";

const emulator = useEmulator();
const kinesis = useKinesis(emulator);

async function makeConsumer(StreamName: string): Promise<string> {
  const { Consumer } = await kinesis.client.send(
    new RegisterStreamConsumerCommand({ StreamARN: kinesis.arn(StreamName), ConsumerName: "reader" }),
  );
  return Consumer!.ConsumerARN!;
}

async function subscribe(ConsumerARN: string, from: Partial<StartingPosition> = {}, ShardId = "shardId-000000000000") {
  const { EventStream } = await kinesis.client.send(
    new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: "TRIM_HORIZON", ...from } }),
  );
  const events = EventStream![Symbol.asyncIterator]();
  const next = async (): Promise<SubscribeToShardEvent | undefined> => {
    const { value } = await events.next();
    return value?.SubscribeToShardEvent;
  };
  return {
    next,
    /** The data of the next event that has records. */
    async data(): Promise<string[]> {
      for (;;) {
        const event = await next();
        if (event!.Records!.length > 0) return event!.Records!.map(({ Data }) => text(Data));
      }
    },
    end: () => events.return?.(),
  };
}

it("pushes the records of a shard to a registered consumer, old ones and new ones as they come", async () => {
  const name = await kinesis.stream();
  await kinesis.put(name, "1");
  const subscription = await subscribe(await makeConsumer(name));
  const first = await subscription.next();
  expect(first!.Records!.map(({ Data }) => text(Data))).toEqual(["1"]);
  expect(first!.ContinuationSequenceNumber).toBe(first!.Records![0]!.SequenceNumber);
  expect(first!.MillisBehindLatest).toBe(0);
  await kinesis.put(name, "2");
  expect(await subscription.data()).toEqual(["2"]);
  await subscription.end();
});

it("goes on behind a continuation sequence number, after the five minutes of a subscription", async () => {
  const name = await kinesis.stream();
  const consumer = await makeConsumer(name);
  await kinesis.put(name, "1");
  const subscription = await subscribe(consumer);
  let continuation = (await subscription.next())!.ContinuationSequenceNumber;
  await emulator.current.clock.advance("5 minutes");
  for (let event = await subscription.next(); event; event = await subscription.next()) {
    continuation = event.ContinuationSequenceNumber;
  }
  await kinesis.put(name, "2");
  const again = await subscribe(consumer, { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: continuation });
  expect(await again.data()).toEqual(["2"]);
  await again.end();
});

it("ends at the end of a closed shard, and names its children", async () => {
  const name = await kinesis.stream();
  await kinesis.put(name, "1");
  const subscription = await subscribe(await makeConsumer(name));
  expect(await subscription.data()).toEqual(["1"]);
  await kinesis.split(name, (await kinesis.shards(name))[0]!);
  const last = await subscription.next();
  expect(last!.ChildShards!.map(({ ShardId }) => ShardId)).toEqual(["shardId-000000000001", "shardId-000000000002"]);
  expect(last!.ContinuationSequenceNumber).toBeUndefined();
  expect(await subscription.next()).toBeUndefined();
});

it("lets a later subscription of the consumer take over, but not within five seconds", async () => {
  const name = await kinesis.stream();
  const consumer = await makeConsumer(name);
  const first = await subscribe(consumer);
  await first.next();
  await expect(subscribe(consumer)).rejects.toMatchObject({ name: "ResourceInUseException" });
  await emulator.current.clock.advance("6 seconds");
  const second = await subscribe(consumer);
  await kinesis.put(name, "x");
  expect(await second.data()).toEqual(["x"]);
  let left = 0;
  while (await first.next()) left++;
  expect(left).toBeLessThanOrEqual(2);
  await second.end();
});

it("frees the consumer when its client goes away", async () => {
  const name = await kinesis.stream();
  const consumer = await makeConsumer(name);
  const session = connect(emulator.current.endpoint);
  const request = session.request({
    ":method": "POST",
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "Kinesis_20131202.SubscribeToShard",
    authorization: "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/kinesis/aws4_request",
  });
  request.end(
    JSON.stringify({
      ConsumerARN: consumer,
      ShardId: "shardId-000000000000",
      StartingPosition: { Type: "LATEST" },
    }),
  );
  await once(request, "data");
  await expect(subscribe(consumer)).rejects.toMatchObject({ name: "ResourceInUseException" });
  session.destroy();
  const again = async () => {
    try {
      await (await subscribe(consumer)).end();
      return "subscribed";
    } catch (error) {
      return (error as Error).name;
    }
  };
  await expect.poll(again, { interval: 5 }).toBe("subscribed");
});

it("tells a consumer when its stream is deleted", async () => {
  const name = await kinesis.stream();
  const subscription = await subscribe(await makeConsumer(name));
  await subscription.next();
  await kinesis.client.send(new DeleteStreamCommand({ StreamName: name, EnforceConsumerDeletion: true }));
  await expect(subscription.next()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

it("refuses subscriptions of unknown consumers, shards and positions", async () => {
  const name = await kinesis.stream();
  const consumer = await makeConsumer(name);
  await expect(subscribe(`${kinesis.arn(name)}/consumer/other:1`)).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(subscribe(kinesis.arn(name))).rejects.toMatchObject({ name: "InvalidArgumentException" });
  await expect(subscribe(consumer, {}, "shardId-000000000005")).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(subscribe(consumer, { Type: "AT_SEQUENCE_NUMBER" })).rejects.toMatchObject({
    name: "InvalidArgumentException",
  });
});
