import uPlot from "uplot";
import { make, write } from "../shared/elements";
import type { Device, Series } from "./devices";
import { fieldOf, format } from "./fields";

const height = 140;
const [longest, shortest] = [15 * 60, 60];

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const timeText = (seconds: number, exact: boolean) => (exact ? exactClock : clock).format(seconds * 1_000);

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The last 15 minutes at most, and never less than one, so that the first points do not fill the width. */
const timeRange = (_: uPlot, first: number, last: number): uPlot.Range.MinMax =>
  last === null ? [0, shortest] : [Math.max(Math.min(first, last - shortest), last - longest), last];

/** Some air around the curve; a constant value runs in the middle. */
function valueRange(_: uPlot, low: number, high: number): uPlot.Range.MinMax {
  if (low === null) return [0, 1];
  const air = (high - low) * 0.15 || Math.abs(high) * 0.05 || 1;
  // What is never negative, such as a count, has its zero at the bottom.
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

function optionsFor(field: string, width: number, hovered: (index: number | null | undefined) => void): uPlot.Options {
  const [quiet, line, accent, fill] = [colour("quiet"), colour("line"), colour("accent"), colour("fill")];
  const { factor } = fieldOf(field);
  const axis: uPlot.Axis = { stroke: quiet, font: "11px system-ui, sans-serif", ticks: { show: false } };
  return {
    width,
    height,
    // At the right, half of the last label's width.
    padding: [6, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true, range: timeRange }, y: { range: valueRange } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        gap: 4,
        // Room for a label: with seconds it is wider.
        space: (_plot, _axis, first, last) => (last - first < 240 ? 72 : 48),
        values: (_, splits) => splits.map((split) => timeText(split, splits[1]! - splits[0]! < 60)),
      },
      {
        ...axis,
        grid: { stroke: line, width: 1 },
        size: 46,
        gap: 6,
        space: 28,
        values: (_, splits) => splits.map((split) => String(Number((split * factor).toPrecision(6)))),
      },
    ],
    // Down to the axis: towards zero, what lies below it would be filled upwards.
    series: [
      {},
      {
        stroke: accent,
        fill,
        fillTo: (plot) => plot.scales.y?.min ?? 0,
        width: 1.75,
        points: { size: 5, fill: accent },
      },
    ],
    hooks: { setCursor: [(plot) => hovered(plot.cursor.idx)] },
  };
}

/** A card with the curve of one field of one device. */
export class Chart {
  readonly element: HTMLElement;
  private readonly select = make("select");
  private readonly label = make("span");
  private readonly value = make("span", { class: "value" });
  private readonly holder = make("div", { class: "plot", role: "img" });
  private plot: uPlot | undefined;
  private visible = false;
  private field: string;
  private drawn = 0;

  constructor(private device: Device) {
    this.field = [...device.series.keys()][0]!;
    const name = device.name || "(no name)";
    this.select.setAttribute("aria-label", `What the chart of ${name} shows`);
    this.select.addEventListener("change", () => {
      this.field = this.select.value;
      this.recolour();
    });
    const head = make("div", { class: "head" }, this.label, this.select, this.value);
    this.element = make("article", { class: "chart" }, make("h3", { title: name }, name), head, this.holder);
  }

  private get series(): Series {
    return this.device.series.get(this.field)!;
  }

  update(device: Device): void {
    // The same device may have been forgotten and come back with other fields.
    this.device = device;
    if (!device.series.has(this.field)) this.field = [...device.series.keys()][0]!;
    const fields = [...device.series.keys()];
    if (this.select.options.length !== fields.length) {
      this.select.replaceChildren(...fields.map((field) => make("option", { value: field }, fieldOf(field).label)));
      this.select.value = this.field;
    }
    this.select.hidden = fields.length < 2;
    this.label.hidden = !this.select.hidden;
    write(this.label, fieldOf(this.field).label);
    if (this.visible) this.draw();
  }

  /** Off the screen there is no canvas, which saves memory where devices are many. */
  setVisible(visible: boolean): void {
    this.visible = visible;
    if (visible) {
      this.draw();
    } else {
      this.plot?.destroy();
      this.plot = undefined;
    }
  }

  resize(): void {
    if (this.plot && this.plot.width !== this.holder.clientWidth) {
      this.plot.setSize({ width: this.holder.clientWidth, height });
    }
  }

  /** Draws it anew, after the colours or the field have changed. */
  recolour(): void {
    const { visible } = this;
    this.setVisible(false);
    if (visible) this.setVisible(true);
  }

  private draw(): void {
    const { times, values } = this.series;
    const data: uPlot.AlignedData = [times, values];
    if (this.plot) this.plot.setData(data);
    else
      this.plot = new uPlot(
        optionsFor(this.field, this.holder.clientWidth, (i) => this.say(i)),
        data,
        this.holder,
      );
    this.say(this.plot.cursor.idx);
    this.describe();
  }

  /** Writes the value under the pointer, else the last one. */
  private say(index: number | null | undefined): void {
    const { times, values } = this.series;
    const [time, value] = index == null ? [undefined, values.at(-1)] : [times[index], values[index]];
    if (value === undefined) return;
    write(this.value, `${time === undefined ? "" : `${timeText(time, true)}  `}${format(this.field, value)}`);
  }

  /** What a screen reader says of the picture; renewed every few seconds at most. */
  private describe(): void {
    const now = performance.now();
    if (this.drawn > 0 && now - this.drawn < 5_000) return;
    this.drawn = now;
    const { values } = this.series;
    const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => format(this.field, value));
    const last = format(this.field, values.at(-1)!);
    const words = `${fieldOf(this.field).label} of ${this.device.name}: last ${last}, between ${low} and ${high}`;
    this.holder.setAttribute("aria-label", words);
  }
}
