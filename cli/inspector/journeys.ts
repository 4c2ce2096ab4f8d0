import type { Journey, Row, Timeline } from "../../dashboard/inspector/api";
import type { JournalEntry } from "../../emulator";
import { describe } from "./describe";
import type { Names } from "./names";

/** Rows of a timeline; a message that reaches hundreds of browsers has more steps. */
const mostRows = 300;

const hasFailed = ({ status = 200, error }: JournalEntry) => error !== undefined || status >= 400;

/** What a program asks and is refused may be part of its plan: a condition that does not hold, a browser that is gone. */
const isTrouble = (entry: JournalEntry): boolean => {
  const { kind, causes, status = 200, error = "" } = entry;
  if (kind === "move") return true;
  const isPlanned = kind === "call" || (kind === "request" && causes.length > 0);
  return isPlanned ? status >= 500 || /^(AccessDenied|ConnectionDropped)/.test(error) : hasFailed(entry);
};

const endOf = ({ time, durationMs }: JournalEntry, now: number) => (durationMs === undefined ? now : time + durationMs);

/** The stories in a journal: what came of each request and message. */
export class Journeys {
  private readonly children = new Map<number, JournalEntry[]>();
  private readonly roots: JournalEntry[] = [];

  constructor(
    entries: readonly JournalEntry[],
    private readonly names: Names,
    private readonly now: number,
  ) {
    for (const entry of entries) {
      if (entry.causes.length === 0) this.roots.push(entry);
      for (const cause of entry.causes) {
        const siblings = this.children.get(cause);
        if (siblings) siblings.push(entry);
        else this.children.set(cause, [entry]);
      }
    }
  }

  /** The newest first. Calls of which nothing came, such as those of a deployment, are no journeys. */
  list(): Journey[] {
    const begun = this.roots.filter(({ kind, id }) => kind !== "call" || this.children.has(id));
    return begun.reverse().map((root) => this.summary(root, this.stepsOf(root)));
  }

  /** The journey that began with a step; undefined where that is forgotten. */
  timeline(id: number): Timeline | undefined {
    const root = this.roots.find((entry) => entry.id === id);
    if (!root) return undefined;
    const steps = this.stepsOf(root);
    const rows = this.rows(root);
    const shown = rows.slice(0, mostRows);
    const left = rows.slice(mostRows).reduce((sum, { spans }) => sum + spans.length, 0);
    return { ...this.summary(root, steps), rows: shown, left };
  }

  private stepsOf(root: JournalEntry): readonly JournalEntry[] {
    const found = new Set([root]);
    for (const entry of found) for (const child of this.children.get(entry.id) ?? []) found.add(child);
    return [...found];
  }

  private summary(root: JournalEntry, steps: readonly JournalEntry[]): Journey {
    const end = Math.max(...steps.map((step) => endOf(step, this.now)));
    return {
      ...{ id: root.id, ...describe(root, this.names), time: root.time, status: root.status, steps: steps.length },
      durationMs: end - root.time,
      answeredMs: root.kind === "request" || root.kind === "call" ? root.durationMs : undefined,
      troubled: steps.some(isTrouble),
      running: steps.some(({ durationMs }) => durationMs === undefined),
      traceId: root.traceId ?? steps.find(({ traceId }) => traceId)?.traceId,
    };
  }

  /** Depth first, each step below the first of its causes; the same calls in a row share one. */
  private rows(root: JournalEntry): Row[] {
    const rows: Row[] = [];
    const seen = new Set<number>();
    const visit = (group: readonly JournalEntry[], depth: number, parent: JournalEntry | undefined): void => {
      const [entry] = group as [JournalEntry];
      rows.push(this.row(group, depth, root.time, parent));
      const below = (this.children.get(entry.id) ?? []).filter(({ id }) => !seen.has(id));
      for (const { id } of below) seen.add(id);
      for (const alike of this.grouped(below)) visit(alike, depth + 1, entry);
    };
    visit([root], 0, undefined);
    return rows;
  }

  private row(group: readonly JournalEntry[], depth: number, start: number, parent: JournalEntry | undefined): Row {
    const [entry] = group as [JournalEntry];
    const { what, where, everywhere = where } = describe(entry, this.names);
    const isOne = group.length === 1;
    const spans = group.map((one) => ({ at: one.time - start, durationMs: endOf(one, this.now) - one.time }));
    const sent = parent && endOf(parent, this.now);
    const waited = entry.kind === "batch" && sent !== undefined ? entry.time - sent : 0;
    return {
      ...{ what: isOne ? what : `${what} × ${group.length}`, where: isOne ? where : everywhere },
      ...{ kind: entry.kind, depth, spans },
      ...(sent !== undefined && waited > 0 && { wait: { at: sent - start, durationMs: waited } }),
      outcome: entry.error ?? (entry.status === undefined ? undefined : String(entry.status)),
      failed: hasFailed(entry),
      running: group.some(({ durationMs }) => durationMs === undefined),
    };
  }

  /** Steps with nothing below them that did the same in the same way, and went well. */
  private grouped(entries: readonly JournalEntry[]): JournalEntry[][] {
    const groups: JournalEntry[][] = [];
    const key = (entry: JournalEntry) => {
      const { what, where, everywhere = where } = describe(entry, this.names);
      return this.children.has(entry.id) || hasFailed(entry) ? entry.id : `${entry.kind} ${what} ${everywhere}`;
    };
    for (const entry of entries) {
      const last = groups.at(-1);
      if (last && key(last[0]!) === key(entry)) last.push(entry);
      else groups.push([entry]);
    }
    return groups;
  }
}
