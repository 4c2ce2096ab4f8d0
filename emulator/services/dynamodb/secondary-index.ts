import type { Projection, ProvisionedThroughput } from "@aws-sdk/client-dynamodb";
import { invalidParameter, validation } from "./errors";
import { ItemIndex, type Row } from "./item-index";
import { checkKeySize, type KeySchema, maxHashSize, maxSortSize } from "./key-schema";
import { equalItems, type Item, itemSize, member, pick, typeOf } from "./values";

/** A local or global secondary index of a table. It is sparse: items without its key attributes are not in it. */
export class SecondaryIndex {
  readonly rows = new ItemIndex();
  /** The attributes that the index keeps; undefined for all of them. */
  private readonly projected?: ReadonlySet<string>;

  constructor(
    readonly name: string,
    readonly global: boolean,
    readonly keys: KeySchema,
    readonly projection: Projection,
    tableKeys: KeySchema,
    public throughput?: ProvisionedThroughput,
  ) {
    if (projection.ProjectionType === "ALL") return;
    this.projected = new Set([
      ...tableKeys.attributes.map(({ name }) => name),
      ...keys.attributes.map(({ name }) => name),
      ...(projection.NonKeyAttributes ?? []),
    ]);
  }

  /** Whether a read of the attribute can be answered from the index alone. */
  projects(attribute: string): boolean {
    return this.projected?.has(attribute) ?? true;
  }

  get projectsAll(): boolean {
    return this.projected === undefined;
  }

  /** Refuses an item whose value cannot be a key of this index. */
  check(item: Item): void {
    for (const { name, type } of this.keys.attributes) {
      const value = member(item, name);
      if (!value) continue;
      if (value[type] === undefined) {
        throw invalidParameter(
          `Type mismatch for Index Key ${name} Expected: ${type} Actual: ${typeOf(value)} IndexName: ${this.name}`,
        );
      }
      if (value.S === "" || value.B?.byteLength === 0) {
        throw validation(
          "One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
            `The AttributeValue for a key attribute cannot contain an empty ${value.S === "" ? "string" : "binary"} ` +
            `value. IndexName: ${this.name}, IndexKey: ${name}`,
        );
      }
      checkKeySize(value, name === this.keys.hash.name ? maxHashSize : maxSortSize);
    }
  }

  /**
   * Follows a write to the table.
   *
   * @returns what it wrote: nothing for an index that the write does not change, and a deletion and a put for a changed
   * index key (developer guide, "Provisioned throughput considerations for GSIs").
   */
  follow(old: Row | undefined, current: Row | undefined): readonly { readonly size: number; readonly hash: string }[] {
    const from = old && this.rowOf(old);
    const to = current && this.rowOf(current);
    if (from && to && from.hash === to.hash && from.sort === to.sort) {
      this.rows.put(to);
      return from.item === to.item || equalItems(from.item, to.item)
        ? []
        : [{ size: Math.max(from.size, to.size), hash: to.hash }];
    }
    if (from) this.rows.remove(from);
    if (to) this.rows.put(to);
    return [from, to].filter((row) => row !== undefined);
  }

  private rowOf(row: Row): Row | undefined {
    const key = this.keys.keyInIndex(row.item);
    if (!key) return undefined;
    if (!this.projected) return { ...key, item: row.item, size: row.size, owner: row };
    const item = pick(row.item, this.projected);
    return { ...key, item, size: itemSize(item), owner: row };
  }
}
