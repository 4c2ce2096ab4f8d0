import { byId, make, write } from "../shared/elements";
import type { Row, Span, Timeline } from "./api";
import { counted, duration } from "./format";
import { Scale } from "./scale";

/** Narrower than this, in parts of the axis, nobody would see a bar. */
const least = 0.006;

function place(element: HTMLElement, scale: Scale, { at, durationMs }: Span): HTMLElement {
  const [start, end] = [scale.of(at), scale.of(at + durationMs)];
  element.style.setProperty("--at", `${Math.min(start, 1 - least) * 100}%`);
  element.style.setProperty("--length", `${Math.max(end - start, least) * 100}%`);
  return element;
}

/** What a screen reader says of a row's bars. */
function spoken({ spans, wait, running }: Row): string {
  const [first] = spans as [Span];
  const took = running ? "goes on" : `took ${duration(spans.reduce((sum, { durationMs }) => sum + durationMs, 0))}`;
  return `${wait ? `waited ${duration(wait.durationMs)}, ` : ""}began after ${duration(first.at)}, ${took}`;
}

function step(row: Row, scale: Scale): HTMLElement {
  const { what, where, kind, depth, spans, wait, outcome, failed, running } = row;
  const bars = make("span", { class: "bars", "aria-hidden": "true" });
  if (wait) bars.append(place(make("span", { class: "wait" }), scale, wait));
  for (const span of spans) bars.append(place(make("span", { class: "span" }), scale, span));
  const took = spans.reduce((sum, { durationMs }) => sum + durationMs, 0);
  // A word such as AccessDeniedException takes a line of its own.
  const isCode = outcome !== undefined && !/^\d+$/.test(outcome);
  const name = make("span", { class: "what" }, make("b", {}, what), " ", make("span", { class: "quiet" }, where));
  if (isCode) name.append(make("span", { class: "outcome" }, outcome));
  const element = make(
    "li",
    { class: failed ? `step ${kind} failed` : `step ${kind}` },
    name,
    make("span", { class: "outcome" }, isCode ? "" : (outcome ?? "")),
    bars,
    make("span", { class: "took", "aria-hidden": "true" }, running ? "…" : duration(took)),
    make("span", { class: "unseen" }, spoken(row)),
  );
  // Deeper than this there is no room for words.
  element.style.setProperty("--depth", String(Math.min(depth, 8)));
  return element;
}

/** The way of one message through the services, step by step on an axis of time. */
export class TimelineView {
  private readonly journey = byId("journey");
  private readonly none = byId("no-timeline");
  private shown = "";

  /** @param problem what there is to say where there is no timeline. */
  show(timeline: Timeline | undefined, problem = "Choose a journey to see its way through the services."): void {
    this.journey.hidden = !timeline;
    this.none.hidden = timeline !== undefined;
    write(this.none, problem);
    // What stays the same is not drawn again: somebody may be reading or selecting it.
    const text = JSON.stringify(timeline);
    if (!timeline || text === this.shown) return;
    this.shown = text;
    const { what, where, status, answeredMs, durationMs, steps, running, traceId, rows, left } = timeline;
    write(byId("journey-what"), what);
    const facts = [
      where,
      status !== undefined && `status ${status}`,
      answeredMs !== undefined && `answered in ${duration(answeredMs)}`,
      running ? "still going on" : `all done after ${duration(durationMs)}`,
      counted(steps, "step"),
    ];
    write(byId("journey-facts"), facts.filter((fact) => fact).join(" · "));
    write(byId("trace"), traceId === undefined ? "" : `Trace ${traceId}`);
    const scale = new Scale(rows);
    byId("steps").replaceChildren(...rows.map((row) => step(row, scale)));
    byId("axis").replaceChildren(
      ...scale.ticks.map(({ at, ms }) => mark("tick", at, ms === 0 ? "0" : duration(ms))),
      ...scale.cuts.map(({ at, ms }) => mark("cut", at, duration(ms))),
    );
    byId("left").hidden = left === 0;
    write(byId("left"), `${counted(left, "more step")} are not shown.`);
  }

  focus(): void {
    byId("journey-what").focus();
  }
}

function mark(kind: string, at: number, text: string): HTMLElement {
  const element = make("span", { class: kind }, text);
  element.style.setProperty("--at", `${at * 100}%`);
  return element;
}
