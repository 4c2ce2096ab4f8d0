import type { Health } from "../observed";
import type { Figure } from "../report";
import type { Tally } from "./traffic";

/** How the emulator did at one time. */
export interface Sample {
  /** Messages accepted by then. */
  readonly accepted: number;
  readonly health: Health;
}

interface Soaked {
  readonly samples: readonly Sample[];
  readonly tally: Tally;
  readonly leftovers: { deadLetters: number; objects: number };
  /** At rest, after the warm-up and after everything. */
  readonly before: Health;
  readonly after: Health;
}

const memory = ({ heap, external }: Health) => heap + external;
const sockets = ({ handles }: Health) =>
  Object.entries(handles).reduce((all, [kind, number]) => all + (/Socket/.test(kind) ? number : 0), 0);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** What must not differ. */
const equal = (name: string, value: number, other: number): Figure => ({
  ...{ name, value: Math.abs(value - other), unit: "" },
  promise: { atMost: 0 },
});
const none = (name: string, value: number): Figure => ({ name, value, unit: "", promise: { atMost: 0 } });

/** Handles of which there are more than before, by kind. */
const moreHandles = ({ before, after }: Soaked) =>
  Object.entries(after.handles).flatMap(([kind, number]) => {
    const more = number - (before.handles[kind] ?? 0);
    return more > 0 ? [{ kind, more }] : [];
  });

function counts({ tally, leftovers, after }: Soaked): Figure[] {
  const { accepted, stored, announced, shown, repeated, refused } = tally;
  const live = accepted.ingest + accepted.iot + accepted.live;
  const furthest = shown.reduce((worst, one) => (Math.abs(one - live) > Math.abs(worst - live) ? one : worst), live);
  return [
    { name: "readings accepted by HTTPS", value: accepted.ingest, unit: "" },
    { name: "messages accepted by MQTT", value: accepted.iot, unit: "" },
    { name: "messages accepted by the live queue", value: accepted.live, unit: "" },
    { name: "publishes accepted by the postbox", value: accepted.postbox, unit: "" },
    none("requests refused", refused),
    equal("readings by HTTPS, accepted - stored", accepted.ingest, stored.ingest),
    equal("messages by MQTT, accepted - stored", accepted.iot, stored.iot),
    equal("publishes, accepted - stored", accepted.postbox, stored.postbox),
    equal("publishes, accepted - announced", accepted.postbox, announced),
    none("objects that nobody was told of", leftovers.objects),
    equal("records accepted - shown to each viewer", live, furthest),
    // SQS delivers at least once; where a machine is too slow for a function, it does.
    { name: "records shown twice", value: repeated, unit: "" },
    none("dead letters", leftovers.deadLetters),
    none("faults of the emulator", after.faults.length),
    none(
      "answers with a 5xx",
      Object.values(after.serverErrors).reduce((all, one) => all + one, 0),
    ),
  ];
}

function growth(soaked: Soaked): Figure[] {
  const { samples, before, after } = soaked;
  // The first samples start functions.
  const early = samples.slice(Math.floor(samples.length * 0.2), Math.ceil(samples.length * 0.5));
  const late = samples.slice(Math.floor(samples.length * 0.7));
  const both = (value: (sample: Sample) => number) => [median(early.map(value)), median(late.map(value))] as const;
  const [memoryEarly, memoryLate] = both(({ health }) => memory(health));
  const [acceptedEarly, acceptedLate] = both(({ accepted }) => accepted);
  const [rssEarly, rssLate] = both(({ health }) => health.rss);
  const [socketsEarly, socketsLate] = both(({ health }) => sockets(health));
  return [
    { name: "memory at rest before", value: memory(before) / 1e6, unit: "MB" },
    {
      name: "memory at rest after - before",
      value: (memory(after) - memory(before)) / 1e6,
      unit: "MB",
      promise: { atMost: 5 },
    },
    {
      name: "handles at rest, after - before",
      value: moreHandles(soaked).reduce((all, { more }) => all + more, 0),
      unit: "",
      promise: { atMost: 0 },
    },
    // What streams keep for a day counts here.
    {
      name: "memory for each message under way",
      value: (memoryLate - memoryEarly) / (acceptedLate - acceptedEarly),
      unit: "bytes",
      promise: { atMost: 2_000 },
    },
    { name: "resident memory, late", value: rssLate / 1e6, unit: "MB" },
    { name: "resident memory, late / early", value: rssLate / rssEarly, unit: "", promise: { atMost: 1.2 } },
    { name: "sockets, late - early", value: socketsLate - socketsEarly, unit: "", promise: { atMost: 5 } },
  ];
}

/** Whether it held: figures with promises, and what is behind those that were broken. */
export function verdict(soaked: Soaked): { figures: Figure[]; problems: string[] } {
  const { faults, serverErrors } = soaked.after;
  const problems = [
    ...soaked.tally.reasons.map((reason) => `refused: ${reason}`),
    ...faults.slice(0, 3).map((fault) => `fault: ${fault}`),
    ...Object.entries(serverErrors).map(([call, times]) => `5xx: ${call}, ${times} times`),
    ...moreHandles(soaked).map(({ kind, more }) => `handles: ${more} more ${kind}`),
  ];
  return { figures: [...counts(soaked), ...growth(soaked)], problems };
}
