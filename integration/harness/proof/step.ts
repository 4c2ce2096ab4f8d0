import fc from "fast-check";
import type { FaultOptions } from "../../../emulator";

/** One element of a request: a reading of a device, or something that is none. */
export type Element = { readonly device: number; readonly second: number } | "broken";

/** What a message on the live queue is. */
export type Body = "record" | "records" | "poison";

/** The functions whose execution environments a program may end. */
export const functions = ["receive", "connect", "actions", "broadcast", "announce", "consume"] as const;
export type FunctionName = (typeof functions)[number];

/** One step of a program. Sends are not waited for, but by `wait` and at the end. */
export type Step =
  /** Readings by HTTPS; `again` sends the same body once more. */
  | { readonly kind: "post"; readonly elements: readonly Element[]; readonly again: boolean }
  /** A body to the Postbox. */
  | { readonly kind: "publish"; readonly size: number }
  /** Messages of a registered device by MQTT, QoS 1; `broken` is no JSON. */
  | { readonly kind: "mqtt"; readonly device: 0 | 1; readonly payloads: readonly ("good" | "broken")[] }
  /** Messages straight to the live queue. */
  | { readonly kind: "queue"; readonly device: number; readonly bodies: readonly Body[] }
  /** A client: the devices that it may see, or all, and those that it asks for. */
  | { readonly kind: "connect"; readonly sees: "all" | readonly number[]; readonly asks: "*" | readonly number[] }
  /** The client with this number (modulo how many there are) goes, with or without saying so. */
  | { readonly kind: "leave"; readonly client: number; readonly politely: boolean }
  | { readonly kind: "fault"; readonly fault: FaultOptions }
  /** Ends all execution environments of a function. */
  | { readonly kind: "restart"; readonly function: FunctionName }
  /** Waits for what was sent to be answered, and moves the clock. */
  | { readonly kind: "wait"; readonly seconds: number };

/** Devices of a program beside the registered ones, which come behind them. */
export const ownDevices = 3;
export const registeredDevices = 2;

const device = fc.nat(ownDevices - 1);
const anyDevice = fc.nat(ownDevices + registeredDevices - 1);
const someDevices = fc.uniqueArray(anyDevice, { minLength: 1, maxLength: 3 });

// Few seconds: a device says several things in one.
const reading = fc.record({ device, second: fc.nat(1) });
const broken = fc.constant("broken" as const);

/** Calls that the components make, each of which may be throttled, fail, or have its answer lost. */
const calls = [
  ["dynamodb", "BatchWriteItem"],
  ["dynamodb", "PutItem"],
  ["dynamodb", "UpdateItem"],
  ["dynamodb", "Query"],
  ["sqs", "SendMessage"],
  ["sqs", "SendMessageBatch"],
  ["s3", "PutObject"],
  ["kinesis", "PutRecord"],
  ["execute-api", "PostToConnection"],
] as const;
const call = fc.constantFrom(...calls).map(([service, operation]) => ({ service, operation }));
const count = fc.integer({ min: 1, max: 4 });
const running = fc.constantFrom<FunctionName>("receive", "broadcast", "announce", "consume");

/** Names of functions stand for the ones that were deployed. */
const fault: fc.Arbitrary<FaultOptions> = fc
  .oneof(
    { weight: 4, arbitrary: fc.record({ fault: fc.constantFrom("throttle" as const, "error" as const), call, count }) },
    {
      weight: 3,
      arbitrary: fc.record({ fault: fc.constant("drop" as const), call, count, after: fc.boolean() }).map((drop) => ({
        ...drop,
        // A rule that has no answer from its stream puts the message there again, and the stream cannot tell: without a time
        // of its own in the payload it is another reading (docs/iot-stream.md).
        after: drop.after && drop.call.service !== "kinesis",
      })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        fault: fc.constant("partialFailure" as const),
        call: fc
          .constantFrom(["dynamodb", "BatchWriteItem"], ["sqs", "SendMessageBatch"], ["sqs", "DeleteMessageBatch"])
          .map(([service, operation]) => ({ service, operation })),
        count,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        fault: fc.constantFrom("crash" as const, "timeout" as const),
        call: running.map((resource) => ({ service: "lambda", resource })),
        count: fc.integer({ min: 1, max: 2 }),
        after: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        fault: fc.constant("duplicate" as const),
        call: fc.constantFrom("sqs", "s3", "kinesis").map((service) => ({ service })),
        count,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        fault: fc.constant("reorder" as const),
        call: fc.constantFrom("sqs", "s3").map((service) => ({ service })),
        count,
      }),
    },
  )
  .map(({ call: where, ...rest }) => ({ ...rest, ...where }) as FaultOptions);

