import type { LiveClient } from "../../client";
import { devicesProblem } from "../../client/options";
import { byId, make, write } from "../shared/elements";

/** Whether a device can be asked for: one without a name, for instance, comes only with all the others. */
export const canChoose = (device: string): boolean => devicesProblem([device]) === undefined;

/** Which devices the page wants: all, or the chosen ones. It subscribes accordingly, and keeps the choice in the URL. */
export class Filter {
  private readonly chosen = new Set(new URLSearchParams(location.search).getAll("device").filter(canChoose));
  private readonly input = byId<HTMLInputElement>("filter-input");
  private readonly chips = byId("chips");
  private readonly list = byId("known-devices");
  private live: LiveClient | undefined;
  private suggested = "";

  constructor(private readonly changed: () => void) {
    byId("filter").addEventListener("submit", (event) => {
      event.preventDefault();
      const names = this.input.value.split(/[\s,]+/).filter((name) => name !== "");
      const problem = devicesProblem(names);
      if (problem) {
        this.input.setCustomValidity(problem);
        this.input.reportValidity();
        return;
      }
      this.input.value = "";
      for (const name of names) if (!this.chosen.has(name)) this.toggle(name);
    });
    // Or else the browser would not let what is put right be sent.
    this.input.addEventListener("input", () => this.input.setCustomValidity(""));
    this.draw();
  }

  /** What to subscribe to. */
  get devices(): string[] {
    return this.chosen.size > 0 ? [...this.chosen] : ["*"];
  }

  readonly has = (device: string): boolean => this.chosen.has(device);

  readonly wants = (device: string): boolean => this.chosen.size === 0 || this.chosen.has(device);

  /** From now on this connection follows the filter. */
  follow(live: LiveClient): void {
    this.live = live;
  }

  /** Chooses the device, or no longer. */
  readonly toggle = (device: string): void => {
    const before = this.devices;
    if (!this.chosen.delete(device)) this.chosen.add(device);
    const after = this.devices;
    const [added, removed] = [after.filter((d) => !before.includes(d)), before.filter((d) => !after.includes(d))];
    // Adding first, so that no record falls between the two.
    if (added.length > 0) this.live?.subscribe(...added);
    if (removed.length > 0) this.live?.unsubscribe(...removed);
    const query = new URLSearchParams([...this.chosen].map((name) => ["device", name])).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.draw();
    this.changed();
  };

  /** Offers the devices seen so far in the input. */
  suggest(names: readonly string[]): void {
    const key = names.join("\n");
    if (key === this.suggested) return;
    this.suggested = key;
    this.list.replaceChildren(...names.map((name) => make("option", { value: name })));
  }

  private draw(): void {
    write(byId("filter-state"), this.chosen.size === 0 ? "All devices" : "");
    this.chips.replaceChildren(
      ...[...this.chosen].map((name) => {
        const chip = make("button", { type: "button", "aria-label": `Stop showing only ${name}` }, `${name} ×`);
        chip.addEventListener("click", () => {
          this.toggle(name);
          this.input.focus();
        });
        return make("li", {}, chip);
      }),
    );
  }
}
