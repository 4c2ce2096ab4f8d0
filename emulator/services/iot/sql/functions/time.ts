import { toSmallInt, toText } from "../values";
import type { SqlFunctions } from "./definition";
import { formatTime } from "./time-format";
import { parseTime } from "./time-parse";

export const time: SqlFunctions = {
  parse_time: {
    arity: [2, 3],
    newer: true,
    call: ([pattern, at, zone], { run }, written) => {
      const format = toText(pattern);
      const timestamp = toSmallInt(at, run.version);
      const timeZone = written.length === 3 ? toText(zone) : "UTC";
      if (format === undefined || timestamp === undefined || timeZone === undefined) return undefined;
      return formatTime(format, timestamp, timeZone);
    },
  },
  time_to_epoch: {
    arity: [2],
    newer: true,
    call: ([text, pattern]) => {
      const [timestamp, format] = [toText(text), toText(pattern)];
      return timestamp === undefined || format === undefined ? undefined : parseTime(timestamp, format);
    },
  },
};
