import type { EventSourceMappingConfiguration, EventSourcePosition } from "@aws-sdk/client-lambda";
import type { Identity } from "../../../core/access/identity";
import { type Arn, parseArn } from "../../../core/arn";
import { AwsError, notEmulated } from "../../../core/errors";
import { endsOf, limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { invalidParameter, streamForbidden } from "../errors";
import { check } from "../names";
import type { FunctionRecord } from "../state";
import type { MappingSettings } from "./mapping";
import { isDenied } from "./source-role";
import type { StreamKind } from "./stream-kind";

/** Settings that only queues and brokers have. */
const foreign = [
  "ScalingConfig",
  "Topics",
  "Queues",
  "SourceAccessConfigurations",
  "SelfManagedEventSource",
  "AmazonManagedKafkaEventSourceConfig",
  "SelfManagedKafkaEventSourceConfig",
  "DocumentDBEventSourceConfig",
] as const satisfies readonly (keyof MappingSettings)[];

/** A mapping with the retention of the stream as its only limit. */
const unlimited = -1;
const { least: shortestAge, value: longestAge } = limits.lambda.streamRecordAge;
const destinationServices = ["sqs", "sns", "s3"];

/**
 * Refuses settings that streams do not take, in AWS's words; gives what the mapping is to have
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html).
 */
export function checkStreamSettings(
  settings: MappingSettings,
  positions: readonly EventSourcePosition[],
): EventSourceMappingConfiguration {
  check({
    startingPosition: [settings.StartingPosition, { oneOf: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"] }],
    batchSize: [settings.BatchSize, { range: endsOf(limits.lambda.batch) }],
    maximumBatchingWindowInSeconds: [
      settings.MaximumBatchingWindowInSeconds,
      { range: endsOf(limits.lambda.batchWindow) },
    ],
    parallelizationFactor: [settings.ParallelizationFactor, { range: endsOf(limits.lambda.parallelization) }],
    maximumRetryAttempts: [settings.MaximumRetryAttempts, { range: endsOf(limits.lambda.streamRetries) }],
    maximumRecordAgeInSeconds: [settings.MaximumRecordAgeInSeconds, { range: [unlimited, longestAge] }],
    tumblingWindowInSeconds: [settings.TumblingWindowInSeconds, { range: [0, 900] }],
  });
  const unsupported = foreign.find((name) => settings[name] !== undefined);
  if (unsupported) {
    throw invalidParameter(`Unsupported ${unsupported} parameter for given event source mapping type.`);
  }
  if (settings.ProvisionedPollerConfig) {
    throw notEmulated("lambda", "CreateEventSourceMapping", "ProvisionedPollerConfig");
  }
  if (settings.TumblingWindowInSeconds) {
    throw notEmulated("lambda", "CreateEventSourceMapping", "TumblingWindowInSeconds: windows with a state");
  }
  checkPosition(settings, positions);
  const age = settings.MaximumRecordAgeInSeconds ?? unlimited;
  if (age !== unlimited && age < shortestAge) {
    throw invalidParameter(
      `MaximumRecordAgeInSeconds must be ${unlimited} (no limit), or from ${shortestAge} to ${longestAge}; it is ${age}.`,
    );
  }
  return {
    StartingPosition: settings.StartingPosition,
    StartingPositionTimestamp: settings.StartingPositionTimestamp,
    BatchSize: settings.BatchSize ?? 100,
    MaximumBatchingWindowInSeconds: settings.MaximumBatchingWindowInSeconds ?? 0,
    ParallelizationFactor: settings.ParallelizationFactor ?? 1,
    BisectBatchOnFunctionError: settings.BisectBatchOnFunctionError ?? false,
    MaximumRetryAttempts: settings.MaximumRetryAttempts ?? unlimited,
    MaximumRecordAgeInSeconds: age,
    TumblingWindowInSeconds: 0,
    DestinationConfig: checkedDestination(settings),
  };
}

function checkPosition(settings: MappingSettings, positions: readonly EventSourcePosition[]): void {
  const { StartingPosition: position, StartingPositionTimestamp: timestamp } = settings;
  if (position === undefined) {
    throw invalidParameter(
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    );
  }
  if (!positions.includes(position)) {
    throw invalidParameter(`Unsupported starting position ${position} for given event source mapping type.`);
  }
  if (position === "AT_TIMESTAMP" && timestamp === undefined) {
    throw invalidParameter("StartingPositionTimestamp must be specified when StartingPosition is AT_TIMESTAMP.");
  }
  if (position !== "AT_TIMESTAMP" && timestamp !== undefined) {
    throw invalidParameter(`StartingPositionTimestamp cannot be specified when StartingPosition is ${position}.`);
  }
}

function checkedDestination({ DestinationConfig }: MappingSettings) {
  if (DestinationConfig?.OnSuccess?.Destination) {
    throw invalidParameter("Unsupported OnSuccess destination for given event source mapping type.");
  }
  const destination = DestinationConfig?.OnFailure?.Destination;
  if (!destination) return { OnFailure: {} };
  check({
    "destinationConfig.onFailure.destination": [
      destination,
      { length: [0, 350], pattern: /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:([a-z0-9-]*)?:(\d{12})?:(.*)$/ },
    ],
  });
  const service = destination.split(":")[2]!;
  if (!destinationServices.includes(service)) {
    throw notEmulated(
      "lambda",
      "CreateEventSourceMapping",
      `a destination in ${service}; it has ${destinationServices.join(", ")}`,
    );
  }
  return { OnFailure: { Destination: destination } };
}

/** Refuses a stream that the function cannot reach: one of another region, or, though AWS lets it, of another account. */
export function checkReach(source: Arn & { readonly text: string }, { arn }: FunctionRecord): void {
  const own = parseArn(arn);
  if (source.region !== own?.region) throw invalidParameter(`Stream not found: ${source.text}`);
  if (source.account === own.account) return;
  throw notEmulated("lambda", "CreateEventSourceMapping", `a stream of another account, ${source.account}`);
}

/**
 * Refuses a role that may not read a stream. The message names ListStreams, too, which knows no resource and is not asked
 * about: roles without it work on AWS.
 *
 * @param actions in AWS's order.
 */
export async function checkStreamAccess(
  { open }: Pick<StreamKind<unknown>, "open">,
  host: Host,
  arn: string,
  reader: Identity,
  actions: string,
): Promise<void> {
  try {
    (await open(host, arn, reader)).demand();
  } catch (error) {
    if (!(error instanceof AwsError && isDenied(error))) throw error;
    throw streamForbidden(arn, actions);
  }
}

/** Runs what needs the stream, and says in Lambda's words that it is not there. */
export async function orStreamNotFound<T>(arn: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidParameter(`Stream not found: ${arn}`);
  }
}
