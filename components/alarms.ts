import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** Where alarms go. */
export interface AlarmsArgs {
  /** ARN of the SNS topic that is told when an alarm goes off and when all is well again. */
  topicArn: pulumi.Input<string>;
}

/** One CloudWatch alarm: it goes off when the metric's sum (or highest value) in 5 minutes is above the threshold. */
export interface AlarmRule {
  /** The last part of the resource's name. */
  name: string;
  /** What it means when it goes off. */
  description: string;
  namespace: string;
  metric: string;
  dimensions: Record<string, pulumi.Input<string>>;
  statistic: "Sum" | "Maximum";
  /** @default 0 */
  threshold?: number;
}

/** Messages wait in a dead-letter queue. */
export const deadLettersWaiting = (queueName: pulumi.Input<string>): AlarmRule => ({
  name: "dead-letters",
  description: "Messages wait in the dead-letter queue",
  namespace: "AWS/SQS",
  metric: "ApproximateNumberOfMessagesVisible",
  dimensions: { QueueName: queueName },
  statistic: "Maximum",
});

/** A function failed, or was not run because too many run already. `name` tells several functions apart. */
export const functionFails = (name: string, functionName: pulumi.Input<string>): AlarmRule[] =>
  (["Errors", "Throttles"] as const).map((metric) => ({
    name: `${name}-${metric.toLowerCase()}`,
    description: `The ${name} function ${metric === "Errors" ? "fails" : "is throttled"}`,
    namespace: "AWS/Lambda",
    metric,
    dimensions: { FunctionName: functionName },
    statistic: "Sum",
  }));

/** A REST API answers with server errors. */
export const apiFails = (apiName: pulumi.Input<string>, stageName: pulumi.Input<string>): AlarmRule => ({
  name: "server-errors",
  description: "The API answers with server errors",
  namespace: "AWS/ApiGateway",
  metric: "5XXError",
  dimensions: { ApiName: apiName, Stage: stageName },
  statistic: "Sum",
});

/**
 * Makes alarms.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
 */
export function makeAlarms(
  prefix: string,
  rules: readonly AlarmRule[],
  { topicArn }: AlarmsArgs,
  opts: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm[] {
  return rules.map(
    ({ name, description, namespace, metric, dimensions, statistic, threshold = 0 }) =>
      new aws.cloudwatch.MetricAlarm(
        `${prefix}-${name}-alarm`,
        {
          alarmDescription: description,
          namespace,
          metricName: metric,
          dimensions,
          statistic,
          threshold,
          comparisonOperator: "GreaterThanThreshold",
          period: 300,
          evaluationPeriods: 1,
          // No data means that nothing happened.
          treatMissingData: "notBreaching",
          alarmActions: [topicArn],
          okActions: [topicArn],
        },
        opts,
      ),
  );
}
