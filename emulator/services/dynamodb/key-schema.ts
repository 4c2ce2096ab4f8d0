import type { AttributeDefinition, AttributeValue, KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits";
import { invalidParameter, keyMismatch, validation } from "./errors";
import type { Key } from "./item-index";
import { type Item, identity, type KeyType, member, sortable, typeOf } from "./values";

export interface KeyAttribute {
  readonly name: string;
  readonly type: KeyType;
}

export const maxHashSize = limits.dynamodb.hashKey.value;
export const maxSortSize = limits.dynamodb.sortKey.value;

const noSort = "";

/** The key attributes of a table or of an index. */
export class KeySchema {
  readonly hash: KeyAttribute;
  readonly sort?: KeyAttribute;
  /** One or two. */
  readonly attributes: readonly KeyAttribute[];

  constructor(schema: readonly KeySchemaElement[], definitions: readonly AttributeDefinition[]) {
    this.attributes = schema.map(({ AttributeName: name }) => ({
      name: name!,
      type: definitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType as KeyType,
    }));
    this.hash = this.attributes[0]!;
    this.sort = this.attributes[1];
  }

  has(name: string): boolean {
    return this.hash.name === name || this.sort?.name === name;
  }

  /** Where a whole item belongs. Throws where it cannot be stored. */
  keyOfItem(item: Item): Key {
    const hash = identity(this.inItem(item, this.hash, maxHashSize));
    return { hash, sort: this.sort ? sortable(this.inItem(item, this.sort, maxSortSize)) : noSort };
  }

  /** The place that a request's `Key` names. Throws unless it has exactly the key attributes. */
  keyOf(key: Item): Key {
    if (Object.keys(key).length !== this.attributes.length) throw keyMismatch();
    const hash = identity(this.inKey(key, this.hash, maxHashSize));
    return { hash, sort: this.sort ? sortable(this.inKey(key, this.sort, maxSortSize)) : noSort };
  }

  /** Where an item is in an index with this schema; undefined when it lacks a key attribute. */
  keyInIndex(item: Item): Key | undefined {
    const hash = indexKey(item, this.hash);
    const sort = this.sort && indexKey(item, this.sort);
    if (!hash || (this.sort && !sort)) return undefined;
    return { hash: identity(hash), sort: sort ? sortable(sort) : noSort };
  }

  private inItem(item: Item, { name, type }: KeyAttribute, limit: number): AttributeValue {
    const value = member(item, name);
    if (!value) throw invalidParameter(`Missing the key ${name} in the item`);
    if (value[type] === undefined) {
      throw invalidParameter(`Type mismatch for key ${name} expected: ${type} actual: ${typeOf(value)}`);
    }
    checkKeyValue(value, name, limit);
    return value;
  }

  private inKey(key: Item, { name, type }: KeyAttribute, limit: number): AttributeValue {
    const value = member(key, name);
    if (!value || value[type] === undefined) throw keyMismatch();
    checkKeyValue(value, name, limit);
    return value;
  }
}

/** A value that can be an index key; items that were there before the index may have others. */
function indexKey(item: Item, { name, type }: KeyAttribute): AttributeValue | undefined {
  const value = member(item, name);
  return value && value[type] !== undefined && value.S !== "" && value.B?.byteLength !== 0 ? value : undefined;
}

function checkKeyValue(value: AttributeValue, name: string, limit: number): void {
  if (value.N !== undefined) return;
  const { S: text } = value;
  const empty = text !== undefined ? text === "" : value.B!.byteLength === 0;
  if (empty) {
    throw validation(
      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an " +
        `empty ${text !== undefined ? "string" : "binary"} value. Key: ${name}`,
    );
  }
  checkKeySize(value, limit);
}

/** Refuses a key value that is too long, for the partition key (2048 bytes) or the sort key (1024). */
export function checkKeySize({ S: text, B: bytes }: AttributeValue, limit: number): void {
  // A UTF-16 unit is at most three bytes: most keys need no counting.
  if (text !== undefined && text.length * 3 <= limit) return;
  if ((text !== undefined ? Buffer.byteLength(text) : (bytes?.byteLength ?? 0)) <= limit) return;
  throw invalidParameter(
    limit === maxHashSize
      ? "Size of hashkey has exceeded the maximum size limit of2048 bytes"
      : "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
  );
}
