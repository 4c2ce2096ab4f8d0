import { buildInspector, inHeader, inspectorPolicy } from "../../dashboard/build";
import type { Done, Overview } from "../../dashboard/inspector/api";
import type { DeployedResource } from "../../deploy";
import type { Emulator } from "../../emulator";
import { type Answer, fileAnswer, fresh, Refusal, type Site } from "../page-server";
import { changesOf } from "./changes";
import { clockControl } from "./clock";
import { countDenials, denialsOf } from "./denials";
import { faultsOf, injectFault, removeFault } from "./faults";
import { Journeys } from "./journeys";
import { Names } from "./names";
import { Queues } from "./queues";
import { Runs, resourcesOf } from "./resources";

/** What the inspector shows. */
export interface Inspected {
  readonly emulator: Emulator;
  /** Of the stack. */
  readonly resources: readonly DeployedResource[];
  readonly stack: string;
  /** URLs of the queues that count as dead-letter queues, whatever leads to them. */
  readonly deadLetterQueues: readonly string[];
}

export interface InspectorSite extends Site {
  /** Shows the resources of the stack as they are after an update. */
  show(resources: readonly DeployedResource[]): void;
  close(): void;
}

/** Journeys in one answer. */
const page = 50;

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (input: unknown): Fields =>
  typeof input === "object" && input !== null && !Array.isArray(input) ? { ...input } : {};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The inspector: its page, what the page asks, and what its buttons do. Begins to keep the journal. */
export function inspectorSite({ emulator, resources: first, stack, deadLetterQueues }: Inspected): InspectorSite {
  const files = buildInspector();
  const shown = (resources: readonly DeployedResource[]) => ({
    resources,
    names: new Names(resources),
    queues: new Queues(emulator, resources, deadLetterQueues),
  });
  let now = shown(first);
  const runs = new Runs();
  const changes = changesOf(emulator);
  const advance = clockControl(emulator.clock);
  const unwatch = emulator.journal.watch((entry) => runs.count(entry));
  emulator.journal.start();

  const journeys = () => new Journeys(emulator.journal.entries(), now.names, emulator.clock.now());

  const overview = (): Overview => {
    const all = journeys().list();
    const letters = now.queues.list().filter(({ isDeadLetter }) => isDeadLetter);
    return {
      ...{ stack, now: emulator.clock.now(), aheadMs: emulator.clock.advanced },
      journeys: all.length,
      troubled: all.filter(({ troubled }) => troubled).length,
      deadLetters: letters.reduce((sum, { waiting, inFlight, delayed }) => sum + waiting + inFlight + delayed, 0),
      denials: countDenials(emulator.denials),
      faults: emulator.faults.list().filter(({ ended }) => !ended).length,
    };
  };

  const asked: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {
    overview,
    resources: () => resourcesOf(now.resources, emulator, runs),
    journeys(query) {
      const all = journeys().list();
      const wanted = query.has("troubled") ? all.filter(({ troubled }) => troubled) : all;
      return wanted.slice(0, Math.max(page, Number(query.get("count")) || 0));
    },
    journey(query) {
      const found = journeys().timeline(Number(query.get("id")));
      if (!found) throw new Refusal("This journey is forgotten: the last 5,000 steps are kept", 404);
      return found;
    },
    queues: () => now.queues.list(),
    messages: (query) => now.queues.messages(query.get("queue") ?? ""),
    denials: () => denialsOf(emulator.denials, now.names),
    faults: () => faultsOf(emulator),
  };

  const done: Readonly<Record<string, (input: Fields) => Done | Promise<Done>>> = {
    clock: ({ duration }) => advance(text(duration)),
    replay: ({ queue }) => now.queues.replay(text(queue)),
    faults: (options) => injectFault(emulator, options),
    "faults/remove": ({ id }) => removeFault(emulator, text(id)),
  };

  const noSuch = (): Answer => fresh({ message: "There is no such address" }, 404);
  return {
    policy: inHeader(inspectorPolicy),
    get(path, query) {
      if (!path.startsWith("api/")) return fileAnswer(files, path);
      const name = path.slice("api/".length);
      return Object.hasOwn(asked, name) ? fresh(asked[name]!(query)) : noSuch();
    },
    async post(path, input) {
      const name = path.slice("api/".length);
      if (!path.startsWith("api/") || !Object.hasOwn(done, name)) return noSuch();
      return fresh(await done[name]!(fieldsOf(input)));
    },
    stream: (path) => (path === "api/changes" ? changes : undefined),
    show(resources) {
      now.queues.close();
      now = shown(resources);
    },
    close() {
      unwatch();
      now.queues.close();
    },
  };
}
