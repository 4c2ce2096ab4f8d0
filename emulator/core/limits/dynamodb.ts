import { limit, range } from "./limit";

const guide = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide";
const api = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference";
const constraints = `${guide}/Constraints.html`;
const quotas = `${guide}/ServiceQuotas.html`;
const partitions = `${guide}/bp-partition-key-design.html`;
const transactions = `${guide}/transaction-apis.html`;
const invalid = "`ValidationException`";
const throttled =
  "`ProvisionedThroughputExceededException`, `ThrottlingException` where capacity is on demand; `UnprocessedItems` of a batch";

/** Limits of Amazon DynamoDB and its streams. */
export const dynamodb = {
  item: limit(400 * 1024, "bytes", "an item, with the names of its attributes", invalid, constraints),
  hashKey: limit(2_048, "bytes", "partition key", invalid, constraints),
  sortKey: limit(1_024, "bytes", "sort key", invalid, constraints),
  nesting: limit(32, "levels", "depth of an attribute, and of a path", invalid, constraints),
  digits: limit(38, "digits", "precision of a number", invalid, constraints),
  writeBatch: limit(25, "", "requests of `BatchWriteItem`", invalid, `${api}/API_BatchWriteItem.html`),
  readBatch: limit(100, "", "keys of `BatchGetItem`", invalid, `${api}/API_BatchGetItem.html`),
  batchSize: limit(
    16 * 1024 * 1024,
    "bytes",
    "the answer of a `BatchGetItem`; the 25 items of a `BatchWriteItem` stay below it",
    "`UnprocessedKeys`",
    constraints,
  ),
  page: limit(1024 * 1024, "bytes", "a page of `Query` and `Scan`", "`LastEvaluatedKey`", constraints),
  transactionActions: limit(100, "", "actions of a transaction", invalid, transactions),
  transactionSize: limit(4 * 1024 * 1024, "bytes", "items of a transaction", invalid, transactions),
  transactionToken: limit(
    600_000,
    "ms",
    "time in which a transaction is known again by its token",
    "it is done once more",
    transactions,
  ),
  expression: limit(4 * 1024, "bytes", "an expression", invalid, constraints),
  operators: limit(300, "", "operators and functions of an expression", invalid, constraints),
  inOperands: limit(100, "", "operands of `IN`", invalid, constraints),
  partitionWrites: limit(1_000, "a second", "write units of one partition key", throttled, partitions),
  partitionReads: limit(3_000, "a second", "read units of one partition key", throttled, partitions),
  burst: limit(
    300,
    "s",
    "provisioned capacity that was not used and may be used later",
    throttled,
    `${guide}/burst-adaptive-capacity.html`,
  ),
  globalIndexes: limit(20, "", "global secondary indexes of a table", invalid, quotas),
  localIndexes: limit(5, "", "local secondary indexes of a table", invalid, constraints),
  projected: limit(100, "", "attributes that the indexes of a table project by name", invalid, constraints),
  tableName: range(3, 255, "characters", "name of a table or an index", invalid, constraints),
  tags: limit(50, "", "tags of a table", invalid, `${guide}/Tagging.html`),
  expiryPast: limit(
    5 * 365 * 86_400,
    "s",
    "time since an item expired",
    "it is not deleted any more",
    `${guide}/time-to-live-ttl-before-you-start.html`,
  ),
  streamRetention: limit(
    86_400_000,
    "ms",
    "time that a stream keeps records",
    "`TrimmedDataAccessException`",
    `${guide}/Streams.html`,
  ),
  streamRecords: limit(1_000, "", "records of `GetRecords` of a stream", invalid, `${api}/API_streams_GetRecords.html`),
  streamBytes: limit(
    1024 * 1024,
    "bytes",
    "the same",
    "the rest with the next call",
    `${api}/API_streams_GetRecords.html`,
  ),
  streamIterator: limit(
    900_000,
    "ms",
    "life of a stream's iterator",
    "`ExpiredIteratorException`",
    `${api}/API_streams_GetShardIterator.html`,
  ),
} as const;
