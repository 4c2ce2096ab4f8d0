import { BadField, readCron } from "./cron";
import { invalid } from "./errors";

/** When a rule runs: the first time later than `after`, for a schedule that began at `start`; undefined when never again. */
export type Schedule = (start: number, after: number) => number | undefined;

const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

const notValid = (reason: string) => invalid(`Parameter ScheduleExpression is not valid. Reason: ${reason}`);

function readRate(text: string): Schedule {
  const [, digits = "", unit = "", plural] = /^([1-9]\d*) +(minute|hour|day)(s?)$/.exec(text) ?? [];
  if (!unit) throw notValid("a rate is a positive number and minutes, hours or days, such as rate(5 minutes).");
  const count = Number(digits);
  if ((count === 1) === (plural === "s")) {
    throw notValid(`rate(${digits} ${unit}${plural}) has to be rate(${digits} ${unit}${count === 1 ? "" : "s"}).`);
  }
  const period = count * units[unit]!;
  if (period > longest) throw notValid("the period is too long.");
  return (start, after) => start + (Math.floor(Math.max(0, after - start) / period) + 1) * period;
}

/** As long as times can be at all: 275 thousand years from 1970 on is what a Date holds. */
const longest = 100_000_000 * units.day! - Date.UTC(2200, 0);

/**
 * Reads a schedule expression
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
 *
 * @throws AwsError ValidationException
 */
export function readSchedule(expression: string): Schedule {
  const [, kind, inner = ""] = /^(cron|rate)\((.*)\)$/.exec(expression) ?? [];
  if (kind === "rate") return readRate(inner);
  if (kind !== "cron") throw notValid("it has to be rate(value unit) or cron(fields).");
  try {
    const next = readCron(inner);
    return (_start, after) => next(after);
  } catch (error) {
    if (error instanceof BadField) throw notValid(error.message);
    throw error;
  }
}
