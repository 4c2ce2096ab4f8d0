import { resolve } from "node:path";
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { deploy } from "../deploy";
import { warm } from "./harness/deploying";
import { settings, startEmulator } from "./harness/emulator";

/** Bodies in all. Each is sent once, and accounted for by the request id and the number that its elements carry. */
const bodies = 2000;
const concurrent = 20;

/** A body as it is sent. */
interface Sent {
  readonly text: string;
  /** The JSON of each element; a body that is not JSON is one thing, an empty one nothing. */
  readonly elements: readonly string[];
}

/** Stands for the body's number, so that what is stored can be told apart by `tsmGw`. */
const mark = '"tsmGw":"@"';

/** What sensors add to a message, and what would break a careless program. */
const fields = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      temp: fc.integer({ min: -400, max: 850 }).map((tenths) => tenths / 10),
      note: fc.string({ unit: "grapheme", maxLength: 12 }),
      list: fc.array(fc.integer(), { maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("__proto__", "constructor", "toString", "")),
      fc.oneof(fc.double(), fc.string({ unit: "binary", maxLength: 12 }), fc.jsonValue({ maxDepth: 3 })),
      { maxKeys: 3 },
    ),
  },
);

const valid = fc
  .record({
    tsmId: fc.constantFrom(1110, 12100, 13100, 13102, 17200),
    tsmEv: fc.constantFrom(0, 7, 9, 10, 17),
    tsmTs: fc.oneof(
      fc.integer({ min: 0, max: 4_000_000_000_000 }).map((milliseconds) => milliseconds / 1000),
      fc.double({ min: 0, max: 4_000_000_000, noNaN: true }),
    ),
    tsmTuid: fc.stringMatching(/^TS[A-Z0-9]{4,12}$/),
  })
  .chain((message) => fields.map((more) => ({ ...more, ...message, tsmGw: "@" })));

/** One element as JSON text: a valid message, a message with something wrong, or no message at all. */
const element = fc.oneof(
  { weight: 5, arbitrary: valid.map((message) => JSON.stringify(message)) },
  { weight: 1, arbitrary: valid.map(({ tsmTuid: _, ...rest }) => JSON.stringify(rest)) },
  { weight: 1, arbitrary: valid.map((message) => JSON.stringify({ ...message, tsmId: "12100" })) },
  { weight: 1, arbitrary: valid.map((message) => JSON.stringify({ ...message, tsmTs: -1 })) },
  { weight: 1, arbitrary: valid.map((message) => JSON.stringify({ ...message, tsmEv: 18, tsmTs: undefined })) },
  { weight: 1, arbitrary: valid.map((message) => `${JSON.stringify(message).slice(0, -1)},"big":1e400}`) },
  { weight: 1, arbitrary: valid.map((message) => `${JSON.stringify(message).slice(0, -1)},"tsmTuid":""}`) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 30, max: 400 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)) },
);

const array = fc.array(element, { maxLength: 40 }).chain((elements) =>
  fc.subarray(elements, { maxLength: Math.min(2, elements.length) }).map((repeated): Sent => {
    const all = [...elements, ...repeated];
    return { text: `[${all.join(",")}]`, elements: all };
  }),
);

/** Equal messages are one item whatever the order of their fields. */
const canonical = (text: string) => {
  const value: unknown = JSON.parse(text);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : text;
};

const broken = fc
  .tuple(array, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([{ text }, part]) => text.slice(0, Math.floor(text.length * part)))
  .filter((text) => !isJson(text));

const one = (text: string): Sent => ({ text, elements: text.trim() === "" ? [] : [text] });

const body = fc.oneof(
  { weight: 6, arbitrary: array },
  { weight: 2, arbitrary: broken.map(one) },
  { weight: 1, arbitrary: element.filter((text) => !text.startsWith("[")).map(one) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: "grapheme", maxLength: 60 })
      .filter((text) => !isJson(text))
      .map(one),
  },
);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

it(`answers ${bodies} generated bodies without a 5xx, and keeps every element of each: stored or dead-lettered`, async () => {
  await using emulator = await startEmulator({ port: 0 });
  const { outputs } = await deploy({
    // The ingest alone: what the stack hangs behind it gets nothing that is not stored.
    program: resolve(__dirname, "../dist/integration/programs/thingsee-changing.js"),
    stack: "bodies",
    endpoint: emulator.endpoint,
    warm,
  });
  const output = (name: string) => String(outputs[name]!.value);
  const headers = { "content-type": "application/json", "x-api-key": output("apiKey") };

  const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
  // Any failure below can be repeated with this.
  console.log(`bodies: FC_SEED=${seed}`);
  const sent: { body: Sent; requestId: string; status: number; answer: { accepted?: number; rejected?: number } }[] =
    [];
  const waiting = fc.sample(body, { numRuns: bodies, seed }).entries();
  const send = async () => {
    for (const [index, { text, elements }] of waiting) {
      const marked = (json: string) => json.replaceAll(mark, `"tsmGw":"${index}"`);
      const own = { text: marked(text), elements: elements.map(marked) };
      const response = await fetch(output("url"), { method: "POST", headers, body: own.text });
      const requestId = response.headers.get("x-amzn-requestid")!;
      sent[index] = { body: own, requestId, status: response.status, answer: (await response.json()) as object };
    }
  };
  await Promise.all(Array.from({ length: concurrent }, send));

  const deadLetters = await drain(emulator.endpoint, output("deadLetterQueueUrl"));
  const stored = await countItems(emulator.endpoint, output("tableName"));
  const wrong = sent.flatMap(({ body: { text, elements }, requestId, status, answer }, index) => {
    const dead = deadLetters.get(requestId) ?? [];
    const kept = stored.get(String(index)) ?? 0;
    const accepted = elements.filter((_, at) => !dead.includes(at));
    const fits = isJson(text)
      ? status === 200 &&
        answer.rejected === dead.length &&
        answer.accepted === accepted.length &&
        kept === new Set(accepted.map(canonical)).size
      : status === 400 && dead.length === elements.length && kept === 0;
    return fits ? [] : [{ index, status, answer, sent: elements.length, kept, dead, text: text.slice(0, 500) }];
  });
  expect(wrong).toEqual([]);
  expect(sent).toHaveLength(bodies);
  expect([...stored.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(bodies / 2);
}, 120_000);

/** Places of the elements that were dead-lettered, by request (undefined for a whole body); empties the queue. */
async function drain(endpoint: string, QueueUrl: string): Promise<Map<string, (number | undefined)[]>> {
  const sqs = new SQSClient(settings({ endpoint }));
  const letters = new Map<string, (number | undefined)[]>();
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return letters;
    for (const { Body } of Messages) {
      const { requestId, index } = JSON.parse(Body!) as { requestId: string; index?: number };
      letters.set(requestId, [...(letters.get(requestId) ?? []), index]);
    }
    const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId!, ReceiptHandle: ReceiptHandle! }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** Items in the table by the number of the body that brought them. */
async function countItems(endpoint: string, TableName: string): Promise<Map<string, number>> {
  const client = new DynamoDBClient(settings({ endpoint }));
  const counts = new Map<string, number>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ProjectionExpression: "gateway" })) {
    for (const { gateway } of Items) counts.set(gateway!.S!, (counts.get(gateway!.S!) ?? 0) + 1);
  }
  return counts;
}
