import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { useKinesis } from "./harness/kinesis";
import { drain } from "./harness/queues";
import { query } from "./harness/timestream";

interface Outputs {
  deadLetterQueueUrl: string;
  streamName: string;
  consume: string;
  replay: string;
}

const deployed = useDeployed<Outputs>("iot-timestream");
const emulator = {
  get current() {
    return deployed.current.emulator;
  },
};
const kinesis = useKinesis(emulator);
const clients: { destroy(): void }[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

/** Publishes messages as devices do. */
async function publish(device: string, ...payloads: object[]) {
  const data = new IoTDataPlaneClient(settings(emulator.current));
  clients.push(data);
  for (const payload of payloads) {
    const topic = `devices/${device}/telemetry`;
    await data.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(payload)) }));
  }
}

const rows = async (device: string) =>
  (await query(emulator.current, `SELECT time, temp FROM "fleet"."readings" WHERE ident = '${device}' ORDER BY temp`))
    .rows;
const temps = (device: string) =>
  rows(device).then(
    (found) => found.map(([, temp]) => temp),
    () => [],
  );
const letters = () => {
  const sqs = new SQSClient(settings(emulator.current));
  clients.push(sqs);
  return drain(sqs, deployed.current.outputs.deadLetterQueueUrl);
};

/** Gives the deployed function these records of the stream once more; gives what it wants to come again. */
async function deliverAgain(reverse: boolean) {
  const { outputs } = deployed.current;
  const { Records = [] } = await kinesis.get(await kinesis.iterator(outputs.streamName));
  const again = Records.map(({ SequenceNumber, Data, ApproximateArrivalTimestamp }) => ({
    eventID: `shardId-000000000000:${SequenceNumber}`,
    kinesis: {
      sequenceNumber: SequenceNumber,
      data: Buffer.from(Data!).toString("base64"),
      approximateArrivalTimestamp: ApproximateArrivalTimestamp!.getTime() / 1000,
    },
  }));
  const lambda = new LambdaClient(settings(emulator.current));
  clients.push(lambda);
  const Payload = Buffer.from(JSON.stringify({ Records: reverse ? again.reverse() : again }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName: outputs.consume, Payload }));
  return { count: again.length, answer: JSON.parse(Buffer.from(answer.Payload!).toString()) as unknown };
}

test("messages get to Timestream in any order of their times, each once however often they come", async () => {
  const at = emulator.current.clock.now() - 60_000;
  await publish("a", { temp: 3, at }, { temp: 1, at: at - 2_000 }, { temp: 2, at: at - 1_000 }, { temp: 3, at });
  await expect.poll(() => temps("a"), { timeout: 10_000 }).toEqual(["1.0", "2.0", "3.0"]);
  const [[first] = []] = await rows("a");
  expect(first).toContain(new Date(at - 2_000).toISOString().slice(0, -1).replace("T", " "));

  for (const reverse of [false, true]) {
    expect(await deliverAgain(reverse)).toEqual({ count: 4, answer: { batchItemFailures: [] } });
  }
  expect(await temps("a")).toEqual(["1.0", "2.0", "3.0"]);
  expect(await letters()).toEqual([]);
});

test("two readings of one moment are both kept", async () => {
  const at = emulator.current.clock.now();
  await publish("b", { temp: 1, at }, { temp: 2, at });
  await expect.poll(() => temps("b"), { timeout: 10_000 }).toEqual(["1.0", "2.0"]);
});

test("what Timestream rejects goes to the dead-letter queue with its reason, and nothing else does", async () => {
  const at = emulator.current.clock.now();
  await publish("c", { temp: 1, at }, { temp: 2, at: at - 86_400_000 }, { temp: "warm", at }, { "a:b": 1, at });
  await publish("c", { temp: 5, at });
  await expect.poll(() => temps("c"), { timeout: 10_000 }).toEqual(["1.0", "5.0"]);
  const found: Record<string, unknown>[] = [];
  await expect.poll(async () => found.push(...(await letters())), { timeout: 10_000 }).toBe(3);
  const reasons = found.map(({ reason }) => reason).sort();
  expect(reasons).toEqual([
    expect.stringContaining("timestream: The record timestamp is outside the time range"),
    expect.stringContaining("timestream: The type VARCHAR of measure value temp does not match"),
    expect.stringContaining("timestream: ValidationException: Invalid record: the measure name a:b"),
  ]);
  expect(found[0]).toMatchObject({ stage: "sink", sinks: ["timestream"], device: "c" });
});

test("a dead letter that is replayed gets to Timestream", async () => {
  const resource = deployed.current.outputs.streamName;
  const refused = { service: "kinesis", operation: "PutRecord", resource, code: "ResourceNotFoundException" };
  const fault = emulator.current.faults.inject({ fault: "error", ...refused });
  await publish("d", { temp: 7, at: emulator.current.clock.now() });
  await expect.poll(() => fault.hits).toBeGreaterThan(0);
  await emulator.current.clock.idle();
  fault.remove();
  const lambda = new LambdaClient(settings(emulator.current));
  clients.push(lambda);
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: deployed.current.outputs.replay }));
  expect(JSON.parse(Buffer.from(Payload!).toString())).toMatchObject({ replayed: 1, stillFailing: 0 });
  expect(await temps("d")).toEqual(["7.0"]);
});
