import type { PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { AwsError } from "../../core/errors";
import { lostEntries } from "../../core/faults/partial";
import { limits } from "../../core/limits";
import { toBuffer } from "../../core/protocols/json";
import { check, hashKeyPattern, sequenceNumberPattern } from "./checks";
import { dryRun, invalidArgument, throughputExceeded, validation } from "./errors";
import { type HashKey, hashOfPartitionKey, readExplicitHashKey } from "./hash-keys";
import { type Arrival, readSequenceNumber, type Shard } from "./shard";
import type { KinesisOperations, Store } from "./store";
import type { Stream } from "./stream";

const mostRecords = limits.kinesis.putRecords.value;
/** Bytes of data and partition keys in one PutRecords. */
const mostBytes = limits.kinesis.putBytes.value;

/** A record that has been checked. */
interface Checked {
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly hashKey: HashKey;
  readonly size: number;
}

/** Puts records into streams. */
export const putOperations = (store: Store): KinesisOperations => ({
  PutRecord(input, context) {
    checkMembers(input, "");
    check({ sequenceNumberForOrdering: [input.SequenceNumberForOrdering, { pattern: sequenceNumberPattern }] });
    const stream = store.find(input, context);
    const record = checked(stream, input);
    checkOrdering(stream, input.SequenceNumberForOrdering, store.clock.now());
    if (input.DryRun) throw dryRun();
    const put = append(store, stream, record, arrival(store));
    stream.changed(put.ShardId);
    return { ...put, EncryptionType: encryption(stream) };
  },

  PutRecords(input, context) {
    const { Records } = input;
    check({ records: [Records, { required: true, length: [1, mostRecords] }] });
    for (const [index, entry] of Records!.entries()) checkMembers(entry, `records.${index + 1}.member.`);
    const stream = store.find(input, context);
    const records = Records!.map((entry) => checked(stream, entry));
    const bytes = records.reduce((sum, { size }) => sum + size, 0);
    if (bytes > mostBytes) {
      throw invalidArgument(
        `Records size exceeds ${mostBytes / 1024 / 1024} MB limit: the request has ${bytes} bytes.`,
      );
    }
    if (input.DryRun) throw dryRun();
    const now = arrival(store);
    let failed = 0;
    const shards = new Set<string>();
    const lost = lostEntries(
      context,
      records.map(() => stream.arn),
    );
    const results = records.map((record, index) => {
      try {
        const error = lost.errorOf(index, () => tooMuch(stream, stream.shardFor(record.hashKey)));
        if (error) throw error;
        const put = append(store, stream, record, now);
        shards.add(put.ShardId);
        return put;
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        failed++;
        return { ErrorCode: error.code, ErrorMessage: error.message };
      }
    });
    for (const shard of shards) stream.changed(shard);
    return { FailedRecordCount: failed, Records: results, EncryptionType: encryption(stream) };
  },
});

/** Puts one record for another service. */
export function putRecord(
  store: Store,
  stream: Stream,
  entry: Pick<PutRecordsRequestEntry, "Data" | "PartitionKey" | "ExplicitHashKey">,
): { ShardId: string; SequenceNumber: string } {
  checkMembers(entry, "");
  const put = append(store, stream, checked(stream, entry), arrival(store));
  stream.changed(put.ShardId);
  return put;
}

function checkMembers({ Data, PartitionKey, ExplicitHashKey }: Partial<PutRecordsRequestEntry>, path: string): void {
  // Most records are right: say so without building anything.
  if (Data && PartitionKey && PartitionKey.length <= limits.kinesis.partitionKey.value && ExplicitHashKey === undefined)
    return;
  check({
    [`${path}data`]: [Data, { required: true }],
    [`${path}partitionKey`]: [PartitionKey, { required: true, length: [1, limits.kinesis.partitionKey.value] }],
    [`${path}explicitHashKey`]: [ExplicitHashKey, { pattern: hashKeyPattern }],
  });
}

function checked(stream: Stream, { Data, PartitionKey, ExplicitHashKey }: Partial<PutRecordsRequestEntry>): Checked {
  const data = toBuffer(Data);
  const partitionKey = PartitionKey!;
  const size = data.length + Buffer.byteLength(partitionKey);
  const limit = stream.maxRecordKiB * 1024;
  if (size > limit) {
    throw validation(
      `1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to ${limit} together with its partition key; it has ${size}`,
    );
  }
  const hashKey =
    ExplicitHashKey === undefined ? hashOfPartitionKey(partitionKey) : readExplicitHashKey(ExplicitHashKey);
  return { partitionKey, data, size, hashKey };
}

const arrival = ({ clock, host }: Store): Arrival => ({ now: clock.now(), causes: host.journal.causes });

function append(store: Store, stream: Stream, { hashKey, partitionKey, data, size }: Checked, at: Arrival) {
  const { now } = at;
  const shard = stream.shardFor(hashKey);
  if (!shard.writes.fits(size, now)) throw tooMuch(stream, shard);
  shard.writes.use(size, now);
  shard.log.trim(stream.horizon(now));
  const SequenceNumber = shard.append(partitionKey, data, size, at, stream.keyId !== undefined);
  store.trimLater(stream);
  return { ShardId: shard.id, SequenceNumber };
}

const tooMuch = ({ name, scope }: Stream, { id }: Shard) => throughputExceeded(id, name, scope.account);

/** Numbers grow with every record here, so all that is left to do is refuse what is not a number of this stream. */
function checkOrdering(stream: Stream, number: string | undefined, now: number): void {
  if (number === undefined) return;
  const parts = readSequenceNumber(number);
  if (parts && parts.time <= now && parts.created >= stream.created) return;
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream ${stream.name} under account ${stream.scope.account} is invalid.`,
  );
}

const encryption = ({ keyId }: Stream) => (keyId === undefined ? undefined : ("KMS" as const));
