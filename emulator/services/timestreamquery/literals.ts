const second = 1_000_000_000n;
const minute = 60n * second;
const units: Record<string, bigint> = {
  ...{ ns: 1n, us: 1_000n, ms: 1_000_000n },
  ...{ s: second, m: minute, h: 60n * minute, d: 1440n * minute },
  ...{ nanosecond: 1n, microsecond: 1_000n, millisecond: 1_000_000n },
  ...{ second, minute, hour: 60n * minute, day: 1440n * minute },
};

/** The nanoseconds of an interval such as `15m`. */
export function intervalOf(text: string): bigint {
  const [, count, unit] = /^(\d+)([a-z]+)$/.exec(text)!;
  return BigInt(count!) * units[unit!]!;
}

/** Whether a time is one that queries have, from 1677 to 2262: 64 bits of nanoseconds (developer guide, "Supported data types"). */
export const isTime = (nanoseconds: bigint): boolean => BigInt.asIntN(64, nanoseconds) === nanoseconds;

/** The nanoseconds since the epoch of a time such as `2026-11-21 05:00:00.000`, in UTC; undefined for other texts. */
export function timestampOf(text: string): bigint | undefined {
  const [, date, time = "00:00", seconds = ":00", fraction = ""] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?)?$/.exec(text) ?? [];
  const whole = Date.parse(`${date}T${time}${seconds}Z`);
  // The 31st of February and the like become other days.
  if (Number.isNaN(whole) || !new Date(whole).toISOString().startsWith(date!)) return undefined;
  const instant = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  return isTime(instant) ? instant : undefined;
}

/** A time as answers have it. */
export function timestampText(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % second) + second) % second;
  const whole = new Date(Number((nanoseconds - fraction) / 1_000_000n)).toISOString();
  return `${whole.slice(0, 10)} ${whole.slice(11, 19)}.${String(fraction).padStart(9, "0")}`;
}

/** A number as Java writes doubles, which is how answers have them. */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    const text = Object.is(value, -0) ? "-0" : String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
}
