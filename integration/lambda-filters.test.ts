import { CreateEventSourceMappingCommand, DeleteEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { useRemoteFunctions } from "./harness/remote-function";

const emulator = useEmulator();
const remote = useRemoteFunctions();
let lambda: LambdaClient;
let sqs: SQSClient;
let queues = 0;

beforeAll(async () => {
  lambda = new LambdaClient(settings(emulator.current));
  sqs = new SQSClient(settings(emulator.current));
  await makeFunction(lambda, "reader", remote.code("reader"));
});
afterAll(() => {
  lambda.destroy();
  sqs.destroy();
});

/** Which of the bodies reach the function through a filter. */
async function passing(patterns: unknown[], bodies: string[]): Promise<string[]> {
  const name = `filtered-${queues++}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: "reader",
      EventSourceArn: `arn:aws:sqs:eu-west-1:000000000000:${name}`,
      FilterCriteria: { Filters: patterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) },
    }),
  );
  const passed: string[] = [];
  const isEmpty = async () => {
    while (remote.waiting("reader")) {
      const run = await remote.next("reader");
      passed.push(...run.event.Records.map((record: { body: string }) => record.body));
      run.succeed();
    }
    const AttributeNames = ["All" as const];
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: "0",
      ApproximateNumberOfMessagesNotVisible: "0",
    });
  };
  await vi.waitFor(isEmpty, { interval: 5, timeout: 10_000 });
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  return passed;
}

const json = (values: unknown[]) => values.map((value) => JSON.stringify(value));

it.each([
  [
    "equals",
    { a: ["x", 1, true, null] },
    [{ a: "x" }, { a: 1 }, { a: true }, { a: null }],
    [{ a: "y" }, { a: "1" }, { a: "" }, {}],
  ],
  ["an empty text", { a: [""] }, [{ a: "" }], [{ a: " " }, { a: null }, {}]],
  ["all of several fields", { a: [1], b: [2] }, [{ a: 1, b: 2 }], [{ a: 1 }, { b: 2 }, { a: 1, b: 3 }]],
  [
    "nested fields",
    { a: { b: ["x"] } },
    [{ a: { b: "x" } }, { a: [{ b: "y" }, { b: "x" }] }],
    [{ a: "x" }, { b: "x" }, { a: { c: "x" } }],
  ],
  ["one of a list", { a: ["x"] }, [{ a: ["y", "x"] }], [{ a: ["y"] }, { a: [] }]],
  ["prefix", { a: [{ prefix: "ab" }] }, [{ a: "abc" }, { a: "ab" }], [{ a: "Abc" }, { a: 1 }, {}]],
  ["suffix", { a: [{ suffix: ".png" }] }, [{ a: "x.png" }], [{ a: "x.PNG" }, {}]],
  ["equals-ignore-case", { a: [{ "equals-ignore-case": "ABC" }] }, [{ a: "abc" }, { a: "AbC" }], [{ a: "ab" }, {}]],
  ["prefix in any case", { a: [{ prefix: { "equals-ignore-case": "AB" } }] }, [{ a: "abc" }], [{ a: "bc" }]],
  ["anything-but", { a: [{ "anything-but": ["x", 3] }] }, [{ a: "y" }, { a: 4 }], [{ a: "x" }, { a: 3 }, {}]],
  ["anything-but of one value", { a: [{ "anything-but": "x" }] }, [{ a: "y" }], [{ a: "x" }, {}]],
  ["anything-but a prefix", { a: [{ "anything-but": { prefix: "x" } }] }, [{ a: "y" }], [{ a: "xy" }, {}]],
  ["numeric =", { a: [{ numeric: ["=", 3] }] }, [{ a: 3 }], [{ a: 4 }, { a: "3" }, {}]],
  [
    "a numeric range",
    { a: [{ numeric: [">", 0, "<=", 5] }] },
    [{ a: 5 }, { a: 0.1 }],
    [{ a: 0 }, { a: 5.1 }, { a: -1 }],
  ],
  ["exists", { a: [{ exists: true }] }, [{ a: null }, { a: "" }], [{ b: 1 }]],
  ["does not exist", { a: [{ exists: false }] }, [{ b: 1 }], [{ a: null }]],
  ["does not exist, nested", { a: { b: [{ exists: false }] } }, [{ a: {} }, {}], [{ a: { b: 0 } }]],
  [
    "$or over fields",
    { $or: [{ a: ["x"] }, { b: [{ numeric: [">", 5] }] }] },
    [{ a: "x" }, { b: 6 }],
    [{ a: "y", b: 5 }, {}],
  ],
])("lets through what matches: %s", async (_name, body, matching, others) => {
  const wanted = json(matching);
  expect((await passing([{ body }], [...json(others), ...wanted])).sort()).toEqual(wanted.sort());
});

it("lets through what matches one of several patterns", async () => {
  const patterns = [{ body: { a: [1] } }, { body: { b: [2] } }];
  expect((await passing(patterns, json([{ a: 1 }, { b: 2 }, { a: 2 }]))).sort()).toEqual(
    json([{ a: 1 }, { b: 2 }]).sort(),
  );
});

it("matches plain text only with plain patterns, and JSON only with JSON patterns", async () => {
  expect(await passing([{ body: ["hello"] }], ["hello", "other", '{"a":1}'])).toEqual(["hello"]);
  expect(await passing([{ body: [{ prefix: "{" }] }], ['{"a":1}'])).toEqual([]);
  expect(await passing([{ body: { a: [{ exists: false }] } }], ["plain", "{}"])).toEqual(["{}"]);
});

it("filters on the other members of a message too", async () => {
  expect(await passing([{ attributes: { ApproximateReceiveCount: ["1"] } }], ["any"])).toEqual(["any"]);
  expect(await passing([{ attributes: { ApproximateReceiveCount: ["9"] } }], ["any"])).toEqual([]);
});
