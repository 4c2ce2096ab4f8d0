import { limit, range } from "./limit";

const guide = "https://docs.aws.amazon.com/lambda/latest/dg";
const quotas = `${guide}/gettingstarted-limits.html`;
const api = "https://docs.aws.amazon.com/lambda/latest/api";
const mapping = `${api}/API_CreateEventSourceMapping.html`;
const invalid = "`ValidationException`";
const refused = "`InvalidParameterValueException`";

/** Limits of AWS Lambda. */
export const lambda = {
  concurrency: {
    ...limit(
      1_000,
      "",
      "runs of functions at a time, in an account and region",
      "429 `TooManyRequestsException`; events of asynchronous invocations wait",
      quotas,
    ),
    option: "quotas.concurrentExecutions",
  },
  unreservedConcurrency: limit(
    100,
    "",
    "of these, those that are left for functions without reserved concurrency, at least",
    refused,
    `${guide}/configuration-concurrency.html`,
  ),
  requestPayload: limit(
    6 * 1024 * 1024,
    "bytes",
    "event of a synchronous invocation, also behind API Gateway",
    "413 `RequestTooLargeException`",
    quotas,
  ),
  // The number in Lambda's own error message; the page rounds it.
  responsePayload: limit(
    6 * 1024 * 1024 + 100,
    "bytes",
    "answer of a function",
    "function error `Function.ResponseSizeTooLarge`",
    quotas,
  ),
  eventPayload: limit(
    1024 * 1024,
    "bytes",
    "event of an asynchronous invocation",
    "413 `RequestTooLargeException`",
    quotas,
  ),
  clientContext: limit(3_583, "bytes", "`ClientContext` of an invocation", refused, `${api}/API_Invoke.html`),
  timeout: range(
    1,
    900,
    "s",
    "timeout of a function",
    `${invalid} for the setting; function error \`Sandbox.Timedout\``,
    quotas,
  ),
  init: limit(
    10_000,
    "ms",
    "initialization of an environment",
    "function error `Sandbox.Timedout`",
    `${guide}/lambda-runtime-environment.html`,
  ),
  memory: range(
    128,
    10_240,
    "MB",
    "memory of a function",
    `${invalid} for the setting; function error \`Runtime.OutOfMemory\``,
    quotas,
  ),
  ephemeralStorage: range(512, 10_240, "MB", "`EphemeralStorage` of a function", invalid, quotas),
  variables: limit(
    4 * 1024,
    "bytes",
    "environment variables of a function, names and values together",
    refused,
    quotas,
  ),
  zip: limit(
    50 * 1024 * 1024,
    "bytes",
    "package that comes with the request",
    "413 `RequestEntityTooLargeException`",
    quotas,
  ),
  unzipped: limit(262_144_000, "bytes", "package, unpacked", refused, quotas),
  name: limit(64, "characters", "name of a function", invalid, `${api}/API_CreateFunction.html`),
  tags: limit(50, "", "tags of a resource", refused, `${guide}/configuration-tags.html`),
  asyncRetries: range(
    0,
    2,
    "",
    "retries of an asynchronous invocation",
    `${invalid}; then the failure destination`,
    `${guide}/invocation-async-configuring.html`,
  ),
  asyncAge: range(
    60,
    21_600,
    "s",
    "age of an asynchronous event",
    `${invalid}; then the failure destination`,
    `${guide}/invocation-async-configuring.html`,
  ),
  filters: limit(5, "", "filters of an event source mapping", refused, `${guide}/invocation-eventfiltering.html`),
  filterPattern: limit(4_096, "characters", "pattern of a filter", invalid, `${api}/API_Filter.html`),
  batch: range(1, 10_000, "", "records of a batch of an event source; 10 from a FIFO queue", invalid, mapping),
  batchWithoutWindow: limit(10, "", "messages of a queue in a batch, without a batching window", refused, mapping),
  batchWindow: range(0, 300, "s", "batching window", invalid, mapping),
  maximumConcurrency: range(2, 1_000, "", "`MaximumConcurrency` of a queue's mapping", invalid, mapping),
  parallelization: range(1, 10, "", "batches of a shard at a time", invalid, mapping),
  streamRetries: range(-1, 10_000, "", "retries of a batch of a stream; -1 for no limit", invalid, mapping),
  streamRecordAge: range(60, 604_800, "s", "age of a stream's record, where it is limited", invalid, mapping),
} as const;
