import type { AlarmsArgs } from "./alarms";
import { type Checks, RETENTION_DAYS } from "./checks";

/** What components with a dead-letter queue and functions have in common. */
export interface CommonArgs {
  /** The queue for what could not go on. */
  deadLetter?: {
    /** Days that it is kept, 1 to 14. @default 14 */
    retentionDays?: number;
  };
  /** Days that logs are kept; one of the numbers that CloudWatch knows, 0 is for ever. @default 14 */
  logRetentionDays?: number;
  /** Traces in AWS X-Ray. @default true */
  tracing?: boolean;
  /** Memory of a function, in MB, 128 to 10240. @default 512 */
  memorySize?: number;
  /** Alarms for what goes wrong, to an SNS topic. @default off */
  alarms?: AlarmsArgs;
}

/** Notes the mistakes in {@link CommonArgs}. `memory` is the size that errors recommend. */
export function checkCommon(checks: Checks, args: CommonArgs, memory = 512): void {
  const { deadLetter, logRetentionDays, memorySize, alarms } = args;
  checks.number("deadLetter.retentionDays", deadLetter?.retentionDays, { min: 1, max: 14, unit: "days", use: 14 });
  checks.oneOf("logRetentionDays", logRetentionDays, RETENTION_DAYS);
  checks.number("memorySize", memorySize, { min: 128, max: 10_240, unit: "MB", use: memory });
  if (alarms && !alarms.topicArn) checks.add("alarms.topicArn", "be an SNS topic's ARN", "topic.arn");
}
