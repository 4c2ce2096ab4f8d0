/** The namespace of all metrics in CloudWatch. */
export const METRICS_NAMESPACE = "Sensorcast";

/** Metrics of one component. */
export interface MetricSet {
  /** The dimension, such as `Broadcast`, and its value: the component's name. */
  readonly dimension: readonly [name: string, value: string];
  /** The unit of each metric. */
  readonly units: Readonly<Record<string, "Count" | "Milliseconds">>;
}

/**
 * Writes metrics to the log, from which CloudWatch takes them.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function writeMetricLine({ dimension, units }: MetricSet, values: Record<string, number | number[]>): void {
  const [name, value] = dimension;
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: units[Name] }));
  const _aws = {
    Timestamp: Date.now(),
    CloudWatchMetrics: [{ Namespace: METRICS_NAMESPACE, Dimensions: [[name]], Metrics }],
  };
  // Not by console.log: the line must be JSON from its first character on, and Lambda puts time and request before it.
  process.stdout.write(`${JSON.stringify({ _aws, [name]: value, ...values })}\n`);
}
