import { createHash } from "node:crypto";
import { type AttributeValue, paginateQuery } from "@aws-sdk/client-dynamodb";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { PostboxMessage } from "../../../components";
import type { Accepted, Ledger } from "./ledger";
import type { System } from "./system";
import { marksIn } from "./viewer";

/** How often the clock is moved on before what has not come counts as lost: longer than messages are hidden, each time. */
const rounds = 6;
const roundSeconds = 200;
/**
 * Milliseconds without anything new after which nothing more can come while time stands still: the emulator is at rest
 * then, and what it sent has only to be read. What would count as lost gets longer.
 */
const moment = 20;
const patience = 400;

/** What has turned up so far. */
interface Found {
  /** Marks by how many items they are in. */
  readonly table: Map<string, number>;
  readonly iotTable: Map<string, number>;
  readonly announced: Map<string, PostboxMessage>;
}

/**
 * Looks for everything that was taken: in its store, with its viewers, among the dead letters. What is missing has some
 * time to come, for it may be on its way, or hidden after a failure. Gives what is wrong, in words.
 */
export async function findMistakes(system: System, ledger: Ledger, since: number): Promise<string[]> {
  const announced = new Map<string, PostboxMessage>();
  for (let round = 0; ; round++) {
    const { found, missing } = await lookAround(system, ledger, since, announced, round < rounds ? moment : patience);
    if (missing.length === 0)
      return [
        ...twice(found, ledger),
        ...(await wrongObjects(system, ledger, since, found)),
        ...seenWrongly(system, ledger),
      ];
    if (round === rounds) return missing;
    for (const viewer of ledger.viewers) viewer.ping();
    await system.emulator.clock.advance(`${roundSeconds} seconds`);
    if (ledger.published.length > 0) await reconcile(system);
  }
}

/** Looks once nothing is under way any more: a look takes many calls, and viewers get to see more without one. */
async function lookAround(
  system: System,
  ledger: Ledger,
  since: number,
  announced: Found["announced"],
  quiet: number,
): Promise<{ found: Found; missing: string[] }> {
  for (let before = -1; ; ) {
    await system.emulator.clock.idle();
    const found = await look(system, ledger, since, announced);
    let missing = whatIsMissing(system, ledger, found);
    if (missing.length === before) return { found, missing };
    do {
      if (missing.length === 0) return { found, missing };
      before = missing.length;
      await new Promise((resolve) => setTimeout(resolve, quiet));
      missing = whatIsMissing(system, ledger, found);
    } while (missing.length !== before);
  }
}

async function look(system: System, ledger: Ledger, since: number, announced: Found["announced"]): Promise<Found> {
  const { dynamodb, outputs } = system;
  const devicesOf = (store: Accepted["store"]) =>
    new Set(ledger.accepted.flatMap((one) => (one.store === store && !one.broken ? one.device : [])));
  const table = await itemMarks(dynamodb, outputs.tableName, "tuid", devicesOf("table"));
  const iotTable = await itemMarks(dynamodb, outputs.iotTableName, "ident", devicesOf("iot table"), since);
  for (const url of outputs.deadLetterQueueUrls) system.letters.push(...(await take(system, url)));
  if (ledger.published.length > 0) {
    for (const text of await take(system, outputs.postboxQueueUrl)) {
      const message = JSON.parse(text) as PostboxMessage;
      announced.set(message.requestId, message);
    }
  }
  return { table, iotTable, announced };
}

/** How many items of some devices hold each mark. */
async function itemMarks(
  client: System["dynamodb"],
  TableName: string,
  key: string,
  devices: ReadonlySet<string>,
  since?: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const device of devices) {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        KeyConditionExpression: since === undefined ? "#key = :device" : "#key = :device AND sortKey >= :since",
        ExpressionAttributeNames: { "#key": key },
        ExpressionAttributeValues: {
          ":device": { S: device },
          ...(since !== undefined && { ":since": { S: new Date(since).toISOString() } }),
        },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) for (const mark of marksOf(item)) counts.set(mark, (counts.get(mark) ?? 0) + 1);
    }
  }
  return counts;
}

const marksOf = (item: Record<string, AttributeValue>): ReadonlySet<string> => new Set(marksIn(JSON.stringify(item)));

