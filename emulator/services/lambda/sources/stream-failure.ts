import { randomUUID } from "node:crypto";
import { AwsError } from "../../../core/errors";
import type { Host } from "../../../core/service";
import type { InvocationResult } from "../invoker";
import type { Mapping } from "./mapping";
import type { SourceRole } from "./source-role";
import { type BatchItem, eventOf, type StreamKind } from "./stream-kind";

/** What failure records of one kind of stream look like. */
type FailureShape = Pick<StreamKind<unknown>, "batchInfo" | "time">;

/** Records that a mapping gives up. */
interface Discarded {
  readonly items: readonly BatchItem[];
  readonly shardId: string;
  readonly condition: "RetryAttemptsExhausted" | "RecordAgeExceeded";
  /** Runs of the function. */
  readonly attempts: number;
  /** Of the last run; undefined when the function never ran. */
  readonly result?: InvocationResult;
}

/**
 * Tells the on-failure destination of a mapping which records were given up
 * (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html). A bucket gets the records, too.
 * It is sent as the function's role. A destination that refuses loses the record, as on AWS; here it is also reported.
 */
export async function deliverDiscarded(
  host: Host,
  shape: FailureShape,
  { config, uuid }: Mapping,
  role: SourceRole,
  discarded: Discarded,
): Promise<void> {
  const destination = config.DestinationConfig?.OnFailure?.Destination;
  if (!destination) return;
  const now = new Date(host.clock.now());
  const record = failureRecord(shape, config.EventSourceArn!, config.FunctionArn!, discarded, now);
  const [, , service, , , name = ""] = destination.split(":");
  try {
    const by = role.assume();
    if (service === "sqs") {
      await (await host.bus.to("sqs")).send(destination, { body: JSON.stringify(record) }, by);
    } else if (service === "sns") {
      await (await host.bus.to("sns")).publish(destination, { message: JSON.stringify(record) }, by);
    } else {
      const body = Buffer.from(JSON.stringify({ ...record, payload: eventOf(discarded.items) }));
      const key = s3Key(uuid, discarded.shardId, now);
      await (await host.bus.to("s3")).putObject(name, key, body, { contentType: "application/json", by });
    }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    host.report(error, `event source mapping ${uuid} could not deliver to ${destination}`);
  }
}

/** `aws/lambda/<mapping>/<shard>/2026/11/21/2026-11-21T05.09.30-<random>`, as AWS names these objects. */
function s3Key(uuid: string, shardId: string, now: Date): string {
  const [day = "", time = ""] = now.toISOString().slice(0, 19).split("T");
  const name = `${day}T${time.replaceAll(":", ".")}-${randomUUID()}`;
  return `aws/lambda/${uuid}/${shardId}/${day.replaceAll("-", "/")}/${name}`;
}

function failureRecord(
  shape: FailureShape,
  streamArn: string,
  functionArn: string,
  { items, shardId, condition, attempts, result }: Discarded,
  now: Date,
): object {
  const [first, last] = [items[0]!, items.at(-1)!];
  return {
    requestContext: {
      requestId: result?.requestId ?? randomUUID(),
      functionArn,
      condition,
      approximateInvokeCount: attempts,
    },
    ...(result && {
      responseContext: {
        statusCode: 200,
        executedVersion: result.executedVersion,
        ...(result.errorType !== undefined && { functionError: "Unhandled" }),
      },
    }),
    version: "1.0",
    timestamp: now.toISOString(),
    [shape.batchInfo]: {
      shardId,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: last.sequenceNumber,
      approximateArrivalOfFirstRecord: shape.time(first.arrival),
      approximateArrivalOfLastRecord: shape.time(last.arrival),
      batchSize: items.length,
      streamArn,
    },
  };
}
