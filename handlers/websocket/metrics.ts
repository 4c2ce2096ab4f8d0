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

/** The namespace in CloudWatch; the dimension is the component's name. */
export const METRICS_NAMESPACE = "Sensorcast";

/**
 * Writes metrics to the log, from which CloudWatch takes them.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function writeMetrics(values: Metrics): void {
  const names = Object.keys(values) as (keyof typeof UNITS)[];
  const Metrics = names.map((Name) => ({ Name, Unit: UNITS[Name] }));
  const _aws = {
    Timestamp: Date.now(),
    CloudWatchMetrics: [{ Namespace: METRICS_NAMESPACE, Dimensions: [["Broadcast"]], Metrics }],
  };
  // Not by console.log: the line must be JSON from its first character on, and Lambda puts time and request before it.
  process.stdout.write(`${JSON.stringify({ _aws, Broadcast: variable("WEBSOCKET_NAME"), ...values })}\n`);
}
