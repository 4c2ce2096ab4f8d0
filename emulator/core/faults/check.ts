import { matches } from "../policy-patterns";
import type { FaultKind, FaultOptions } from "./options";

/** A fault that cannot be injected, with everything that is wrong with it. */
export class InvalidFault extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`faults.inject: ${problems.join("; ")}`);
  }
}

/** What is known of the services beforehand. */
export interface KnownServices {
  /** Their signing names. */
  names(): readonly string[];
  /** The operations of one; undefined where any text may be one. */
  operations(service: string): Iterable<string> | undefined;
}

/** The rule of a field: true where a value keeps it; the words name it and the cure. */
type Rule = readonly [keeps: (value: unknown) => boolean, words: string];

const text: Rule = [(value) => typeof value === "string" && value !== "", "has to be a text that is not empty"];
const flag: Rule = [(value) => typeof value === "boolean", "has to be true or false"];
const number = (keeps: (value: number) => boolean, words: string): Rule => [
  (value) => typeof value === "number" && keeps(value),
  words,
];
const delay = number((ms) => ms >= 0 && ms < 2 ** 31, "has to be a number of milliseconds, 0 or more, below 2^31");

const rules: Record<string, Rule> = {
  service: text,
  operation: text,
  resource: text,
  probability: number((p) => p >= 0 && p <= 1, "has to be a number from 0 to 1"),
  seed: number((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32, "has to be a whole number from 0 to 4294967295"),
  count: number((n) => Number.isInteger(n) && n > 0, "has to be a whole number above 0; leave it out for no end"),
  code: text,
  message: text,
  status: number((n) => Number.isInteger(n) && n >= 400 && n <= 599, "has to be an HTTP status from 400 to 599"),
  fields: [
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "has to be an object with members of the error's shape",
  ],
  after: flag,
  wait: flag,
  delayMs: delay,
  clock: [(value) => value === "real" || value === "emulator", 'has to be "real" or "emulator"'],
  share: number((share) => share > 0 && share <= 1, "has to be a number above 0, and 1 at most"),
};

const everywhere = ["fault", "service", "resource", "probability", "seed", "count"];

interface KindRules {
  /** Fields beside those that all kinds have. */
  readonly fields: readonly string[];
  readonly required?: readonly string[];
  /** The only services, with the only operations, where this can happen. */
  readonly places?: Readonly<Record<string, readonly string[]>>;
  /** Why it is only there. */
  readonly why?: string;
}

/** Services that deliver at least once, and what may come twice. */
const deliveries = (...services: readonly string[]) => Object.fromEntries(services.map((service) => [service, []]));

const kinds: Record<FaultKind, KindRules> = {
  throttle: { fields: ["operation", "code", "message", "status"] },
  error: { fields: ["operation", "code", "message", "status", "fields", "after"] },
  latency: { fields: ["operation", "delayMs", "clock", "after"], required: ["delayMs"] },
  drop: { fields: ["operation", "after"] },
  partialFailure: {
    fields: ["operation", "code", "message", "share"],
    places: {
      dynamodb: ["BatchGetItem", "BatchWriteItem"],
      sqs: ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"],
      kinesis: ["PutRecords"],
      events: ["PutEvents"],
      s3: ["DeleteObjects"],
      sns: ["PublishBatch"],
    },
    why: "only batches can fail in part",
  },
  crash: { fields: ["after"], places: { lambda: [] }, why: "only functions run" },
  timeout: { fields: ["after", "wait"], places: { lambda: [] }, why: "only functions run" },
  duplicate: {
    fields: [],
    places: deliveries("sqs", "sns", "s3", "events", "lambda", "kinesis", "dynamodb", "iotdata"),
    why: "only these deliver at least once",
  },
  reorder: {
    fields: ["delayMs"],
    places: deliveries("sqs", "sns", "s3", "events", "lambda"),
    why: "only these promise no order",
  },
};

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);
const list = (names: Iterable<string>): string => [...names].join(", ");
const isKind = (value: unknown): value is FaultKind => typeof value === "string" && Object.hasOwn(kinds, value);

/**
 * Takes what somebody gave, of TypeScript or of HTTP, for a fault.
 *
 * @throws InvalidFault with all problems.
 */
export function checkFault(given: unknown, known: KnownServices): FaultOptions {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidFault([
      `it is ${shown(given)}; give an object such as { fault: "throttle", service: "dynamodb" }`,
    ]);
  }
  const fields: Record<string, unknown> = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  const { fault: kind } = fields;
  if (!isKind(kind))
    throw new InvalidFault([`fault is ${shown(kind)}; it has to be one of ${list(Object.keys(kinds))}`]);
  const { fields: own, required = [] } = kinds[kind];
  const allowed = [...everywhere, ...own];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (!allowed.includes(name)) problems.push(`${name} does not belong to "${kind}"; it takes ${list(allowed)}`);
    else if (name !== "fault" && !rules[name]![0](value))
      problems.push(`${name} is ${shown(value)}; it ${rules[name]![1]}`);
  }
  for (const name of required)
    if (fields[name] === undefined) problems.push(`${name} is missing; it ${rules[name]![1]}`);
  problems.push(...placeProblems(kind, fields, known));
  if (isSound(fields, problems)) return fields;
  throw new InvalidFault(problems);
}

/** What has passed all rules has the type that they describe. */
const isSound = (fields: object, problems: readonly string[]): fields is FaultOptions => problems.length === 0;

/** What is wrong with where it is to act: a misspelt name would only mean that nothing ever happens. */
function* placeProblems(kind: FaultKind, fields: Record<string, unknown>, known: KnownServices): Iterable<string> {
  const { service, resource } = fields;
  const { fields: own, places, why } = kinds[kind];
  const operation = own.includes("operation") ? fields.operation : undefined;
  if ((kind === "reorder" || kind === "duplicate") && typeof resource === "string" && resource.endsWith(".fifo"))
    yield `resource is ${shown(resource)}; FIFO queues and topics deliver once and in order, so name a standard one`;
  if (typeof service !== "string" || service === "") {
    const batches = Object.values(places ?? {}).flat();
    if (places && typeof operation === "string" && !batches.some((name) => matches(operation, name)))
      yield `operation is ${shown(operation)}; ${why}: ${list(batches)}`;
    return;
  }
  if (!known.names().includes(service)) {
    yield `service is ${shown(service)}; the emulator has ${list(known.names())}`;
    return;
  }
  if (places && !places[service]) {
    yield `service is ${shown(service)}; "${kind}" needs one of ${list(Object.keys(places))}: ${why}`;
    return;
  }
  if (typeof operation !== "string") return;
  const operations = places?.[service] ?? known.operations(service);
  if (!operations || [...operations].some((name) => matches(operation, name))) return;
  const cure = places ? `${why}: ${list(operations)}` : "see the API reference of the service";
  yield `operation is ${shown(operation)}; ${service} has none of that name; ${cure}`;
}
