import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Health, type ObservedEmulator, startObserved } from "../bench/observed";
import { strangeAddresses } from "./harness/hostile/addresses";
import { apiCalls, emptyCalls } from "./harness/hostile/apis";
import type { Attempt } from "./harness/hostile/attempt";
import { makeBelongings } from "./harness/hostile/belongings";
import { garbage, httpRequests } from "./harness/hostile/http";
import { http2Connections } from "./harness/hostile/http2";
import { managementCalls } from "./harness/hostile/management";
import { mqttConnections, mqttPortRequests } from "./harness/hostile/mqtt";
import { mqttWebSockets } from "./harness/hostile/mqtt-websocket";
import { ordinaryMessages } from "./harness/hostile/ordinary";
import { queueMessages, queuesAreDone, replayAll } from "./harness/hostile/queues";
import { type Ran, run } from "./harness/hostile/run";
import { deployStack, type Stack } from "./harness/hostile/stack";
import { empty, failuresOfFunctions } from "./harness/hostile/upkeep";
import { handshakes, liveConnections } from "./harness/hostile/websocket";

/** Requests, frames, packets and messages in all, at least. */
const amount = 10_000;
const rounds = 4;

/**
 * Bytes that a request may leave in memory; what it has stored is taken away before. Compiled code and caches that fill
 * up to their limits take up to 500 in the first rounds; a request or connection that is not let go takes thousands.
 */
const leftPerRequest = 1_000;

const devices = ["sensor-1", ...Array.from({ length: 6 }, (_, i) => `hostile-${i}`)];

// The same each time: a red test is then the doing of the last change. Every night others are tried (`npm run proof`).
const seed = Number(process.env.HOSTILE_SEED ?? 1_764_360_000);
// Any failure below can be repeated with this.
console.log(`hostile input: HOSTILE_SEED=${seed}`);

let emulator: ObservedEmulator;
let stack: Stack;
/** Before the first hostile request, after half of them, and after all. */
const health: Health[] = [];
const ran: Ran[] = [];
const brokenFunctions: string[] = [];

const sample = (kind: fc.Arbitrary<Attempt>, numRuns: number) => fc.sample(kind, { seed, numRuns });

/** All attempts, by what they are to what is behind them: some make one function start after the other. */
function attempts(operations: Parameters<typeof apiCalls>[1], ids: readonly string[]): Attempt[][] {
  const { port } = stack;
  const light = [
    ...sample(httpRequests(stack), 1_300),
    ...sample(httpRequests(stack, true), 12),
    ...sample(garbage(stack), 1_000),
    ...sample(http2Connections(stack), 120),
    ...sample(handshakes(stack), 500),
    ...sample(mqttConnections(stack), 130),
    ...sample(mqttPortRequests(stack), 150),
    ...sample(mqttWebSockets(stack), 130),
    ...sample(queueMessages(stack), 120),
    ...sample(managementCalls(stack), 400),
    ...sample(strangeAddresses(port), 1_000),
    ...sample(apiCalls(port, operations, ids), 700),
  ];
  return [light, sample(liveConnections(stack), 110)];
}

/** Every `rounds`th of a list: each round has some of all kinds. */
const part = (all: readonly Attempt[], round: number) => all.filter((_, place) => place % rounds === round);

const advance = (duration: string) => emulator.advance(duration);

/** Takes away what was stored, and looks at what is left when all that is kept for a time has gone, too. */
async function measure(): Promise<void> {
  await empty(stack);
  stack.close();
  await advance("30 hours");
  health.push(await emulator.health());
}

beforeAll(async () => {
  emulator = await startObserved();
  stack = await deployStack(emulator, devices);
  const ids = await makeBelongings(emulator.endpoint);
  await ordinaryMessages(stack, { name: "before", device: "sensor-1", advance });
  const { calls, found } = emptyCalls(emulator.port);
  ran.push(await run(calls, 8));
  await measure();
  const kinds = attempts(found, ids);
  for (let round = 0; round < rounds; round++) {
    const [light, heavy] = kinds.map((kind) => part(kind, round));
    ran.push(...(await Promise.all([run(light!, 4), run(heavy!, 2)])));
    await queuesAreDone(stack, advance);
    if (round === 0) await replayAll(stack);
    brokenFunctions.push(...(await failuresOfFunctions(stack)));
    // Functions stay warm for the next round where nothing is measured.
    if (round % 2 === 1) await measure();
    else await empty(stack);
  }
}, 300_000);
afterAll(async () => {
  stack?.close();
  await emulator?.[Symbol.asyncDispose]();
});

describe("whoever sends what nobody meant, to every door", () => {
  it("is answered, or loses the connection, and never by a 5xx that AWS would not give", () => {
    expect(ran.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(ran.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThanOrEqual(amount);
  });

  it("makes no fault in the emulator, and no call behind it fail", () => {
    const { faults, serverErrors } = health.at(-1)!;
    expect(faults).toEqual([]);
    // What the emulator has not, as above: operations, and addresses of function URLs, whose answers have no code.
    expect(Object.keys(serverErrors).filter((call) => !/ 501( NotImplemented)?$/.test(call))).toEqual([]);
  });

  it("breaks no function", () => {
    expect(brokenFunctions).toEqual([]);
  });

  it("leaves nothing in memory", () => {
    const [, half, all] = health.map(({ heap, external }) => heap + external);
    const requests = ran.slice(-rounds).reduce((sum, one) => sum + one.requests, 0);
    expect(all! - half!).toBeLessThan(leftPerRequest * requests);
  });

  it("leaves no connection and no other handle open", async () => {
    const before = health[0]!.handles;
    const more = async () => {
      const { handles } = await emulator.health();
      // Pipes are the process's own.
      return Object.entries(handles).filter(([kind, count]) => kind !== "PipeWrap" && count > (before[kind] ?? 0));
    };
    await expect.poll(more, { timeout: 15_000 }).toEqual([]);
  });

  it("changes nothing for anybody else", async () => {
    await ordinaryMessages(stack, { name: "after", device: "sensor-1", advance });
  });
});
