import { byId, make, write } from "../shared/elements";
import { List, type Shown } from "../shared/list";
import type { Journey, Timeline } from "./api";
import { duration, timeOf } from "./format";
import { ask, Refused } from "./server";
import { TimelineView } from "./timeline";

const step = 50;

function row(): Shown<Journey & { now: number; chosen: boolean }> {
  const link = make("a", { class: "journey" });
  const [what, where] = [make("b"), make("span", { class: "quiet" })];
  const [outcome, took, time] = [
    make("span", { class: "outcome" }),
    make("span", { class: "took" }),
    make("time", { class: "quiet" }),
  ];
  link.append(make("span", { class: "what" }, what, " ", where), outcome, took, time);
  return {
    element: make("li", {}, link),
    update({ id, now, chosen, running, troubled, status, durationMs, ...journey }) {
      link.setAttribute("href", `#journeys/${id}`);
      if (chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      write(what, journey.what);
      write(where, journey.where);
      write(outcome, (troubled && (status ?? 0) < 400 ? "in trouble" : status?.toString()) ?? "");
      outcome.classList.toggle("bad", troubled || (status ?? 0) >= 400);
      write(took, running ? "…" : duration(durationMs));
      write(time, timeOf(journey.time, now));
    },
  };
}

/** The journeys, newest first, and the timeline of the one that is chosen. */
export class JourneysPanel {
  private readonly list = new List<Journey & { now: number; chosen: boolean }>(
    byId("journeys"),
    ({ id }) => String(id),
    row,
  );
  private readonly timeline = new TimelineView();
  private readonly troubled = byId<HTMLButtonElement>("troubled");
  private readonly pause = byId<HTMLButtonElement>("pause");
  private readonly more = byId<HTMLButtonElement>("more-journeys");
  private count = step;
  private chosen: number | undefined;
  private focusNext = false;

  constructor(changed: () => void) {
    for (const button of [this.troubled, this.pause]) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        changed();
      });
    }
    this.more.addEventListener("click", () => {
      this.count += step;
      changed();
    });
  }

  /** Chooses the journey that the address names. */
  choose(id: string | undefined): void {
    const chosen = id === undefined ? undefined : Number(id);
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.focusNext = chosen !== undefined;
    byId("panel-journeys").classList.toggle("one", chosen !== undefined);
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a.journey")) {
      if (link.hash === `#journeys/${id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  async refresh(now: number): Promise<void> {
    if (!isPressed(this.pause)) await this.refreshList(now);
    const { chosen } = this;
    if (chosen === undefined) return this.timeline.show(undefined);
    try {
      this.timeline.show(await ask<Timeline>(`journey?id=${chosen}`));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.timeline.show(undefined, error.message);
    }
    // On a narrow screen the timeline takes the place of the list that had the focus.
    if (this.focusNext && byId("journeys").offsetParent === null) this.timeline.focus();
    this.focusNext = false;
  }

  private async refreshList(now: number): Promise<void> {
    const filter = isPressed(this.troubled) ? "&troubled" : "";
    // One more than is shown tells whether there are more.
    const journeys = await ask<Journey[]>(`journeys?count=${this.count + 1}${filter}`);
    this.list.show(
      journeys.slice(0, this.count).map((journey) => ({ ...journey, now, chosen: journey.id === this.chosen })),
    );
    this.more.hidden = journeys.length <= this.count;
    const none = byId("no-journeys");
    none.hidden = journeys.length > 0;
    write(none, filter ? "No journey is in trouble." : "No message yet: run the curl line from the terminal.");
  }
}

const isPressed = (button: HTMLElement) => button.getAttribute("aria-pressed") === "true";
