import { byId, write } from "../shared/elements";
import type { Overview } from "./api";
import { dateOf, duration } from "./format";
import { act, ask } from "./server";

/** The figures on top, and the clock with its buttons. */
export class OverviewBar {
  /** What the emulator's clock is ahead of this browser's. */
  private offset: number | undefined;

  constructor(changed: () => void) {
    const form = byId<HTMLFormElement>("clock");
    const input = byId<HTMLInputElement>("duration");
    const buttons = form.querySelectorAll<HTMLButtonElement>("button");
    const advance = async (by: string) => {
      for (const button of buttons) button.disabled = true;
      this.say("The clock is moving…", false);
      const { message, failed } = await act("clock", { duration: by });
      for (const button of buttons) button.disabled = false;
      this.say(message, failed);
      changed();
      return !failed;
    };
    for (const button of buttons) {
      const by = button.dataset.advance;
      if (by) button.addEventListener("click", () => void advance(by));
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (await advance(input.value)) input.value = "";
    });
    setInterval(() => this.tick(), 1_000);
  }

  /** The emulator's time. */
  get now(): number {
    return Date.now() + (this.offset ?? 0);
  }

  async refresh(): Promise<void> {
    const { stack, now, aheadMs, journeys, troubled, deadLetters, denials, faults } = await ask<Overview>("overview");
    this.offset = now - Date.now();
    document.title = `${stack} · Sensorcast inspector`;
    write(byId("journey-count"), String(journeys));
    this.alarm("troubled-count", troubled);
    this.alarm("dead-letter-count", deadLetters);
    this.alarm("denial-count", denials);
    write(byId("fault-count"), String(faults));
    write(byId("ahead"), aheadMs < 1 ? "as on this machine" : `${duration(aheadMs)} ahead of this machine`);
    this.tick();
  }

  private tick(): void {
    if (!document.hidden && this.offset !== undefined) write(byId("time"), dateOf(this.now));
  }

  private alarm(id: string, count: number): void {
    const figure = byId(id);
    write(figure, String(count));
    figure.classList.toggle("alarm", count > 0);
  }

  private say(message: string, failed: boolean): void {
    const said = byId("clock-said");
    write(said, message);
    said.classList.toggle("bad", failed);
  }
}
