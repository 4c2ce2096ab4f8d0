import { writeMetricLine } from "../metrics";
import { variable } from "./environment";

/** The units of what is counted. */
const UNITS = {
  Records: "Count",
  Delivered: "Count",
  Posts: "Count",
  Gone: "Count",
  Throttled: "Count",
  GivenUp: "Count",
  DeadLetters: "Count",
  Latency: "Milliseconds",
} as const;

export type Metrics = Partial<Record<keyof typeof UNITS, number | number[]>>;

/** Writes metrics with the component's name as their dimension `Broadcast`. */
export const writeMetrics = (values: Metrics): void =>
  writeMetricLine({ dimension: ["Broadcast", variable("WEBSOCKET_NAME")], units: UNITS }, values);
