/** Offsets as Joda-Time and Java write them: Z, UTC, GMT+2, UTC+01:00, +0530. */
const offset = /^(?:UTC|GMT|UT)?(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/;

/** A time zone: an offset from UTC in minutes, or a name of the IANA database; undefined when it is neither. */
export type Zone = { readonly minutes: number } | { readonly name: string };

export function zoneOf(id: string): Zone | undefined {
  if (id === "Z") return { minutes: 0 };
  const match = id ? offset.exec(id) : null;
  if (match) {
    const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
    return minutes > 18 * 60 ? undefined : { minutes: match[1] === "-" ? -minutes : minutes };
  }
  try {
    formatters(id);
    return { name: id };
  } catch {
    return undefined;
  }
}

interface Formatters {
  readonly offset: Intl.DateTimeFormat;
  readonly short: Intl.DateTimeFormat;
  readonly long: Intl.DateTimeFormat;
}

// Formatters are pure and slow to make: this cache is no state of an emulator.
const cache = new Map<string, Formatters>();

function formatters(timeZone: string): Formatters {
  let made = cache.get(timeZone);
  if (!made) {
    const make = (timeZoneName: "longOffset" | "short" | "long") =>
      new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName });
    made = { offset: make("longOffset"), short: make("short"), long: make("long") };
    if (cache.size < 1000) cache.set(timeZone, made);
  }
  return made;
}

const nameIn = (formatter: Intl.DateTimeFormat, at: number) =>
  formatter.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";

/** The offset from UTC at a time, in minutes. */
export function offsetAt(zone: Zone, at: number): number {
  if ("minutes" in zone) return zone.minutes;
  const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(nameIn(formatters(zone.name).offset, at));
  const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
  return match?.[1] === "-" ? -minutes : minutes;
}

/** `+01:00`; with `separator` "" `+0100`. */
export function offsetText(minutes: number, separator: string): string {
  const size = Math.abs(minutes);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${separator}${two(size % 60)}`;
}

/** `CST` or `Central Standard Time`; an offset for zones without a name. */
export function zoneName(zone: Zone, at: number, style: "short" | "long"): string {
  if ("minutes" in zone) {
    if (zone.minutes !== 0) return offsetText(zone.minutes, ":");
    return style === "short" ? "UTC" : "Coordinated Universal Time";
  }
  return nameIn(formatters(zone.name)[style], at);
}

/** As `Z` repeated prints it: the zone's name in the database, or its offset. */
export const zoneId = (zone: Zone): string =>
  "name" in zone ? zone.name : zone.minutes === 0 ? "UTC" : offsetText(zone.minutes, ":");

/** The time at which clocks of a zone show `local` (as if it were UTC). */
export function fromLocal(zone: Zone, local: number): number {
  const guess = local - offsetAt(zone, local) * 60_000;
  return local - offsetAt(zone, guess) * 60_000;
}

export const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
export const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** The longest date/time pattern that is read, in characters. */
const longestPattern = 200;

/**
 * The parts of a date/time pattern: runs of one letter, and literal text. Undefined when a quote is not closed, or the
 * pattern too long.
 */
export function partsOf(pattern: string): { letter?: string; count: number; text: string }[] | undefined {
  if (pattern.length > longestPattern) return undefined;
  const parts: { letter?: string; count: number; text: string }[] = [];
  const matcher = /([A-Za-z])\1*|'((?:[^']|'')*)'|[^A-Za-z']+/gy;
  let at = 0;
  for (const match of pattern.matchAll(matcher)) {
    const [all, letter, literal] = match;
    at += all.length;
    if (letter) parts.push({ letter, count: all.length, text: all });
    else
      parts.push({
        count: 0,
        text: literal === undefined ? all : literal === "" ? "'" : literal.replaceAll("''", "'"),
      });
  }
  return at === pattern.length ? parts : undefined;
}
