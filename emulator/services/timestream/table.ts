import type {
  MagneticStoreWriteProperties,
  RejectedRecord,
  RetentionProperties,
  Schema,
  Table as TableDescription,
} from "@aws-sdk/client-timestream-write";
import { formatArn } from "../../core/arn";
import type { TimestreamColumn, TimestreamRow, TimestreamScalar } from "../../core/bus";
import type { Clock } from "../../core/clock";
import { limits } from "../../core/limits";
import type { Scope } from "../../core/service";
import type { ReadRecord } from "./record";

const hour = 3_600_000;
const day = 24 * hour;
/** Time may be this far ahead. */
const ahead = limits.timestream.ahead.value;

/** The most measure names of a table, and the most attributes of its multi-measure records. */
const mostMeasures = limits.timestream.measures.value;
const mostAttributes = limits.timestream.attributes.value;
const mostDimensions = limits.timestream.dimensions.value;

const nanoseconds = (milliseconds: number): bigint => BigInt(Math.trunc(milliseconds)) * 1_000_000n;

interface Stored extends TimestreamRow {
  readonly version: number;
}

/** Where a record went, or why it went nowhere. */
type Outcome = { store: "memory" | "magnetic" } | Omit<RejectedRecord, "RecordIndex">;

/** A table: its settings, and its records by series, measure and time. */
export class Table {
  readonly arn: string;
  readonly tags = new Map<string, string>();
  readonly created: number;
  updated: number;
  private readonly rows = new Map<string, Stored>();
  private readonly dimensions = new Set<string>();
  /** The types that measures of records with one value have, by measure name; MULTI for those with several. */
  private readonly measures = new Map<string, TimestreamScalar | "MULTI">();
  /** The types of the values of multi-measure records, by their names. */
  private readonly attributes = new Map<string, TimestreamScalar>();

  constructor(
    scope: Scope,
    readonly database: string,
    readonly name: string,
    public retention: Required<RetentionProperties>,
    public magnetic: MagneticStoreWriteProperties,
    public schema: Schema,
    private readonly clock: Clock,
  ) {
    this.arn = formatArn("timestream", scope.region, scope.account, `database/${database}/table/${name}`);
    this.created = this.updated = clock.now();
  }

  describe(): TableDescription {
    return {
      Arn: this.arn,
      TableName: this.name,
      DatabaseName: this.database,
      TableStatus: "ACTIVE",
      RetentionProperties: this.retention,
      CreationTime: new Date(this.created),
      LastUpdatedTime: new Date(this.updated),
      MagneticStoreWriteProperties: this.magnetic,
      Schema: this.schema,
    };
  }

  /** Writes a record, unless something speaks against it. */
  write(record: ReadRecord): Outcome {
    const store = this.storeOf(record.time);
    if ("Reason" in store) return store;
    const existing = this.rows.get(record.key);
    const values = JSON.stringify([...record.values]);
    if (existing && record.version <= existing.version) {
      if (record.version < existing.version) {
        return {
          Reason: `The record version ${record.version} is lower than the existing version ${existing.version}. A higher version is required to update the measure value.`,
          ExistingVersion: existing.version,
        };
      }
      if (values === JSON.stringify([...existing.values])) return store;
      return {
        Reason:
          "A record already exists with the same time, dimensions, measure name, and record version. A higher record version must be specified in order to update the measure value. Specifying record version is supported by the latest SDKs.",
        ExistingVersion: existing.version,
      };
    }
    const problem = this.conflict(record) ?? this.partitionProblem(record);
    if (problem) return { Reason: problem };
    for (const name of record.dimensions.keys()) this.dimensions.add(name);
    this.measures.set(record.measureName, record.multi ? "MULTI" : record.values.get("")!.type);
    if (record.multi) for (const [name, { type }] of record.values) this.attributes.set(name, type);
    const { time, dimensions, measureName, multi, values: kept, version } = record;
    this.rows.set(record.key, { time, dimensions, measureName, multi, values: kept, version });
    return store;
  }

