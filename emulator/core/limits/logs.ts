import { limit } from "./limit";

const quotas = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html";
const put = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html";
const get = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html";
const invalid = "`InvalidParameterException`";
const tooMany = "`LimitExceededException`";
const hour = 3_600_000;

/** Limits of Amazon CloudWatch Logs. */
export const logs = {
  batch: limit(
    1024 * 1024,
    "bytes",
    "events of `PutLogEvents`, 26 bytes for each besides its text; also one event",
    invalid,
    put,
  ),
  events: limit(10_000, "", "events of `PutLogEvents`, and of a page that is read", invalid, put),
  span: limit(24 * hour, "ms", "time between the first and the last of them", invalid, put),
  past: limit(14 * 24 * hour, "ms", "age of an event", "`tooOldLogEventEndIndex`", put),
  future: limit(2 * hour, "ms", "time of an event ahead of now", "`tooNewLogEventStartIndex`", put),
  page: limit(1024 * 1024, "bytes", "a page of events that is read", "a token for the rest", get),
  metricFilters: limit(100, "", "metric filters of a log group", tooMany, quotas),
  subscriptionFilters: limit(2, "", "subscription filters of a log group", tooMany, quotas),
  filterPattern: limit(1_024, "characters", "pattern of a filter", invalid, quotas),
  resourcePolicies: limit(10, "", "resource policies of an account in a region", tooMany, quotas),
  resourcePolicy: limit(5_120, "characters", "a resource policy", invalid, quotas),
  name: limit(512, "characters", "name of a group, a stream or a filter", invalid, quotas),
  tags: limit(50, "", "tags of a log group", invalid, quotas),
} as const;
