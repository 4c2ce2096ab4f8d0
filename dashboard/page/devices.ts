import type { LiveRecord } from "../../client";
import { type Reading, readingOf, timeOf } from "./fields";

/** A growing curve, oldest first, for uPlot. */
export interface Series {
  readonly times: number[];
  readonly values: number[];
}

export interface Device {
  readonly name: string;
  /** The last value of each field. */
  readonly latest: Map<string, Reading[string]>;
  /** When a record came last, in seconds by this browser's clock. */
  seen: number;
  /** Numeric fields by name. */
  readonly series: Map<string, Series>;
}

const maxDevices = 2_000;
const maxFields = 16;
/** Points of one curve: 20 minutes of one a second. */
const maxPoints = 1_200;
/** Points of all curves together, about 16 MB: where there are many curves, each is shorter. */
const allPoints = 1_000_000;

/** Puts a point in its place by time: records may arrive out of order, and charts need them in order. */
function insert({ times, values }: Series, time: number, value: number, most: number): void {
  let index = times.length;
  while (index > 0 && times[index - 1]! > time) index--;
  times.splice(index, 0, time);
  values.splice(index, 0, value);
  // Half at once, so that a full series is not shifted at each point.
  if (times.length > most) for (const list of [times, values]) list.splice(0, list.length - Math.ceil(most / 2));
}

/** The devices that have sent something, in a bounded memory: past the limit the one unseen for longest goes. */
export class Devices {
  private readonly byName = new Map<string, Device>();
  private sorted: readonly Device[] | undefined;
  private curves = 0;

  /** By name, so that rows keep their place. */
  all(): readonly Device[] {
    this.sorted ??= [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.sorted;
  }

  get count(): number {
    return this.byName.size;
  }

  add(record: LiveRecord<unknown>, now: number): void {
    const device = this.byName.get(record.device) ?? this.create(record.device);
    const reading = readingOf(record.data);
    for (const [field, value] of Object.entries(reading)) {
      if (device.latest.has(field) || device.latest.size < maxFields) device.latest.set(field, value);
    }
    device.seen = now;
    const time = timeOf(record.data, record.at, now);
    for (const [field, value] of Object.entries(reading)) {
      if (typeof value !== "number" || !device.latest.has(field)) continue;
      const series = device.series.get(field) ?? { times: [], values: [] };
      if (series.times.length === 0) this.curves++;
      device.series.set(field, series);
      insert(series, time, value, Math.min(maxPoints, Math.floor(allPoints / this.curves)));
    }
  }

  /** Forgets those that are not wanted any more. */
  keep(wanted: (name: string) => boolean): void {
    for (const device of [...this.byName.values()]) if (!wanted(device.name)) this.forget(device);
  }

  private create(name: string): Device {
    if (this.byName.size >= maxDevices) {
      this.forget([...this.byName.values()].reduce((oldest, device) => (device.seen < oldest.seen ? device : oldest)));
    }
    const device: Device = { name, latest: new Map(), seen: 0, series: new Map() };
    this.byName.set(name, device);
    this.sorted = undefined;
    return device;
  }

  private forget(device: Device): void {
    this.byName.delete(device.name);
    this.curves -= device.series.size;
    this.sorted = undefined;
  }
}

/** Records a second over the last seconds. */
export class Rate {
  private readonly counts: number[] = [];
  private current = 0;
  total = 0;

  constructor(private readonly seconds: number) {}

  add(records: number): void {
    this.current += records;
    this.total += records;
  }

  /** Call once a second. @returns the mean of the window, or of the time since the start while that is shorter. */
  tick(): number {
    this.counts.push(this.current);
    this.current = 0;
    if (this.counts.length > this.seconds) this.counts.shift();
    return this.counts.reduce((sum, count) => sum + count, 0) / this.counts.length;
  }
}
