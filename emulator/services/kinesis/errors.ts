import { AwsError } from "../../core/errors";

/** Front-end checks of member lengths and patterns answer with this code. */
export const constraintCode = "ValidationException";

export const invalidArgument = (message: string) => new AwsError("InvalidArgumentException", message);

export const validation = (message: string) => new AwsError("ValidationException", message);

export const limitExceeded = (message: string) => new AwsError("LimitExceededException", message);

export const accessDenied = (message: string) => new AwsError("AccessDeniedException", message);

const notFound = (message: string) => new AwsError("ResourceNotFoundException", message);

const inUse = (message: string) => new AwsError("ResourceInUseException", message);

export const streamNotFound = (stream: string, account: string) =>
  notFound(`Stream ${stream} under account ${account} not found.`);

export const streamExists = (stream: string, account: string) =>
  inUse(`Stream ${stream} under account ${account} already exists.`);

export const streamHasConsumers = (stream: string, account: string) =>
  inUse(
    `Stream ${stream} under account ${account} has registered consumers. Deregister them first or set EnforceConsumerDeletion.`,
  );

/** @param shard as the request names it. */
export const shardNotFound = (shard: string, stream: string, account: string) =>
  notFound(`Could not find shard ${shard} in stream ${stream} under account ${account}.`);

export const shardDoesNotExist = (shard: string, stream: string, account: string) =>
  notFound(`Shard ${shard} in stream ${stream} under account ${account} does not exist`);

export const shardClosed = (shard: string, stream: string, account: string) =>
  inUse(
    `Shard ${shard} in stream ${stream} under account ${account} is not open: it has been split or merged already.`,
  );

export const throughputExceeded = (shard: string, stream: string, account: string) =>
  new AwsError(
    "ProvisionedThroughputExceededException",
    `Rate exceeded for shard ${shard} in stream ${stream} under account ${account}.`,
  );

export const invalidIterator = () => invalidArgument("Invalid ShardIterator.");

/** The date in the words of AWS's message: `Thu Jan 22 01:22:02 UTC 2015`. */
function javaDate(time: number): string {
  const [weekday, day, month, year, clock] = new Date(time).toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${day} ${clock} UTC ${year}`;
}

export const expiredIterator = (created: number, now: number, life: number) =>
  new AwsError(
    "ExpiredIteratorException",
    `Iterator expired. The iterator was created at time ${javaDate(created)} while right now it is ${javaDate(now)} which is further in the future than the tolerated delay of ${life} milliseconds.`,
  );

export const invalidToken = () => invalidArgument("Invalid NextToken.");

export const expiredToken = () => new AwsError("ExpiredNextTokenException", "NextToken has expired.");

export const consumerNotFound = (name: string) => notFound(`Consumer ${name} not found.`);

export const consumerExists = (name: string, stream: string, account: string) =>
  inUse(`Consumer ${name} under stream ${stream} already exists for account ${account}.`);

export const subscribedAlready = (consumer: string, shard: string) =>
  inUse(`Another active subscription exists for this consumer: ${consumer} and shard: ${shard}.`);

export const policyNotFound = (arn: string) => notFound(`No resource policy found for resource ARN ${arn}.`);

export const onDemandOnly = (operation: string, stream: string) =>
  validation(
    `${operation} is not supported for the on-demand stream ${stream}: it is for streams with the provisioned capacity mode.`,
  );

/** What a request with DryRun gets that would have worked. */
export const dryRun = () =>
  new AwsError("DryRunOperationException", "Request would have succeeded, but the DryRun flag is set.");
