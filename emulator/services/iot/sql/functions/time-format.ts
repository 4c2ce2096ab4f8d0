import { months, offsetAt, offsetText, partsOf, weekdays, type Zone, zoneId, zoneName, zoneOf } from "./time-zones";

const day = 86_400_000;
/** What a Date holds, in milliseconds. */
const latest = 8.64e15;

interface Moment {
  readonly at: number;
  readonly zone: Zone;
  /** The zone's clocks, read as UTC. */
  readonly local: Date;
}

const weekday = (date: Date) => date.getUTCDay() || 7;

/** Year and week of ISO 8601. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getTime() + (4 - weekday(date)) * day);
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / day / 7) + 1 };
}

const padded = (value: number, count: number) =>
  `${value < 0 ? "-" : ""}${String(Math.abs(value)).padStart(count, "0")}`;
const year = (value: number, count: number) =>
  count === 2 ? padded(((value % 100) + 100) % 100, 2) : padded(value, count);
const named = (names: readonly string[], index: number, count: number) => {
  const name = names[index]!;
  return count > 3 ? name : name.slice(0, 3);
};

/** Joda-Time's letters. https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html */
const letters: Record<string, (count: number, moment: Moment) => string> = {
  G: (_count, { local }) => (local.getUTCFullYear() > 0 ? "AD" : "BC"),
  C: (count, { local }) => padded(Math.floor(local.getUTCFullYear() / 100), count),
  Y: (count, { local }) => year(local.getUTCFullYear(), count),
  x: (count, { local }) => year(isoWeek(local).year, count),
  w: (count, { local }) => padded(isoWeek(local).week, count),
  e: (count, { local }) => padded(weekday(local), count),
  E: (count, { local }) => named(weekdays, weekday(local) - 1, count),
  y: (count, { local }) => year(local.getUTCFullYear(), count),
  D: (count, { local }) =>
    padded(Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / day) + 1, count),
  M: (count, { local }) =>
    count > 2 ? named(months, local.getUTCMonth(), count) : padded(local.getUTCMonth() + 1, count),
  d: (count, { local }) => padded(local.getUTCDate(), count),
  a: (_count, { local }) => (local.getUTCHours() < 12 ? "AM" : "PM"),
  K: (count, { local }) => padded(local.getUTCHours() % 12, count),
  h: (count, { local }) => padded(local.getUTCHours() % 12 || 12, count),
  H: (count, { local }) => padded(local.getUTCHours(), count),
  k: (count, { local }) => padded(local.getUTCHours() || 24, count),
  m: (count, { local }) => padded(local.getUTCMinutes(), count),
  s: (count, { local }) => padded(local.getUTCSeconds(), count),
  S: (count, { local }) => padded(local.getUTCMilliseconds(), 3).padEnd(count, "0").slice(0, count),
  z: (count, { zone, at }) => zoneName(zone, at, count > 3 ? "long" : "short"),
  Z: (count, { zone, at }) => (count > 2 ? zoneId(zone) : offsetText(offsetAt(zone, at), count === 1 ? "" : ":")),
};

/** A time in milliseconds since 1970 by a pattern; undefined for an unknown letter or time zone. */
export function formatTime(pattern: string, at: number, timeZone: string): string | undefined {
  const zone = zoneOf(timeZone);
  const parts = partsOf(pattern);
  if (!zone || !parts || Math.abs(at) > latest - day) return undefined;
  const moment = { at, zone, local: new Date(at + offsetAt(zone, at) * 60_000) };
  let text = "";
  for (const { letter, count, text: literal } of parts) {
    if (!letter) text += literal;
    else if (Object.hasOwn(letters, letter)) text += letters[letter]!(Math.min(count, 100), moment);
    else return undefined;
  }
  return text;
}
