import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../../deploy";
import { deployStack } from "../ingest";
import { type Health, type ObservedEmulator, startObserved } from "../observed";
import { report } from "../report";
import { isSettled, startTraffic, type Tally, type Traffic } from "./traffic";
import { type Sample, verdict } from "./verdict";

const usage = `npm run soak [SOAK_MINUTES=10]

Uses all four components on one emulator at a steady rate. Says at the end whether everything that was accepted was
stored and shown, and whether memory and open handles have stayed as they were; the exit code is 1 if not.`;

/** Seconds between two lines. */
const interval = 10;
/** Seconds of traffic before the first measurement: functions start, code is compiled, pools fill. */
const warmUp = 20;
/** Milliseconds after which messages that are not stored or shown count as lost. */
const patience = 60_000;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const count = (value: number) => value.toLocaleString("en-US");
const sum = (values: object) => Object.values(values).reduce<number>((all, one) => all + Number(one), 0);
const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Prints how it goes. */
function say(at: string, { accepted, stored, shown, announced }: Tally, health: Health): void {
  const parts = [
    `accepted ${count(sum(accepted))}`,
    `stored ${count(sum(stored))}`,
    `shown ${count(Math.min(...shown))}`,
    `announced ${count(announced)}`,
    `heap ${megabytes(health.heap + health.external)}`,
    `rss ${megabytes(health.rss)}`,
    `handles ${sum(health.handles)}`,
  ];
  console.log(`${at.padStart(14)}   ${parts.join("   ")}`);
}

/** Uses the stack for so long, and looks at it meanwhile. */
async function use(emulator: ObservedEmulator, traffic: Traffic, seconds: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const started = performance.now();
  for (let at = interval; at <= seconds; at += interval) {
    await Promise.race([
      sleep(Math.max(1, started + at * 1000 - performance.now())),
      emulator.crashed.then((why) => Promise.reject(new Error(why))),
    ]);
    const tally = await traffic.tally();
    const health = await emulator.health();
    samples.push({ accepted: sum(tally.accepted), health });
    say(`${clock(at)} of ${clock(seconds)}`, tally, health);
  }
  return samples;
}

/** Lets what is under way come to its end. */
async function settle(traffic: Traffic): Promise<Tally> {
  await traffic.endFeeding();
  const until = performance.now() + patience;
  for (;;) {
    const tally = await traffic.tally();
    if (isSettled(tally) || performance.now() > until) return tally;
    await sleep(200);
  }
}

/** Ends the traffic, and looks at the emulator when all that is kept for a time has gone, and all connections with it. */
async function rest(emulator: ObservedEmulator, traffic: Traffic): Promise<Health> {
  await traffic.end();
  // Kinesis keeps records for 24 hours.
  await emulator.advance("30 hours");
  await traffic.close();
  let health = await emulator.health();
  for (;;) {
    // Idle connections of Node's clients are closed after four seconds.
    await sleep(5_000);
    const next = await emulator.health();
    if (sum(next.handles) >= sum(health.handles)) return next;
    health = next;
  }
}

async function soak(emulator: ObservedEmulator, deployment: Deployment, seconds: number): Promise<boolean> {
  const begin = () => startTraffic(deployment, emulator.endpoint);
  const first = await begin();
  await use(emulator, first, warmUp);
  say("warm", await settle(first), await emulator.health());
  const before = await rest(emulator, first);
  const traffic = await begin();
  const samples = await use(emulator, traffic, seconds);
  const tally = await settle(traffic);
  say("settled", tally, await emulator.health());
  const leftovers = await traffic.leftovers();
  const after = await rest(emulator, traffic);
  const { problems, figures } = verdict({ samples, tally, leftovers, before, after });
  const isFlat = report([], figures, undefined);
  for (const problem of problems) console.log(problem);
  console.log(isFlat ? "\nAll that was accepted is there, and nothing has grown." : "\nFAILED: see what is BROKEN.");
  return isFlat;
}

async function main(): Promise<boolean> {
  if (process.argv.includes("--help")) {
    console.log(usage);
    return true;
  }
  const minutes = Number(process.env.SOAK_MINUTES ?? 10);
  if (!(minutes >= 1)) throw new Error(`SOAK_MINUTES is "${process.env.SOAK_MINUTES}": it takes a number from 1`);
  await using emulator = await startObserved();
  const url = emulator.endpoint;
  const { deployment } = await deployStack({ url }, resolve(__dirname, "..", "..", ".."));
  console.log(`All four components at ${url}; a warm-up, then ${minutes} minutes.`);
  return await soak(emulator, deployment, minutes * 60);
}

main().then(
  (isFlat) => process.exit(isFlat ? 0 : 1),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
