/** A time field: the smallest and largest value, and names for values. */
interface FieldRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/** A field that is not what its place demands, and why. */
export class BadField extends Error {}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const minutes: FieldRange = { name: "minutes", min: 0, max: 59 };
const hours: FieldRange = { name: "hours", min: 0, max: 23 };
const daysOfMonth: FieldRange = { name: "day-of-month", min: 1, max: 31 };
const monthRange: FieldRange = { name: "month", min: 1, max: 12, names: months };
const daysOfWeek: FieldRange = { name: "day-of-week", min: 1, max: 7, names: weekdays };
const years: FieldRange = { name: "year", min: 1970, max: 2199 };

/** Days of one month that match, by the month's length and the weekday (0 is Sunday) of its first day. */
type DayRule = (length: number, first: number) => number[];

function readValue(text: string, { name, min, max, names = [] }: FieldRange): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + min : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BadField(`"${text}" is no value of the field ${name}, which takes ${min} to ${max}.`);
}

/** `*`, `a`, `a-b`, each with `/step`. */
function partValues(part: string, range: FieldRange): number[] {
  const [span = "", step, ...more] = part.split("/");
  if (more.length || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) {
    throw new BadField(`"${part}" in the field ${range.name} has no step that is a positive number.`);
  }
  const [low = "", high, ...rest] = span.split("-");
  if (rest.length) throw new BadField(`"${part}" in the field ${range.name} is no range.`);
  const from = span === "*" ? range.min : readValue(low, range);
  const to = high !== undefined ? readValue(high, range) : span === "*" || step !== undefined ? range.max : from;
  if (to < from) throw new BadField(`"${part}" in the field ${range.name} ends before it begins.`);
  const values: number[] = [];
  for (let value = from; value <= to; value += Number(step ?? 1)) values.push(value);
  return values;
}

const valuesOf = (text: string, range: FieldRange): number[] =>
  [...new Set(text.split(",").flatMap((part) => partValues(part, range)))].sort((a, b) => a - b);

const isWeekend = (day: number, first: number) => [0, 6].includes((first + day - 1) % 7);

/** The weekday nearest to a day, in the same month. */
function nearestWeekday(day: number, length: number, first: number): number {
  if (!isWeekend(day, first)) return day;
  const sunday = (first + day - 1) % 7 === 0;
  if (sunday) return day < length ? day + 1 : day - 2;
  return day > 1 ? day - 1 : day + 2;
}

function dayOfMonthRule(part: string): DayRule {
  if (/^L$/i.test(part)) return (length) => [length];
  if (/^LW$/i.test(part)) return (length, first) => [nearestWeekday(length, length, first)];
  const near = /^(\d{1,2})W$/i.exec(part);
  if (near) {
    const day = readValue(near[1]!, daysOfMonth);
    return (length, first) => (day <= length ? [nearestWeekday(day, length, first)] : []);
  }
  const values = partValues(part, daysOfMonth);
  return (length) => values.filter((day) => day <= length);
}

/** Days of a month that fall on a weekday (1 is Sunday), in order. */
const daysOn = (weekday: number, length: number, first: number): number[] => {
  const days: number[] = [];
  for (let day = 1 + ((weekday - 1 - first + 7) % 7); day <= length; day += 7) days.push(day);
  return days;
};

function dayOfWeekRule(part: string, alone: boolean): DayRule {
  const nth = /^(\w+)#(\d)$/.exec(part);
  if (nth) {
    const weekday = readValue(nth[1]!, daysOfWeek);
    const place = Number(nth[2]);
    if (place < 1 || place > 5) throw new BadField(`"${part}" in the field day-of-week counts from #1 to #5.`);
    if (!alone) throw new BadField("The field day-of-week takes only one expression with #.");
    return (length, first) => daysOn(weekday, length, first).slice(place - 1, place);
  }
  // Alone it is the last day of the week; behind a day, the last one of the month.
  if (/^L$/i.test(part)) return (length, first) => daysOn(7, length, first);
  const last = /^(\w+)L$/i.exec(part);
  if (last) {
    const weekday = readValue(last[1]!, daysOfWeek);
    return (length, first) => daysOn(weekday, length, first).slice(-1);
  }
  const values = partValues(part, daysOfWeek);
  return (length, first) => values.flatMap((weekday) => daysOn(weekday, length, first));
}

function dayRules(dayOfMonth: string, dayOfWeek: string): DayRule[] {
  if ((dayOfMonth === "?") === (dayOfWeek === "?")) {
    throw new BadField("One of the fields day-of-month and day-of-week has to be ?, and the other one not.");
  }
  if (dayOfWeek === "?") return dayOfMonth.split(",").map(dayOfMonthRule);
  const parts = dayOfWeek.split(",");
  return parts.map((part) => dayOfWeekRule(part, parts.length === 1));
}

/**
 * Reads the six fields of a cron expression, all in UTC: minutes, hours, day-of-month, month, day-of-week, year
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html).
 *
 * @returns what gives the first time that is later than a time, in milliseconds since the epoch; undefined when none is.
 * @throws BadField
 */
export function readCron(text: string): (after: number) => number | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) {
    throw new BadField("A cron expression has six fields: minutes, hours, day-of-month, month, day-of-week and year.");
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields as [string, string, string, string, string, string];
  const times = valuesOf(hour, hours).flatMap((h) => valuesOf(minute, minutes).map((m) => h * 60 + m));
  const [monthValues, yearValues] = [valuesOf(month, monthRange), valuesOf(year, years)];
  const rules = dayRules(dayOfMonth, dayOfWeek);

  const daysIn = (inYear: number, inMonth: number): number[] => {
    const length = new Date(Date.UTC(inYear, inMonth, 0)).getUTCDate();
    const first = new Date(Date.UTC(inYear, inMonth - 1, 1)).getUTCDay();
    return [...new Set(rules.flatMap((rule) => rule(length, first)))].sort((a, b) => a - b);
  };

  return (after) => {
    const start = new Date(after);
    for (const inYear of yearValues) {
      if (inYear < start.getUTCFullYear()) continue;
      for (const inMonth of monthValues) {
        if (Date.UTC(inYear, inMonth, 1) <= after) continue;
        for (const day of daysIn(inYear, inMonth)) {
          const midnight = Date.UTC(inYear, inMonth - 1, day);
          const found = times.find((time) => midnight + time * 60_000 > after);
          if (found !== undefined) return midnight + found * 60_000;
        }
      }
    }
    return undefined;
  };
}
