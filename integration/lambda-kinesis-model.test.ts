import { DeleteEventSourceMappingCommand, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { settings } from "./harness/emulator";
import type { RemoteRun } from "./harness/remote-function";
import { consumer, dataOf, useStreamFunction } from "./harness/stream-function";

const { emulator, remote, kinesis, aws, connect } = useStreamFunction();
let s3: S3Client;
beforeAll(() => {
  s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
});

type Step = "split" | "merge" | "restart" | { put: string };
type Ending = "ok" | "throw" | "crash" | { reportFrom: number };

interface Plan {
  readonly steps: readonly Step[];
  /** How the runs end, one after the other; those that are left end well. */
  readonly endings: readonly Ending[];
  readonly batch: number;
  readonly lanes: number;
  readonly retries: number;
  readonly bisect: boolean;
  /** Whether runs end while records still come, or only after the last one. */
  readonly eager: boolean;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ put: fc.constantFrom("a", "b", "c", "d", "e") }) },
      { weight: 1, arbitrary: fc.constantFrom<Step>("split", "merge", "restart") },
    ),
    { minLength: 1, maxLength: 25 },
  ),
  endings: fc.array(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant<Ending>("ok") },
      { weight: 20, arbitrary: fc.constant<Ending>("throw") },
      { weight: 20, arbitrary: fc.record({ reportFrom: fc.nat(4) }) },
      // A new environment takes a while to start.
      { weight: 1, arbitrary: fc.constant<Ending>("crash") },
    ),
    { maxLength: 25 },
  ),
  batch: fc.integer({ min: 1, max: 4 }),
  lanes: fc.constantFrom(1, 3),
  retries: fc.integer({ min: 0, max: 2 }),
  bisect: fc.boolean(),
  eager: fc.boolean(),
});

interface KinesisEvent {
  Records: { kinesis: { data: string; sequenceNumber: string } }[];
}

/** Ends runs as planned, and notes what the function has processed, in order. */
async function drive(stream: string, endings: readonly Ending[], processed: string[], over: AbortSignal) {
  const left = [...endings];
  const end = (run: RemoteRun) => {
    const data = dataOf(run);
    const ending = left.shift() ?? "ok";
    if (ending === "throw") return run.fail("planned");
    if (ending === "crash") return run.crash();
    const from = ending === "ok" ? data.length : Math.min(ending.reportFrom, data.length);
    processed.push(...data.slice(0, from));
    const failed = run.event.Records.slice(from, from + 1) as KinesisEvent["Records"];
    run.succeed({ batchItemFailures: failed.map(({ kinesis: k }) => ({ itemIdentifier: k.sequenceNumber })) });
  };
  while (!over.aborted) end(await remote.next(stream));
}

/** Looks up which records a mapping gave up. */
function makeGivenUp(Bucket: string): () => Promise<string[]> {
  const seen = new Map<string, string[]>();
  return async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) {
      if (seen.has(Key!)) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      seen.set(Key!, dataOf({ event: JSON.parse(JSON.parse(await Body!.transformToString()).payload) }));
    }
    return [...seen.values()].flat();
  };
}

let counter = 0;

it("hands every record over at least once, each key in order, and skips only what went to the on-failure destination (property)", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ steps, endings, batch, lanes, retries, bisect, eager }) => {
      const stream = `stream-${++counter}`;
      await kinesis.stream({ StreamName: stream, ShardCount: 2 });
      await s3.send(new CreateBucketCommand({ Bucket: stream }));
      const { lambda } = aws();
      const UUID = await connect(stream, consumer, {
        BatchSize: batch,
        ParallelizationFactor: lanes,
        MaximumRetryAttempts: retries,
        BisectBatchOnFunctionError: bisect,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        DestinationConfig: { OnFailure: { Destination: `arn:aws:s3:::${stream}` } },
      });
      const over = new AbortController();
      const processed: string[] = [];
      if (eager) void drive(stream, endings, processed, over.signal);

      const sent: string[] = [];
      for (const [number, step] of steps.entries()) {
        if (typeof step === "object") {
          const data = `${step.put}:${String(number).padStart(2, "0")}`;
          await kinesis.put(stream, data, step.put);
          sent.push(data);
        } else if (step === "restart") {
          await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
          await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
        } else {
          const open = (await kinesis.openShards(stream)).toSorted((a, b) =>
            BigInt(a.HashKeyRange!.StartingHashKey!) < BigInt(b.HashKeyRange!.StartingHashKey!) ? -1 : 1,
          );
          const at = number % open.length;
          if (step === "split") await kinesis.split(stream, open[at]!);
          else if (open[at + 1]) await kinesis.merge(stream, open[at]!, open[at + 1]!);
        }
      }
      if (!eager) void drive(stream, endings, processed, over.signal);
      const givenUp = makeGivenUp(stream);
      const missing = async () => {
        await emulator.current.clock.advance("1 minute");
        const done = new Set([...processed, ...(await givenUp())]);
        return sent.filter((data) => !done.has(data));
      };
      await expect.poll(missing, { interval: 2, timeout: 10_000 }).toEqual([]);
      over.abort();
      await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));

      const firsts = [...new Set(processed)];
      for (const key of ["a", "b", "c", "d", "e"]) {
        const ofKey = firsts.filter((data) => data.startsWith(`${key}:`));
        expect(ofKey).toEqual(ofKey.toSorted());
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);
