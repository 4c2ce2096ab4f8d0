import { fromLocal, months, partsOf, weekdays, type Zone, zoneOf } from "./time-zones";

/** What a timestamp says; anything that it leaves out is its first value. */
interface Fields {
  year: number;
  month: number;
  day: number;
  dayOfYear?: number;
  hour: number;
  half?: "AM" | "PM";
  minute: number;
  second: number;
  millisecond: number;
  zone: Zone;
  era?: "BC";
}

/** What a letter takes in, and what it does to the fields; false when it is out of range. */
type Reader = readonly [pattern: string, read: (text: string, fields: Fields) => boolean | undefined];

/** Abbreviations that Java knows besides the names of the zone database. */
const abbreviations: Record<string, string> = {
  PST: "America/Los_Angeles",
  PDT: "America/Los_Angeles",
  MST: "America/Denver",
  MDT: "America/Denver",
  CST: "America/Chicago",
  CDT: "America/Chicago",
  EST: "America/New_York",
  EDT: "America/New_York",
  CET: "Europe/Paris",
  CEST: "Europe/Paris",
  BST: "Europe/London",
  JST: "Asia/Tokyo",
  IST: "Asia/Kolkata",
};

const digits = (count: number, next: boolean) => (count > 1 || next ? `\\d{${count}}` : "\\d+");
const index = (names: readonly string[], text: string) =>
  names.findIndex((name) => name.slice(0, Math.max(3, text.length)).toLowerCase() === text.toLowerCase());
const anyOf = (names: readonly string[], count: number) =>
  names.map((name) => (count > 3 ? name : name.slice(0, 3))).join("|");

const number =
  (field: "day" | "dayOfYear" | "hour" | "minute" | "second", min: number, max: number) =>
  (count: number, adjacent: boolean): Reader => [
    digits(count, adjacent),
    (text, fields) => {
      fields[field] = Number(text);
      return fields[field] >= min && fields[field] <= max;
    },
  ];

const readZone = (text: string, fields: Fields) => {
  const zone = zoneOf(abbreviations[text] ?? text);
  if (zone) fields.zone = zone;
  return zone !== undefined;
};

const readYear = (count: number, adjacent: boolean): Reader => [
  count === 2 || adjacent ? `\\d{${count}}` : count > 3 ? `[+-]?\\d{${count},9}` : "\\d{1,9}",
  (text, fields) => {
    fields.year = Number(text) + (count === 2 ? 2000 : 0);
    return true;
  },
];

const readOffset: Reader = ["Z|[+-]\\d{2}(?::?\\d{2})?", readZone];
const readName: Reader = ["[A-Za-z][\\w/+:-]*|[+-]\\d{2}:?\\d{2}", readZone];

/** Letters of Java's DateTimeFormatter. https://docs.oracle.com/en/java/javase/11/docs/api/java.base/java/time/format/DateTimeFormatter.html */
const letters: Record<string, (count: number, adjacent: boolean) => Reader> = {
  y: readYear,
  u: readYear,
  G: () => [
    "AD|BC",
    (text, fields) => {
      if (text.toUpperCase() === "BC") fields.era = "BC";
      return true;
    },
  ],
  M: (count, adjacent) => [
    count > 2 ? anyOf(months, count) : digits(count, adjacent),
    (text, fields) => {
      fields.month = count > 2 ? index(months, text) + 1 : Number(text);
      return fields.month >= 1 && fields.month <= 12;
    },
  ],
  d: number("day", 1, 31),
  D: number("dayOfYear", 1, 366),
  E: (count) => [anyOf(weekdays, count), () => true],
  a: () => [
    "AM|PM",
    (text, fields) => {
      fields.half = text.toUpperCase() === "PM" ? "PM" : "AM";
      return true;
    },
  ],
  H: number("hour", 0, 23),
  k: number("hour", 1, 24),
  h: number("hour", 1, 12),
  K: number("hour", 0, 11),
  m: number("minute", 0, 59),
  s: number("second", 0, 59),
  S: (count) => [
    `\\d{${count}}`,
    (text, fields) => {
      fields.millisecond = Number(text.slice(0, 3).padEnd(3, "0"));
      return true;
    },
  ],
  z: () => readName,
  V: () => readName,
  O: () => readName,
  X: () => readOffset,
  x: () => readOffset,
  Z: () => readOffset,
};
letters.L = letters.M!;

function epochOf(fields: Fields): number | undefined {
  const { year, month, day, dayOfYear, minute, second, millisecond, half, era, zone } = fields;
  const hour = half ? (fields.hour % 12) + (half === "PM" ? 12 : 0) : fields.hour % 24;
  const date = new Date(0);
  date.setUTCFullYear(era ? 1 - year : year, dayOfYear ? 0 : month - 1, dayOfYear ?? day);
  // 31 April is no date: what rolled over into the next month is refused.
  if (!dayOfYear && date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, millisecond);
  const local = date.getTime();
  return Number.isNaN(local) || Math.abs(local) > 8e15 ? undefined : fromLocal(zone, local);
}

/** Letters that stand for digits, however often they are repeated; others do so up to twice. */
const isNumeric = (letter: string, count: number): boolean =>
  "yudDHkhKmsS".includes(letter) || ("ML".includes(letter) && count < 3);

/**
 * Milliseconds since 1970 of a timestamp by a pattern; UTC when it names no time zone; undefined when it does not fit.
 * Each letter takes in all that it can, once and for all, as in Java: nothing is tried again with less.
 */
export function parseTime(text: string, pattern: string): number | undefined {
  const parts = partsOf(pattern);
  if (!parts) return undefined;
  const fields: Fields = {
    year: 1970,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    millisecond: 0,
    zone: { minutes: 0 },
  };
  let at = 0;
  for (const [i, { letter, count, text: literal }] of parts.entries()) {
    if (!letter) {
      if (text.slice(at, at + literal.length).toLowerCase() !== literal.toLowerCase()) return undefined;
      at += literal.length;
      continue;
    }
    if (!Object.hasOwn(letters, letter) || count > 9) return undefined;
    const next = parts[i + 1];
    const [accepted, read] = letters[letter]!(count, next?.letter !== undefined && isNumeric(next.letter, next.count));
    const matcher = new RegExp(accepted, "iy");
    matcher.lastIndex = at;
    const found = matcher.exec(text)?.[0];
    if (found === undefined || read(found, fields) === false) return undefined;
    at += found.length;
  }
  return at === text.length ? epochOf(fields) : undefined;
}
