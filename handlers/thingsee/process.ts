import { writeItems } from "../batch-write";
import type { Clients } from "../clients";
import { inTime } from "../deadline";
import { describe, mapConcurrent } from "../retry";
import type { Element } from "./body";
import type { Stage } from "./dead-letter";
import { forward } from "./forward";
import { digestOf, identityOf, type StoredItem, toItem } from "./item";
import { type OnMessage, problemOf, type ThingseeMessage } from "./message";

/** What the way of a message is made of. */
export interface Path {
  readonly clients: Clients;
  readonly table: string;
  /** Days until an item may be deleted; 0 keeps it for ever. */
  readonly ttlDays: number;
  /** URLs of the queues that get every stored message. */
  readonly queues: readonly string[];
  readonly onMessage?: OnMessage;
  /** Milliseconds since 1970 at which work must end, so that time is left to dead-letter the rest. */
  readonly deadline: number;
}

/** An element and where it came from. */
export interface Received extends Element {
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Set when it is stored already and only these queues miss it. */
  readonly missingQueues?: readonly string[];
}

/** Why an element did not get through. */
export interface Failure {
  readonly stage: Stage;
  readonly reason: string;
  /** For the stage `forward`: the queues that did not get it. It is stored nevertheless. */
  readonly queues?: string[];
}

/** A message on its way, or where that ended: with a failure, or dropped by the callback. */
type Step = { message: ThingseeMessage; entry: StoredItem } | { failure: Failure } | "dropped";

/** Callbacks under way at a time for one request. */
const PARALLEL = 16;

/**
 * Takes elements through validation, callback, table and queues. Gives, in their order, the failure of each that did
 * not get through. Elements do not affect each other.
 */
export async function processElements(elements: readonly Received[], path: Path): Promise<(Failure | undefined)[]> {
  const { onMessage } = path;
  const steps = onMessage
    ? await mapConcurrent(elements, PARALLEL, (element) => prepareWith(onMessage, element, path))
    : elements.map((element) => prepare(element, path));
  const toStore: Record<string, StoredItem> = {};
  steps.forEach((step, i) => {
    if (isReady(step) && !elements[i]?.missingQueues) toStore[step.entry.identity] = step.entry;
  });
  const notStored = await writeItems(Object.values(toStore), {
    dynamodb: path.clients.dynamodb(),
    table: path.table,
    identityOf,
    deadline: path.deadline,
  });
  const failures = steps.map((step): Failure | undefined => {
    if (step === "dropped") return undefined;
    if ("failure" in step) return step.failure;
    const failure = notStored[step.entry.identity];
    return failure && { stage: "store", reason: failure.reason };
  });
  if (path.queues.length > 0) await forwardStored(elements, steps, failures, path);
  return failures;
}

const isReady = (step: Step | undefined) => step !== undefined && step !== "dropped" && "entry" in step;

/** Makes the item of an element that no callback sees. */
function prepare({ value, receivedAt }: Received, { ttlDays }: Path): Step {
  const problem = problemOf(value);
  if (problem) return { failure: { stage: "validate", reason: problem } };
  return toStep(value as ThingseeMessage, digestOf(value), receivedAt, ttlDays);
}

/** Makes the item of what the callback returns. */
async function prepareWith(
  onMessage: OnMessage,
  { value, receivedAt, requestId }: Received,
  { deadline, ttlDays }: Path,
): Promise<Step> {
  const problem = problemOf(value);
  if (problem) return { failure: { stage: "validate", reason: problem } };
  // Before the callback, which may change the message in place.
  const digest = digestOf(value);
  const context = { receivedAt: new Date(receivedAt).toISOString(), requestId };
  try {
    const result = await inTime(onMessage(value as ThingseeMessage, context), deadline, "onMessage");
    if (result === null) return "dropped";
    const wrong = result === undefined ? "it must return the message, or null to drop it" : problemOf(result);
    if (wrong) return { failure: { stage: "onMessage", reason: `onMessage returned no valid message: ${wrong}` } };
    return toStep(result, digest, receivedAt, ttlDays);
  } catch (error) {
    return { failure: { stage: "onMessage", reason: describe(error) } };
  }
}

function toStep(message: ThingseeMessage, digest: string, receivedAt: number, ttlDays: number): Step {
  const entry = toItem(message, digest, { receivedAt, ttlDays });
  return "problem" in entry ? { failure: { stage: "validate", reason: entry.problem } } : { message, entry };
}

/** Sends what is stored to the queues; a message that came twice is sent once. */
async function forwardStored(
  elements: readonly Received[],
  steps: readonly Step[],
  failures: (Failure | undefined)[],
  { queues, clients }: Path,
): Promise<void> {
  const seen: Record<string, true> = {};
  const outgoing: { json: string; queues: readonly string[]; index: number }[] = [];
  steps.forEach((step, index) => {
    if (step === "dropped" || "failure" in step || failures[index] || seen[step.entry.identity]) return;
    seen[step.entry.identity] = true;
    outgoing.push({ json: JSON.stringify(step.message), queues: elements[index]?.missingQueues ?? queues, index });
  });
  const missed = await forward(outgoing, clients);
  for (const [place, byQueue] of Object.entries(missed)) {
    const { index } = outgoing[Number(place)]!;
    failures[index] = { stage: "forward", reason: Object.values(byQueue)[0]!, queues: Object.keys(byQueue) };
  }
}
