import type { Row, Span } from "./api";

/** Time in which nothing happens takes at most this part of what the work takes. */
const longestGap = 0.2;

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Where it begins and ends on the axis, from 0 to 1. */
  readonly start: number;
  readonly end: number;
  /** Time was left out of it. */
  readonly cut: boolean;
}

/** Where time was left out of the axis, and how much. */
export interface Cut {
  readonly at: number;
  readonly ms: number;
}

/** The times of a timeline on an axis from 0 to 1, without the long pauses in which messages only wait. */
export class Scale {
  private readonly stretches: readonly Stretch[];

  constructor(rows: readonly Row[]) {
    const busy = merged(rows.flatMap(({ spans }) => spans));
    const end = Math.max(1e-3, ...rows.flatMap(({ spans, wait }) => [...spans, ...(wait ? [wait] : [])]).map(endOf));
    const work = busy.reduce((sum, { durationMs }) => sum + durationMs, 0) || end;
    const parts: { from: number; to: number; length: number; cut: boolean }[] = [];
    const gap = (from: number, to: number) => {
      if (to <= from) return;
      const cut = to - from > 2 * longestGap * work;
      parts.push({ from, to, length: cut ? longestGap * work : to - from, cut });
    };
    let at = 0;
    for (const span of busy) {
      gap(at, span.at);
      if (span.durationMs > 0) parts.push({ from: span.at, to: endOf(span), length: span.durationMs, cut: false });
      at = endOf(span);
    }
    gap(at, end);
    const total = parts.reduce((sum, { length }) => sum + length, 0);
    let start = 0;
    this.stretches = parts.map(({ from, to, length, cut }) => {
      const stretch = { from, to, start, end: start + length / total, cut };
      start = stretch.end;
      return stretch;
    });
  }

  /** The place of a time on the axis. */
  of(time: number): number {
    const stretch = this.stretches.find(({ to }) => time <= to);
    if (!stretch) return 1;
    const { from, to, start, end } = stretch;
    return start + ((Math.max(time, from) - from) / (to - from)) * (end - start);
  }

  get cuts(): Cut[] {
    return this.stretches
      .filter(({ cut }) => cut)
      .map(({ from, to, start, end }) => ({ at: (start + end) / 2, ms: to - from }));
  }

  /** Round times with some room between them. */
  get ticks(): { readonly at: number; readonly ms: number }[] {
    const ticks: { at: number; ms: number }[] = [];
    const room = 0.18;
    for (const { from, to, start, end, cut } of this.stretches) {
      if (cut) continue;
      const step = roundStep(((to - from) / (end - start)) * room);
      for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) {
        const at = this.of(ms);
        if (at <= 0.94 && (ticks.length === 0 || at - ticks.at(-1)!.at >= room)) ticks.push({ at, ms });
      }
    }
    return ticks;
  }
}

const endOf = ({ at, durationMs }: Span) => at + durationMs;

/** 1, 2 or 5 times a power of ten, not below the given one. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power || 1;
}

/** The times in which at least one of them goes on. */
function merged(spans: readonly Span[]): Span[] {
  const all: { at: number; durationMs: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.at - b.at)) {
    const last = all.at(-1);
    if (last && span.at <= endOf(last)) last.durationMs = Math.max(last.durationMs, endOf(span) - last.at);
    else all.push({ ...span });
  }
  return all;
}