/** Takes what can be received from a queue. */
async function take({ sqs }: System, QueueUrl: string): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return texts;
    texts.push(...Messages.map(({ Body }) => Body!));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** Letters hold payloads as text, as base64, or as JSON in JSON. */
function lettersWith(system: System, ledger: Ledger): ReadonlySet<string> {
  const own = `~${ledger.run}.`;
  const found = new Set<string>();
  for (const letter of system.letters) {
    const encoded = letter.match(/[A-Za-z0-9+/]{8,}={0,2}/g) ?? [];
    const texts = [letter, ...encoded.map((text) => Buffer.from(text, "base64").toString("latin1"))];
    for (const mark of texts.flatMap((text) => marksIn(text))) if (mark.startsWith(own)) found.add(mark);
  }
  return found;
}

function whatIsMissing(system: System, ledger: Ledger, { table, iotTable, announced }: Found): string[] {
  const letters = lettersWith(system, ledger);
  const missing: string[] = [];
  const stored = { table, "iot table": iotTable };
  for (const { mark, device, store, broken, viewers } of ledger.accepted) {
    if (letters.has(mark)) continue;
    if (broken) missing.push(`lost: ${mark} of ${device} is no dead letter although nothing can take it`);
    else if (store !== "live only" && !stored[store].has(mark)) {
      missing.push(`lost: ${mark} of ${device} is neither in the ${store} nor a dead letter`);
    } else {
      const without = viewers.filter((viewer) => viewer.isConnected && !viewer.seen.has(mark));
      if (without.length > 0) missing.push(`lost: ${mark} of ${device} did not reach ${without.length} viewers`);
    }
  }
  for (const { id } of ledger.published) {
    if (!announced.has(id) && !system.letters.some((letter) => letter.includes(id))) {
      missing.push(`lost: the body ${id} was never announced`);
    }
  }
  return missing;
}

function twice({ table, iotTable }: Found, ledger: Ledger): string[] {
  const own = `~${ledger.run}.`;
  return [...table, ...iotTable].flatMap(([mark, items]) =>
    mark.startsWith(own) && items > 1 ? [`stored twice: ${mark} is in ${items} items`] : [],
  );
}

/** Each body is in one object, as it was sent. */
async function wrongObjects(system: System, ledger: Ledger, since: number, { announced }: Found): Promise<string[]> {
  if (ledger.published.length === 0) return [];
  const { s3, outputs } = system;
  const Bucket = outputs.postboxBucket;
  const keys: string[] = [];
  const pages = paginateListObjectsV2(
    { client: s3 },
    { Bucket, Prefix: "published/", StartAfter: `published/${since}` },
  );
  for await (const { Contents = [] } of pages) keys.push(...Contents.map(({ Key }) => Key!));
  const mistakes: string[] = [];
  for (const { id, sha256 } of ledger.published) {
    const objects = keys.filter((key) => key.endsWith(id));
    if (objects.length !== 1) mistakes.push(`stored twice: the body ${id} is in ${objects.length} objects`);
    const Key = announced.get(id)?.key;
    if (!Key) continue;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const stored = createHash("sha256")
      .update(await Body!.transformToByteArray())
      .digest("hex");
    if (stored !== sha256) mistakes.push(`lost: the body ${id} is not what was sent`);
  }
  return mistakes;
}

/** Nobody sees what is not theirs, or cannot tell a repeat by its id. */
function seenWrongly({ devices }: System, ledger: Ledger): string[] {
  const mistakes: string[] = [];
  for (const { seen, sees, lost, subscribed } of ledger.viewers) {
    if (lost !== undefined) mistakes.push(`a viewer's connection was ended: ${lost}`);
    for (const [mark, { ids }] of seen) {
      const device = devices.get(mark)!;
      if (sees && !sees.has(device)) mistakes.push(`leaked: ${mark} of ${device} to one who may not see it`);
      else if (!subscribed.has("*") && !subscribed.has(device)) mistakes.push(`leaked: ${mark} of ${device} unasked`);
      if (ids.size > 1) mistakes.push(`a repeat of ${mark} has another id: ${[...ids]}`);
    }
  }
  return mistakes;
}

/** What could not be announced is found and announced, as every hour. */
async function reconcile({ lambda, outputs }: System): Promise<void> {
  const Payload = JSON.stringify({ graceMinutes: 0 });
  await lambda.send(new InvokeCommand({ FunctionName: outputs.reconcileFunction, Payload }));
}