/** What programs may hold, for systems that lack some of it. */
export interface Repertoire {
  readonly kinds: readonly Step["kind"][];
  /** Whether posts may hold elements that are no readings. */
  readonly broken: boolean;
  /** Whether clients may see only some devices, and ask for some only. */
  readonly limits: boolean;
}

/** Everything that the components promise something about. */
export const everything: Repertoire = {
  kinds: ["post", "publish", "mqtt", "queue", "connect", "leave", "fault", "restart", "wait"],
  broken: true,
  limits: true,
};

type Arbitraries = { readonly [Kind in Step["kind"]]: fc.WeightedArbitrary<Extract<Step, { kind: Kind }>> };

function arbitraries({ broken: isBroken, limits }: Repertoire): Arbitraries {
  const one = <Kind extends Step["kind"]>(
    weight: number,
    kind: Kind,
    rest: {
      [Name in Exclude<keyof Extract<Step, { kind: Kind }>, "kind">]: fc.Arbitrary<Extract<Step, { kind: Kind }>[Name]>;
    },
  ) =>
    ({ weight, arbitrary: fc.record({ kind: fc.constant(kind), ...rest }) }) as unknown as fc.WeightedArbitrary<
      Extract<Step, { kind: Kind }>
    >;
  const element: fc.Arbitrary<Element> = isBroken
    ? fc.oneof({ weight: 9, arbitrary: reading }, { weight: 1, arbitrary: broken })
    : reading;
  const payload = fc.oneof({ weight: 4, arbitrary: fc.constant("good" as const) }, { weight: 1, arbitrary: broken });
  const body = fc.constantFrom<Body>("record", "record", "record", "records", "poison");
  return {
    post: one(5, "post", { elements: fc.array(element, { minLength: 1, maxLength: 8 }), again: fc.boolean() }),
    publish: one(3, "publish", { size: fc.integer({ min: 1, max: 3000 }) }),
    mqtt: one(3, "mqtt", {
      device: fc.constantFrom<0 | 1>(0, 1),
      payloads: fc.array(payload, { minLength: 1, maxLength: 4 }),
    }),
    queue: one(3, "queue", { device, bodies: fc.array(body, { minLength: 1, maxLength: 5 }) }),
    connect: one(2, "connect", {
      sees: limits ? fc.oneof(fc.constant("all" as const), someDevices) : fc.constant("all" as const),
      asks: limits ? fc.oneof(fc.constant("*" as const), someDevices) : fc.constant("*" as const),
    }),
    leave: one(1, "leave", { client: fc.nat(5), politely: fc.boolean() }),
    fault: one(4, "fault", { fault }),
    restart: one(1, "restart", { function: fc.constantFrom(...functions) }),
    wait: one(1, "wait", { seconds: fc.constantFrom(1, 20, 90, 200) }),
  };
}

/** Programs: a client or two first, so that there is somebody to lose something. */
export function programs(repertoire: Repertoire): fc.Arbitrary<readonly Step[]> {
  const all = arbitraries(repertoire);
  const steps = repertoire.kinds.map((kind): fc.WeightedArbitrary<Step> => all[kind]);
  const clients = fc.array<Step>(all.connect.arbitrary, { minLength: 1, maxLength: 2 });
  const rest = fc.array(fc.oneof(...steps), { minLength: 2, maxLength: 9 });
  return fc.tuple(clients, rest).map(([first, then]) => [...first, ...then]);
}
