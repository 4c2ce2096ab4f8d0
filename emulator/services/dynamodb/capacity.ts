import type { ConsumedCapacity, ReturnConsumedCapacity } from "@aws-sdk/client-dynamodb";
import type { Table } from "./table";

const writeUnit = 1024;
const readUnit = 4096;

/** Write units of an item of this size: one for each started KB, at least one. */
export const writeUnits = (size: number): number => Math.max(1, Math.ceil(size / writeUnit));

/** Read units for this many bytes: one for each started 4 KB, at least one; half when eventually consistent. */
export const readUnits = (size: number, consistent: boolean | undefined): number =>
  Math.max(1, Math.ceil(size / readUnit)) * (consistent ? 1 : 0.5);

/** Adds up what one request uses of one table. */
export class CapacityMeter {
  private table = 0;
  private readonly local = new Map<string, number>();
  private readonly global = new Map<string, number>();

  /**
   * @param transaction whether units count twice: once to prepare, once to commit
   * (developer guide, "Capacity management for transactions").
   */
  constructor(
    private readonly of: Table,
    private readonly kind: "read" | "write",
    private readonly transaction = false,
  ) {}

  add(units: number): void {
    this.table += units;
  }

  addIndex(name: string, global: boolean, units: number): void {
    const indexes = global ? this.global : this.local;
    indexes.set(name, (indexes.get(name) ?? 0) + units);
  }

  /** The answer's member, as far as the request asks for it. */
  report(wanted: ReturnConsumedCapacity): ConsumedCapacity {
    const factor = this.transaction ? 2 : 1;
    const capacity = (units: number) => ({
      CapacityUnits: units * factor,
      ...(this.transaction && { [this.kind === "read" ? "ReadCapacityUnits" : "WriteCapacityUnits"]: units * factor }),
    });
    const sum = (units: Map<string, number>) => [...units.values()].reduce((total, next) => total + next, 0);
    const indexes = (units: Map<string, number>) =>
      Object.fromEntries([...units].map(([name, value]) => [name, capacity(value)]));
    return {
      TableName: this.of.name,
      ...capacity(this.table + sum(this.local) + sum(this.global)),
      ...(wanted === "INDEXES" && {
        Table: capacity(this.table),
        ...(this.local.size > 0 && { LocalSecondaryIndexes: indexes(this.local) }),
        ...(this.global.size > 0 && { GlobalSecondaryIndexes: indexes(this.global) }),
      }),
    };
  }
}

/** A meter when the request asks for the figures; without one, nothing is added up. */
export const meterFor = (
  wanted: ReturnConsumedCapacity | undefined,
  table: Table,
  kind: "read" | "write",
  transaction = false,
): CapacityMeter | undefined =>
  wanted === "TOTAL" || wanted === "INDEXES" ? new CapacityMeter(table, kind, transaction) : undefined;