  /** The store that takes a time. */
  private storeOf(time: bigint): Outcome {
    const now = this.clock.now();
    const { memory, magnetic } = this.kept();
    const late = this.magnetic.EnableMagneticStoreWrites ?? false;
    const [oldest, latest] = [now - (late ? magnetic : memory), now + ahead];
    if (time < nanoseconds(oldest) || time > nanoseconds(latest)) {
      const range = [oldest, latest].map((at) => new Date(at).toISOString()).join(", ");
      const store = late ? "magnetic" : "memory";
      return {
        Reason: `The record timestamp is outside the time range [${range}] of the data ingestion window of the ${store} store.`,
      };
    }
    return { store: time < nanoseconds(now - memory) ? "magnetic" : "memory" };
  }

  /** How long the stores keep a record after its time, in milliseconds. */
  private kept(): { memory: number; magnetic: number } {
    const { MemoryStoreRetentionPeriodInHours: hours = 0, MagneticStoreRetentionPeriodInDays: days = 0 } =
      this.retention;
    return { memory: hours * hour, magnetic: days * day };
  }

  /** A column has one type and one meaning; there are only so many. */
  private conflict({ dimensions, measureName, multi, values }: ReadRecord): string | undefined {
    const type = multi ? "MULTI" : values.get("")!.type;
    const known = this.measures.get(measureName);
    if (known && known !== type) {
      return `The measure value type ${type} of measure ${measureName} does not match its type in the table, ${known}.`;
    }
    if (!known && this.measures.size >= mostMeasures) return `The table has ${mostMeasures} measure names already.`;
    const added = [...dimensions.keys()].filter((name) => !this.dimensions.has(name));
    if (this.dimensions.size + added.length > mostDimensions) {
      return `A table has at most ${mostDimensions} dimension names, and the record adds ${added.join(", ")}.`;
    }
    const named = added.find((name) => this.attributes.has(name));
    if (named !== undefined) return `The dimension ${named} has the name of a measure value in the table.`;
    if (!multi) return undefined;
    for (const [name, value] of values) {
      if (this.dimensions.has(name)) return `The measure value ${name} has the name of a dimension in the table.`;
      const column = this.attributes.get(name);
      if (column && column !== value.type) {
        return `The type ${value.type} of measure value ${name} does not match its type in the table, ${column}.`;
      }
    }
    const fresh = [...values.keys()].filter((name) => !this.attributes.has(name)).length;
    return this.attributes.size + fresh > mostAttributes
      ? `The multi-measure records of a table have at most ${mostAttributes} different measures.`
      : undefined;
  }

  private partitionProblem({ dimensions }: ReadRecord): string | undefined {
    const [key] = this.schema.CompositePartitionKey ?? [];
    if (key?.Type !== "DIMENSION" || key.EnforcementInRecord !== "REQUIRED" || dimensions.has(key.Name!))
      return undefined;
    return `The record lacks the dimension ${key.Name}, which is the table's partition key.`;
  }

  /** The columns, as `SELECT *` has them. */
  columns(): TimestreamColumn[] {
    const single = new Set([...this.measures.values()].filter((type) => type !== "MULTI"));
    return [
      ...[...this.dimensions].map((name) => ({ name, kind: "dimension" as const, type: "VARCHAR" as const })),
      { name: "measure_name", kind: "measure_name", type: "VARCHAR" },
      { name: "time", kind: "time", type: "TIMESTAMP" },
      ...[...this.attributes].map(([name, type]) => ({ name, kind: "attribute" as const, type })),
      ...(["DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN"] as const)
        .filter((type) => single.has(type))
        .map((type) => ({ name: `measure_value::${type.toLowerCase()}`, kind: "measure_value" as const, type })),
    ];
  }

  /** All records that are still kept; what is past the magnetic store's retention goes for good. */
  scan(): readonly TimestreamRow[] {
    const { memory, magnetic } = this.kept();
    // Records pass from the memory store to the magnetic store, whose time counts from theirs, too.
    const oldest = nanoseconds(this.clock.now() - Math.max(memory, magnetic));
    for (const [key, { time }] of this.rows) if (time < oldest) this.rows.delete(key);
    return [...this.rows.values()];
  }
}
