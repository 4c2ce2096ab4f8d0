import { byId, make, write } from "../shared/elements";
import { keepRoles } from "../shared/table";
import type { Device } from "./devices";
import { fieldOf, format } from "./fields";
import { canChoose } from "./filter";

interface Row {
  readonly element: HTMLTableRowElement;
  readonly values: HTMLElement;
  readonly cells: Map<string, Element>;
  readonly seen: HTMLElement;
  readonly only: HTMLButtonElement;
}

const ageText = (seconds: number): string => {
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
};

/** The table of devices: a row is made once and then only its texts change. */
export class DeviceTable {
  private readonly body = byId("rows");
  private readonly empty = byId("empty");
  private readonly rows = new Map<string, Row>();

  /** @param toggle is called with the device whose filter button was pressed. */
  constructor(private readonly toggle: (device: string) => void) {
    keepRoles(byId("table"));
  }

  show(devices: readonly Device[], now: number, chosen: (device: string) => boolean): void {
    this.empty.hidden = devices.length > 0;
    const names = new Set(devices.map(({ name }) => name));
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.rows.delete(name);
    }
    let before: Element | null = this.empty;
    for (const device of devices) {
      const row = this.rows.get(device.name) ?? this.create(device.name);
      if (before.nextElementSibling !== row.element) before.after(row.element);
      before = row.element;
      for (const [name, value] of device.latest) {
        write(this.cell(row, name), typeof value === "number" ? format(name, value) : String(value));
      }
      write(row.seen, ageText(now - device.seen));
      const pressed = String(chosen(device.name));
      if (row.only.getAttribute("aria-pressed") !== pressed) row.only.setAttribute("aria-pressed", pressed);
    }
  }

  private cell(row: Row, field: string): Element {
    const known = row.cells.get(field);
    if (known) return known;
    const value = make("dd");
    row.values.append(make("div", {}, make("dt", {}, fieldOf(field).label), value));
    row.cells.set(field, value);
    return value;
  }

  private create(name: string): Row {
    const values = make("dl", { class: "values" });
    const seen = make("td", { class: "end" });
    const only = make("button", { type: "button", "aria-label": `Show only ${name}`, "aria-pressed": "false" }, "Only");
    only.hidden = !canChoose(name);
    only.addEventListener("click", () => this.toggle(name));
    const element = make(
      "tr",
      {},
      make("th", { scope: "row" }, name || "(no name)"),
      make("td", {}, values),
      seen,
      make("td", { class: "act" }, only),
    );
    keepRoles(element);
    const row: Row = { element, values, cells: new Map(), seen, only };
    this.rows.set(name, row);
    this.body.append(element);
    return row;
  }
}
