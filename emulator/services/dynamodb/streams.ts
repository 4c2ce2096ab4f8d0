import { randomBytes, randomUUID } from "node:crypto";
import type { StreamViewType } from "@aws-sdk/client-dynamodb";
import type { Authorizer } from "../../core/access/authorizer";
import type { Ports, TableRecord, TableStream } from "../../core/bus";
import { guardedReader } from "../../core/guarded-reader";
import type { Causes } from "../../core/journal/entry";
import type { Journal } from "../../core/journal/journal";
import { limits } from "../../core/limits";
import { type Scope, Scoped } from "../../core/service";
import { type LogRecord, ShardLog } from "../../core/shard-log";
import type { StreamReader } from "../../core/stream-reader";
import { accessDenied, resourceNotFound } from "./errors";
import type { Change, Table } from "./table";
import { itemSize, member } from "./values";

/** Records stay for 24 hours, those of a stream that is off by now, too (developer guide, "DynamoDB Streams"). */
const retention = limits.dynamodb.streamRetention.value;

interface LoggedRecord extends LogRecord {
  readonly key: string;
  readonly causes?: Causes;
  readonly detail: TableRecord;
}

/** 21 digits that grow with each change. */
const sequenceNumber = (count: number): string => `1${String(count).padStart(20, "0")}`;

/**
 * The changes of one table from the switching on of its stream to its switching off. They are in one shard, in the order
 * in which they happened; AWS has a shard for each partition and new ones every few hours.
 */
class Recording implements TableStream {
  readonly arn: string;
  readonly tableName: string;
  readonly keySchema: Table["keySchema"];
  readonly shardId: string;
  readonly reader: StreamReader<TableRecord>;
  /** When it was switched off, in milliseconds since the epoch. */
  ended?: number;
  private readonly log = new ShardLog<LoggedRecord>();
  private readonly watchers = new Set<(shardId?: string) => void>();
  private readonly region: string;
  private count = 0;
  private gone = false;

  constructor(
    table: Table,
    readonly label: string,
    readonly viewType: StreamViewType,
    readonly created: number,
    private readonly now: () => number,
  ) {
    this.arn = `${table.arn}/stream/${label}`;
    this.tableName = table.name;
    this.keySchema = table.keySchema;
    this.region = table.scope.region;
    this.shardId = `shardId-${String(created).padStart(20, "0")}-${randomBytes(4).toString("hex")}`;
    this.reader = this.makeReader();
  }

  get enabled(): boolean {
    return this.ended === undefined;
  }

  get firstSequenceNumber(): string {
    return sequenceNumber(0);
  }

  get lastSequenceNumber(): string | undefined {
    return this.enabled ? undefined : sequenceNumber(this.count);
  }

  /** Whether nothing of it is left to read. */
  get over(): boolean {
    return this.ended !== undefined && this.ended < this.now() - retention;
  }

  positionOf(number: string): number {
    return this.log.positionOf(number);
  }

  sequenceNumberAt(position: number): string | undefined {
    return this.log.at(position)?.sequenceNumber;
  }

  /** @param causes what the change came of, for the journal. */
  record(change: Change, causes: Causes | undefined): void {
    const number = sequenceNumber(++this.count);
    const arrival = this.now();
    const withNew = this.viewType === "NEW_IMAGE" || this.viewType === "NEW_AND_OLD_IMAGES";
    const withOld = this.viewType === "OLD_IMAGE" || this.viewType === "NEW_AND_OLD_IMAGES";
    const NewImage = withNew ? change.newImage : undefined;
    const OldImage = withOld ? change.oldImage : undefined;
    const size = itemSize(change.keys) + (NewImage ? itemSize(NewImage) : 0) + (OldImage ? itemSize(OldImage) : 0);
    this.log.trim(arrival - retention);
    this.log.append({
      sequenceNumber: number,
      arrival,
      size,
      causes,
      key: JSON.stringify(member(change.keys, this.keySchema[0]!.AttributeName!)),
      detail: {
        eventID: randomUUID().replaceAll("-", ""),
        eventName: change.event,
        eventVersion: "1.1",
        eventSource: "aws:dynamodb",
        awsRegion: this.region,
        dynamodb: {
          // Whole seconds, as on AWS.
          ApproximateCreationDateTime: new Date(Math.floor(arrival / 1000) * 1000),
          Keys: change.keys,
          NewImage,
          OldImage,
          SequenceNumber: number,
          SizeBytes: size,
          StreamViewType: this.viewType,
        },
        // How a consumer tells a deletion by time to live from one by a request (developer guide, "DynamoDB Streams and TTL").
        ...(change.expired && { userIdentity: { Type: "Service", PrincipalId: "dynamodb.amazonaws.com" } }),
      },
    });
    for (const watcher of this.watchers) watcher(this.shardId);
  }

