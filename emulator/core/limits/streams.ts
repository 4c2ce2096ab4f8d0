import { limit, range } from "./limit";

const quotas = "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html";
const api = "https://docs.aws.amazon.com/kinesis/latest/APIReference";
const invalid = "`ValidationException`";
const refused = "`InvalidArgumentException`";
const tooMany = "`LimitExceededException`";
const throttled = "`ProvisionedThroughputExceededException`";

/** Limits of Amazon Kinesis Data Streams. */
export const kinesis = {
  record: limit(
    1_024,
    "KB",
    "a record with its partition key, unless the stream's `MaxRecordSizeInKiB` says otherwise",
    invalid,
    quotas,
  ),
  maxRecordSize: range(
    1_024,
    10_240,
    "KB",
    "`MaxRecordSizeInKiB` of a stream",
    invalid,
    `${api}/API_UpdateMaxRecordSize.html`,
  ),
  putRecords: limit(500, "", "records of `PutRecords`", invalid, `${api}/API_PutRecords.html`),
  putBytes: limit(10 * 1024 * 1024, "bytes", "records of `PutRecords` together", refused, `${api}/API_PutRecords.html`),
  partitionKey: limit(256, "characters", "partition key", invalid, `${api}/API_PutRecord.html`),
  writesPerShard: limit(1_000, "a second", "records that a shard takes", throttled, quotas),
  bytesIntoShard: limit(1024 * 1024, "a second", "bytes that a shard takes", throttled, quotas),
  readsPerShard: limit(5, "a second", "`GetRecords` calls to a shard", throttled, quotas),
  bytesOutOfShard: limit(2 * 1024 * 1024, "a second", "bytes that a shard gives", throttled, quotas),
  getRecords: limit(10_000, "", "records of `GetRecords`", invalid, `${api}/API_GetRecords.html`),
  getBytes: limit(
    10 * 1024 * 1024,
    "bytes",
    "records of `GetRecords` together",
    "the rest with the next call",
    `${api}/API_GetRecords.html`,
  ),
  iterator: limit(
    300_000,
    "ms",
    "life of a shard's iterator",
    "`ExpiredIteratorException`",
    `${api}/API_GetShardIterator.html`,
  ),
  subscription: limit(
    300_000,
    "ms",
    "life of a consumer's subscription",
    "it ends",
    `${api}/API_SubscribeToShard.html`,
  ),
  subscriptionPause: limit(
    5_000,
    "ms",
    "time between two subscriptions of a consumer to a shard, at least",
    "`ResourceInUseException`",
    `${api}/API_SubscribeToShard.html`,
  ),
  consumers: limit(20, "", "registered consumers of a stream", tooMany, quotas),
  retention: range(24, 8_760, "hours", "time that records are kept", `${refused}; then they are gone`, quotas),
  shards: limit(10_000, "", "shards of a stream", tooMany, `${api}/API_UpdateShardCount.html`),
  reshardings: limit(10, "", "`UpdateShardCount` calls in 24 hours", tooMany, `${api}/API_UpdateShardCount.html`),
  name: limit(128, "characters", "name of a stream or a consumer", invalid, `${api}/API_CreateStream.html`),
  tags: limit(50, "", "tags of a resource", refused, `${api}/API_TagResource.html`),
} as const;

const timestreamQuotas = "https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html";
const rejected = "`RejectedRecordsException`";
const quotaExceeded = "`ServiceQuotaExceededException`";

/** Limits of Amazon Timestream for LiveAnalytics. */
export const timestream = {
  records: limit(100, "", "records of `WriteRecords`", invalid, timestreamQuotas),
  dimensions: limit(128, "", "dimensions of a record, and of a table", `${invalid}; ${rejected}`, timestreamQuotas),
  dimensionName: limit(60, "bytes", "name of a dimension", rejected, timestreamQuotas),
  dimensionBytes: limit(2_048, "bytes", "names and values of a record's dimensions", rejected, timestreamQuotas),
  measureName: limit(256, "bytes", "name of a measure", rejected, timestreamQuotas),
  measureValue: limit(2_048, "bytes", "value of a measure", rejected, timestreamQuotas),
  measuresPerRecord: limit(256, "", "measures of a multi-measure record", rejected, timestreamQuotas),
  measures: limit(8_192, "", "measure names of a table", rejected, timestreamQuotas),
  attributes: limit(
    1_024,
    "",
    "different measures in the multi-measure records of a table",
    rejected,
    timestreamQuotas,
  ),
  ahead: limit(900_000, "ms", "time of a record ahead of now", rejected, timestreamQuotas),
  memoryRetention: range(1, 8_766, "hours", "time in the memory store", invalid, timestreamQuotas),
  magneticRetention: range(
    1,
    73_000,
    "",
    "days in the magnetic store",
    `${invalid}; then records are gone`,
    timestreamQuotas,
  ),
  databases: limit(500, "", "databases of an account in a region", quotaExceeded, timestreamQuotas),
  name: range(3, 256, "characters", "name of a database or a table", invalid, timestreamQuotas),
  tags: limit(200, "", "tags of a resource", quotaExceeded, timestreamQuotas),
  query: limit(262_144, "characters", "text of a query", invalid, timestreamQuotas),
} as const;
