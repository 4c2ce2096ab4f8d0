import type { ConsumedCapacity, ReturnConsumedCapacity, Select } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../core/errors";
import { limits } from "../../../core/limits";
import { meterFor, readUnits } from "../capacity";
import { invalidParameter, keyMismatch, validation } from "../errors";
import type { Condition } from "../expressions/condition";
import { meets } from "../expressions/evaluate";
import type { Path, Projector } from "../expressions/paths";
import type { ItemIndex, Position, Row } from "../item-index";
import type { KeySchema } from "../key-schema";
import type { SecondaryIndex } from "../secondary-index";
import type { Table } from "../table";
import { checkName } from "../validation";
import { type Item, pick } from "../values";

/** A page ends with the item that brings it to 1 MB (developer guide, "Paginating table query results"). */
const pageSize = limits.dynamodb.page.value;

/** What Query and Scan have in common. */
export interface ReadOptions {
  IndexName?: string;
  Select?: Select;
  Limit?: number;
  ConsistentRead?: boolean;
  ReturnConsumedCapacity?: ReturnConsumedCapacity;
}

export interface Page {
  Items?: Item[];
  Count: number;
  ScannedCount: number;
  LastEvaluatedKey?: Item;
  ConsumedCapacity?: ConsumedCapacity;
}

/** A table or one of its indexes, as Query and Scan read it. */
export class ReadSource {
  readonly index?: SecondaryIndex;
  readonly keys: KeySchema;
  readonly rows: ItemIndex;
  /** The attributes that a start key has: of the index, then of the table. */
  private readonly startNames: readonly string[];

  constructor(
    readonly table: Table,
    private readonly options: ReadOptions,
  ) {
    const { IndexName: name, ConsistentRead } = options;
    if (name !== undefined) {
      checkName(name, "indexName");
      this.index = table.index(name);
      if (!this.index) throw validation(`The table does not have the specified index: ${name}`);
      if (this.index.global && ConsistentRead) {
        throw validation("Consistent reads are not supported on global secondary indexes");
      }
    }
    this.keys = this.index?.keys ?? table.keys;
    this.rows = this.index?.rows ?? table.rows;
    const attributes = [...table.keys.attributes, ...(this.index?.keys.attributes ?? [])];
    this.startNames = [...new Set(attributes.map(({ name }) => name))];
  }

  /** The place that an ExclusiveStartKey names. */
  start(key: Item | undefined): Position | undefined {
    if (!key) return undefined;
    const invalid = (detail = "") => validation(`The provided starting key is invalid${detail}`);
    if (Object.keys(key).length !== this.startNames.length) {
      throw this.index ? invalid() : invalid(`: ${keyMismatch().message}`);
    }
    try {
      const owner = this.table.keys.keyOf(
        pick(
          key,
          this.table.keys.attributes.map(({ name }) => name),
        ),
      );
      if (!this.index) return owner;
      const position = this.keys.keyInIndex(key);
      if (position) return { ...position, owner };
    } catch (error) {
      throw error instanceof AwsError ? invalid(`: ${error.message}`) : error;
    }
    throw invalid();
  }

  /**
   * Reads rows until the page is full.
   *
   * @param walk visits rows until the visitor answers false.
   * @param hash the partition key that it reads; undefined where it reads all.
   */
  page(
    walk: (visit: (row: Row) => boolean) => void,
    hash: string | undefined,
    filter: Condition | undefined,
    projector: Projector | undefined,
  ): Page {
    const { Limit: limit = Number.POSITIVE_INFINITY, Select, ConsistentRead } = this.options;
    const meter = meterFor(this.options.ReturnConsumedCapacity, this.table, "read");
    const throughput = this.table.throughputOf(this.index);
    throughput.admit("Read", hash);
    const whole = this.needsWholeItems(projector);
    const items: Item[] = [];
    let scanned = 0;
    let size = 0;
    let matched = 0;
    let last: Row | undefined;
    walk((row) => {
      scanned++;
      size += row.size;
      let item = row.item;
      if (whole) {
        const owner = this.table.get(row.owner!)!;
        item = owner.item;
        meter?.add(readUnits(owner.size, ConsistentRead));
        throughput.use("Read", readUnits(owner.size, ConsistentRead), hash);
      }
      if (!filter || meets(item, filter)) {
        matched++;
        if (Select !== "COUNT") items.push(projector ? projector.project(item) : item);
      }
      if (scanned < limit && size < pageSize) return true;
      last = row;
      return false;
    });
    const units = readUnits(size, ConsistentRead);
    throughput.use("Read", units, hash);
    if (this.index) meter?.addIndex(this.index.name, this.index.global, units);
    else meter?.add(units);
    return {
      Items: Select === "COUNT" ? undefined : items,
      Count: matched,
      ScannedCount: scanned,
      LastEvaluatedKey: last && pick(last.item, this.startNames),
      ConsumedCapacity: meter?.report(this.options.ReturnConsumedCapacity!),
    };
  }

  /** Refuses what Select cannot mean here, and attributes that a global index does not have. */
  checkSelect(projection: { expression?: string; attributes?: readonly string[] }, projector?: Projector): void {
    const { Select: select } = this.options;
    const given = projection.expression !== undefined ? "ProjectionExpression" : "AttributesToGet";
    if (projector && select && select !== "SPECIFIC_ATTRIBUTES") {
      throw validation(
        `Cannot specify the ${given} when choosing to get ${select === "COUNT" ? "only the Count" : select}`,
      );
    }
    if (select === "SPECIFIC_ATTRIBUTES" && !projector) {
      throw validation(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
      );
    }
    if (select === "ALL_PROJECTED_ATTRIBUTES" && !this.index) {
      throw validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
    }
    if (!this.index?.global || this.index.projectsAll) return;
    if (select === "ALL_ATTRIBUTES") {
      throw invalidParameter(
        `Select type ALL_ATTRIBUTES is not supported for global secondary index ${this.index.name} ` +
          "because its projection type is not ALL",
      );
    }
    const missing = projector?.attributes().filter((name) => !this.index!.projects(name)) ?? [];
    if (missing.length > 0) {
      throw invalidParameter(`Global secondary index ${this.index.name} does not project ${`[${missing.join(", ")}]`}`);
    }
  }

  /** Refuses a filter on the key: key conditions are for that. */
  checkFilterPaths(paths: readonly Path[], parameter: string): void {
    const key = paths.find(([name]) => this.keys.has(name as string));
    if (!key) return;
    throw validation(
      `${parameter} can only contain non-primary key attributes: Primary key attribute: ${String(key[0])}`,
    );
  }

  /** A local index gives attributes that it does not keep by reading the table. */
  private needsWholeItems(projector: Projector | undefined): boolean {
    if (!this.index || this.index.global || this.index.projectsAll) return false;
    if (this.options.Select === "ALL_ATTRIBUTES") return true;
    return projector?.attributes().some((name) => !this.index!.projects(name)) ?? false;
  }
}