  end(): void {
    this.ended ??= this.now();
    for (const watcher of this.watchers) watcher();
  }

  /** Leaves nothing to read. */
  forget(): void {
    this.gone = true;
    this.end();
  }

  private makeReader(): StreamReader<TableRecord> {
    const fresh = () => {
      if (this.gone || this.over) throw streamNotFound(this.arn);
      this.log.trim(this.now() - retention);
      return this.log;
    };
    return {
      id: this.arn,
      demand() {},
      shards: () => {
        fresh();
        return [{ id: this.shardId, parents: [] }];
      },
      position(_shard, { type, timestamp = 0 }) {
        const log = fresh();
        if (type === "TRIM_HORIZON") return log.start;
        return type === "LATEST" ? log.end : log.positionAt(timestamp);
      },
      read: (_shard, position, limit) => {
        const log = fresh();
        const { records, next } = log.read(position, limit);
        return {
          records: records.map((record, index) => ({ ...record, position: next - records.length + index })),
          next,
          ended: !this.enabled && next === log.end,
        };
      },
      watch: (listener) => {
        this.watchers.add(listener);
        return () => this.watchers.delete(listener);
      },
    };
  }
}

const streamNotFound = (arn: string) => resourceNotFound(`Stream: ${arn} not found`);

/** The streams of all tables, and what is left of those that were switched off. */
export class TableStreams {
  private readonly regions = new Scoped(() => new Map<string, Recording>());
  /** What ends the recording of a table. */
  private readonly recording = new WeakMap<Table, { readonly stream: Recording; stop(): void }>();

  constructor(
    private readonly now: () => number,
    private readonly access: Authorizer,
    private readonly journal: Journal,
  ) {}

  /** Begins or ends to record the changes of a table, as its settings now say. */
  follow(table: Table): void {
    const wanted = table.settings.stream;
    const current = this.recording.get(table);
    if (current?.stream.label === wanted?.label) return;
    this.end(table);
    if (!wanted) return;
    const stream = new Recording(table, wanted.label, wanted.StreamViewType!, this.now(), this.now);
    const stop = table.observe((change) => stream.record(change, this.journal.causes));
    this.recording.set(table, { stream, stop });
    table.latestStreamLabel = stream.label;
    this.regions.of(table.scope).set(stream.arn, stream);
  }

  /** Ends the stream of a table. What is in it can be read for a day. */
  end(table: Table): void {
    const current = this.recording.get(table);
    if (!current) return;
    current.stop();
    current.stream.end();
    this.recording.delete(table);
  }

  clear(): void {
    for (const streams of this.regions.all()) for (const stream of streams.values()) stream.forget();
    this.regions.clear();
  }

  /** What the streams' own service and Lambda event sources ask for. */
  readonly port: Ports["dynamodbStreams"] = {
    list: async (scope, tableName) =>
      this.kept(scope).filter((stream) => tableName === undefined || stream.tableName === tableName),
    find: async (arn) => this.find(arn),
    open: async (arn, by) => {
      const { reader } = this.find(arn);
      if (!by) return reader;
      return guardedReader(reader, (step) =>
        this.access.demand(by, { action: `dynamodb:${step}`, resource: arn }, accessDenied),
      );
    },
  };

  private find(arn: string): Recording {
    const [, , , region = "", account = ""] = arn.split(":");
    const stream = this.kept({ region, account }).find((one) => one.arn === arn);
    if (!stream) throw streamNotFound(arn);
    return stream;
  }

  private kept(scope: Scope): Recording[] {
    const streams = this.regions.of(scope);
    for (const [arn, stream] of streams) if (stream.over) streams.delete(arn);
    return [...streams.values()];
  }
}
