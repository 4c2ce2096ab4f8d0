const units = [
  [86_400_000, "day"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** `4.2 ms`, `340 ms`, `1.2 s`, `14 days`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}\u202fms`;
  const [size, unit] = units.find(([length]) => ms >= length)!;
  const count = Number((ms / size).toFixed(ms / size < 10 ? 1 : 0));
  return `${count}\u202f${unit === "day" && count !== 1 ? "days" : unit}`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

/** The time of day, behind the date where that is another one than now. */
export const timeOf = (time: number, now: number): string =>
  day.format(time) === day.format(now) ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`;

export const dateOf = (time: number): string => whole.format(time);

/** `1 message`, `3 messages`. */
export const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;
