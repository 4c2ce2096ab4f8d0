import { randomUUID } from "node:crypto";
import type {
  AttributeDefinition,
  KeySchemaElement,
  OnDemandThroughput,
  ProvisionedThroughput,
  SSEDescription,
  StreamSpecification,
  TableClass,
} from "@aws-sdk/client-dynamodb";
import { formatArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import { type CapacityMeter, writeUnits } from "./capacity";
import { invalidParameter } from "./errors";
import { ItemIndex, type Key, type Row } from "./item-index";
import { KeySchema } from "./key-schema";
import type { SecondaryIndex } from "./secondary-index";
import { type Capacity, Throughput } from "./throughput";
import type { TimeToLive } from "./ttl";
import { equalItems, type Item, pick } from "./values";

/** What happened to one item, as a stream record tells it. */
export interface Change {
  readonly event: "INSERT" | "MODIFY" | "REMOVE";
  /** The key attributes alone. */
  readonly keys: Item;
  readonly oldImage?: Item;
  readonly newImage?: Item;
  /** Whether time to live deleted the item, and not a request. */
  readonly expired: boolean;
}

/** The settings that CreateTable and UpdateTable give a table, beside its keys and indexes. */
export interface TableSettings {
  billing: "PROVISIONED" | "PAY_PER_REQUEST";
  /** When the billing mode last turned to on-demand. */
  onDemandSince?: Date;
  throughput: ProvisionedThroughput;
  onDemandThroughput?: OnDemandThroughput;
  tableClass?: TableClass;
  deletionProtection: boolean;
  encryption?: SSEDescription;
  stream?: StreamSpecification & { readonly label: string };
}

/** A table: its items, its indexes and its settings. All writes go through {@link Table.write}. */
export class Table {
  readonly id = randomUUID();
  readonly arn: string;
  readonly rows = new ItemIndex();
  readonly indexes: SecondaryIndex[] = [];
  readonly keys: KeySchema;
  readonly tags = new Map<string, string>();
  timeToLive?: TimeToLive;
  recovery?: { readonly since: Date; readonly days: number };
  /** The label of its last stream, which may be off by now. */
  latestStreamLabel?: string;
  policy?: { readonly text: string; readonly revision: string };
  private readonly observers = new Set<(change: Change) => void>();
  private readonly throughput: Throughput;
  private readonly indexThroughputs = new WeakMap<SecondaryIndex, Throughput>();

  constructor(
    readonly name: string,
    readonly scope: Scope,
    readonly created: Date,
    readonly keySchema: readonly KeySchemaElement[],
    public definitions: readonly AttributeDefinition[],
    public settings: TableSettings,
    private readonly now: () => number,
  ) {
    this.arn = formatArn("dynamodb", scope.region, scope.account, `table/${name}`);
    this.keys = new KeySchema(keySchema, definitions);
    this.throughput = new Throughput("Table", this.arn, () => this.capacity(this.settings.throughput), now);
  }

  get(key: Key): Row | undefined {
    return this.rows.get(key);
  }

  index(name: string): SecondaryIndex | undefined {
    return this.indexes.find((index) => index.name === name);
  }

  /** What the table gives in a second, or one of its global indexes; local ones share that of the table. */
  throughputOf(index?: SecondaryIndex): Throughput {
    if (!index?.global) return this.throughput;
    let throughput = this.indexThroughputs.get(index);
    if (!throughput) {
      const arn = `${this.arn}/index/${index.name}`;
      throughput = new Throughput("Index", arn, () => this.capacity(index.throughput), this.now);
      this.indexThroughputs.set(index, throughput);
    }
    return throughput;
  }

  /** Refuses a write that goes beyond what the table, or a global index of the item, takes in a second. */
  admitWrite(key: Key, item?: Item): void {
    this.throughput.admit("Write", key.hash);
    for (const index of this.indexes) {
      const place = index.global && item ? index.keys.keyInIndex(item) : undefined;
      if (place) this.throughputOf(index).admit("Write", place.hash);
    }
  }

  /** Refuses an item that an index cannot take. */
  checkIndexKeys(item: Item): void {
    for (const index of this.indexes) index.check(item);
  }

  /** Refuses an update of an attribute that is part of the key. */
  checkNotKey(attribute: string): void {
    if (this.keys.has(attribute)) {
      throw invalidParameter(`Cannot update attribute ${attribute}. This attribute is part of the key`);
    }
  }

  /** Stores an item that has been checked. Returns the row whose place it took. */
  put(key: Key, item: Item, size: number, meter?: CapacityMeter): Row | undefined {
    const row: Row = { hash: key.hash, sort: key.sort, item, size };
    const old = this.rows.put(row);
    this.written(old, row, meter);
    return old;
  }

  /** Deletes an item, if there is one, and returns its row. */
  delete(key: Key, meter?: CapacityMeter, expired = false): Row | undefined {
    const old = this.rows.remove(key);
    this.written(old, undefined, meter, expired);
    return old;
  }

  /**
   * Tells of every change to an item, right after it happened and before its request is answered.
   * Writes that change nothing are no change, as on AWS. Returns what ends it.
   */
  observe(observer: (change: Change) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Stops what the table does in the background. */
  close(): void {
    this.timeToLive?.stop();
    this.observers.clear();
  }

  private written(old: Row | undefined, row: Row | undefined, meter?: CapacityMeter, expired = false): void {
    const units = writeUnits(Math.max(old?.size ?? 0, row?.size ?? 0));
    meter?.add(units);
    // What time to live deletes is free.
    if (!expired) this.throughput.use("Write", units, (row ?? old)?.hash);
    for (const index of this.indexes) {
      for (const { size, hash } of index.follow(old, row)) {
        meter?.addIndex(index.name, index.global, writeUnits(size));
        if (!expired) this.throughputOf(index).use("Write", writeUnits(size), hash);
      }
    }
    this.timeToLive?.follow(old, row);
    if (this.observers.size > 0) this.tell(old, row, expired);
  }

  private capacity(provisioned: ProvisionedThroughput | undefined): Capacity {
    const { billing, onDemandThroughput } = this.settings;
    return billing === "PROVISIONED" ? { provisioned } : { onDemand: onDemandThroughput };
  }

  private tell(old: Row | undefined, row: Row | undefined, expired: boolean): void {
    const item = (row ?? old)?.item;
    if (!item || (old && row && equalItems(old.item, row.item))) return;
    const change: Change = {
      event: !old ? "INSERT" : row ? "MODIFY" : "REMOVE",
      keys: pick(
        item,
        this.keys.attributes.map(({ name }) => name),
      ),
      oldImage: old?.item,
      newImage: row?.item,
      expired,
    };
    for (const observer of this.observers) observer(change);
  }
}
