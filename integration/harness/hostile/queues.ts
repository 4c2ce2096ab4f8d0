import { InvokeCommand } from "@aws-sdk/client-lambda";
import fc from "fast-check";
import { expect, vi } from "vitest";
import { depth } from "../postbox";
import type { Attempt } from "./attempt";
import type { Stack } from "./stack";
import { bodies, near, texts } from "./values";
import { exchange, request, statusesIn } from "./wire";

/** What the functions behind the queues are used to. */
const samples = [
  [
    { tsmTuid: "T1", tsmTs: 1_700_000_000, temp: 21.3 },
    { deviceId: 7, more: { a: [1, null] } },
  ],
  { id: "r", from: "token", sender: "c=", data: { a: 1 } },
  { shard: 0, sentAt: 1_700_000_000_000, records: [{ id: "r", device: "d", text: '{"id":"r"}' }] },
  {
    Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: "b" }, object: { key: "publish/1", size: 3 } } }],
  },
  { bucket: "b", key: "k", submittedAt: "2026-01-01T00:00:00Z", size: 1, requestId: "r", principal: null },
  {
    requestId: "r",
    receivedAt: "2026-01-01T00:00:00Z",
    stage: "store",
    reason: "x",
    body: "[{}]",
    elements: ["{}"],
    index: 0,
  },
  {
    id: "shard:1",
    reason: "x",
    sinks: ["table"],
    message: { topic: "a/b/c", payload: "e30=", receivedAt: 1, device: "b" },
  },
  { ruleName: "r", topic: "devices/a/telemetry", clientId: "a", base64OriginalPayload: "e30=", failures: [] },
  {
    KinesisBatchInfo: {
      ...{ shardId: "shardId-000000000000", startSequenceNumber: "1", endSequenceNumber: "2", batchSize: 1 },
      streamArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/x",
    },
  },
];

const messageBodies = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...samples).chain(near) },
  { weight: 2, arbitrary: bodies.map((body) => body.toString()) },
  { weight: 1, arbitrary: fc.constantFrom(...samples.map((sample) => JSON.stringify(sample))) },
);

const attributes = fc.dictionary(
  fc.oneof({ weight: 3, arbitrary: fc.constant("audience") }, { weight: 1, arbitrary: texts }),
  fc.oneof(
    fc.oneof(texts, fc.constant("everyone")).map((StringValue) => ({ DataType: "String", StringValue })),
    fc.constantFrom<object>(
      ...[
        { DataType: "Number", StringValue: "1e400" },
        { DataType: "Binary", BinaryValue: "AAE=" },
        { DataType: "String" },
      ],
      ...[{ DataType: "Number.x", StringValue: "7" }, { DataType: "x", StringValue: "7" }, { StringValue: "7" }, {}],
    ),
  ),
  { maxKeys: 2 },
);

/** Messages on every queue of the stack, ten at a time: what is refused, is refused by SQS one by one. */
export function queueMessages({ port, queues }: Stack): fc.Arbitrary<Attempt> {
  const entry = fc.record(
    { MessageBody: messageBodies, MessageAttributes: attributes, DelaySeconds: fc.constantFrom(0, 0, 0, -1, 901) },
    { requiredKeys: ["MessageBody"] },
  );
  return fc
    .tuple(fc.constantFrom(...queues), fc.array(entry, { minLength: 10, maxLength: 10 }))
    .map(([QueueUrl, entries]): Attempt => {
      const body = JSON.stringify({ QueueUrl, Entries: entries.map((one, i) => ({ Id: `${i}`, ...one })) });
      return {
        name: `queue ${QueueUrl.slice(QueueUrl.lastIndexOf("/") + 1)}`,
        shown: body,
        requests: entries.length,
        async run() {
          const headers = [
            ...["Host: localhost", "Connection: close", "Content-Type: application/x-amz-json-1.0"],
            "X-Amz-Target: AmazonSQS.SendMessageBatch",
            "Authorization: AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
          ];
          const parts = [request("POST", "/", headers, Buffer.from(body))];
          const received = await exchange({ port, parts, ending: "wait" });
          const answer = received.subarray(received.indexOf("\r\n\r\n") + 4).toString();
          const { Failed = [] } = JSON.parse(answer) as { Failed?: { SenderFault: boolean; Message: string }[] };
          const problem = Failed.find(({ SenderFault }) => !SenderFault)?.Message;
          return { statuses: statusesIn(received), ...(problem && { problem }) };
        },
      };
    });
}

/** Lets the functions that take dead letters through again have what is on their queues by now. */
export async function replayAll({ clients: { lambda }, functions }: Stack): Promise<void> {
  const events = [{}, { max: 1_000 }, { from: "failures" }];
  const calls = functions
    .filter((name) => /replay|reconcile/.test(name))
    .flatMap((FunctionName) => events.map((event) => ({ FunctionName, Payload: JSON.stringify(event) })));
  await Promise.all(calls.map((call) => lambda.send(new InvokeCommand(call))));
}

/** Waits until functions have taken everything from the queues that they take from: it is done, or a dead letter. */
export async function queuesAreDone(stack: Stack, advance: (duration: string) => Promise<void>): Promise<void> {
  const sources = stack.queues.filter((url) => /live-queue|fan-out|arrivals/.test(url));
  const done = async () => {
    // What failed becomes visible again.
    await advance("4 minutes");
    const left = await Promise.all(sources.map((url) => depth(stack.clients.sqs, url)));
    expect(left).toEqual(sources.map(() => 0));
  };
  await vi.waitFor(done, 60_000);
}
