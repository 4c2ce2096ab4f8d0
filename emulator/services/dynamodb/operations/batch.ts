import type { ItemCollectionMetrics, KeysAndAttributes, WriteRequest } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../core/errors";
import { lostEntries } from "../../../core/faults/partial";
import { limits } from "../../../core/limits";
import { type CapacityMeter, meterFor, readUnits } from "../capacity";
import { isThrottled, throughputExceeded, validation } from "../errors";
import { checkNotMixed, legacyProjection } from "../expressions/legacy";
import { checkCommon, checkKeyPaths, checkPlaceholders, type DynamoOperations } from "../requests";
import type { Database } from "../state";
import type { Table } from "../table";
import { checkItem, constrain, entriesOf, length, required } from "../validation";
import type { Item } from "../values";
import { admit, collectionMetrics, commit, type PreparedWrite, prepareDelete, preparePut } from "../writes";

const maxWrites = limits.dynamodb.writeBatch.value;
const maxGets = limits.dynamodb.readBatch.value;
/** A batch answers at most this much; what is left comes back as unprocessed. */
const maxAnswer = limits.dynamodb.batchSize.value;

const duplicates = () => validation("Provided list of item keys contains duplicates");

/** Remembers which items of which tables a request named. */
export class NamedItems {
  private readonly named = new Set<string>();

  /** Whether the item was named before. */
  add(table: Table, { hash, sort }: { hash: string; sort: string }): boolean {
    const name = JSON.stringify([table.arn, hash, sort]);
    if (this.named.has(name)) return true;
    this.named.add(name);
    return false;
  }
}

/** Those parts of a batch that are too much for their tables in this second: they come back, unless all of them are. */
class Throttled {
  private admitted = 0;
  private refusal?: AwsError;

  admits(admission: () => void): boolean {
    try {
      admission();
    } catch (error) {
      if (!(error instanceof AwsError && isThrottled(error))) throw error;
      this.refusal = error;
      return false;
    }
    this.admitted++;
    return true;
  }

  /** Fails where nothing was done. */
  end(): void {
    if (this.refusal && this.admitted === 0) throw this.refusal;
  }
}

/** Meters for the tables of one request. */
export class Meters {
  private readonly meters = new Map<Table, CapacityMeter>();

  constructor(
    private readonly wanted: "INDEXES" | "TOTAL" | "NONE" | undefined,
    private readonly kind: "read" | "write",
    private readonly transaction = false,
  ) {}

  of(table: Table): CapacityMeter | undefined {
    let meter = this.meters.get(table);
    if (meter) return meter;
    meter = meterFor(this.wanted, table, this.kind, this.transaction);
    if (meter) this.meters.set(table, meter);
    return meter;
  }

  report() {
    return this.meters.size > 0 ? [...this.meters.values()].map((meter) => meter.report(this.wanted!)) : undefined;
  }
}

/** Reads and writes of many items that have nothing to do with each other. */
export const batchOperations = (database: Database): DynamoOperations => ({
  BatchGetItem: (input, context) => {
    checkCommon(input);
    const requests = requested(input.RequestItems);
    for (const [name, { Keys }] of requests) {
      constrain([`requestItems.${name}.member.keys`, Keys, required, length(1, maxGets)]);
    }
    if (requests.reduce((count, [, { Keys }]) => count + Keys!.length, 0) > maxGets) {
      throw validation("Too many items requested for the BatchGetItem call");
    }
    const named = new NamedItems();
    const reads = requests.map(([name, request]) => {
      const projector = projectorOf(database, request);
      for (const key of request.Keys!) checkItem(key);
      const table = database.table(name, context);
      checkKeyPaths(table, projector?.paths);
      const keys = request.Keys!.map((given) => {
        const key = table.keys.keyOf(given);
        if (named.add(table, key)) throw duplicates();
        return { given, key };
      });
      return { name, request, table, projector, keys };
    });
    const places = reads.flatMap(({ table, keys }) => keys.map(() => table.arn));
    const lost = lostEntries(context, places);
    if (lost.size === places.length && lost.size > 0) throw throughputExceeded();
    const meters = new Meters(input.ReturnConsumedCapacity, "read");
    const Responses: Record<string, Item[]> = {};
    const UnprocessedKeys: Record<string, KeysAndAttributes> = {};
    let size = 0;
    let index = 0;
    const throttle = new Throttled();
    for (const { name, request, table, projector, keys } of reads) {
      const throughput = table.throughputOf();
      const items: Item[] = [];
      Responses[name] = items;
      for (const { given, key } of keys) {
        const row = table.get(key);
        const isAdmitted = throttle.admits(() => throughput.admit("Read", key.hash));
        if (lost.has(index++) || !isAdmitted || size + (row?.size ?? 0) > maxAnswer) {
          UnprocessedKeys[name] ??= { ...request, Keys: [] };
          UnprocessedKeys[name].Keys!.push(given);
          continue;
        }
        size += row?.size ?? 0;
        const units = readUnits(row?.size ?? 0, request.ConsistentRead);
        throughput.use("Read", units, key.hash);
        meters.of(table)?.add(units);
        if (row) items.push(projector ? projector.project(row.item) : row.item);
      }
    }
    throttle.end();
    return { Responses, UnprocessedKeys, ConsumedCapacity: meters.report() };
  },

  BatchWriteItem: (input, context) => {
    checkCommon(input);
    const requests = requested(input.RequestItems);
    for (const [, writes] of requests) {
      if (writes.length >= 1 && writes.length <= maxWrites) continue;
      constrain([
        "requestItems",
        input.RequestItems,
        () =>
          `Map value must satisfy constraint: [Member must have length less than or equal to ${maxWrites}, ` +
          "Member must have length greater than or equal to 1]",
      ]);
    }
    if (requests.reduce((count, [, writes]) => count + writes.length, 0) > maxWrites) {
      throw validation("Too many items requested for the BatchWriteItem call");
    }
    const named = new NamedItems();
    const writes: { name: string; request: WriteRequest; write: PreparedWrite; keys: Item }[] = [];
    for (const [name, list] of requests) {
      for (const request of list) {
        const { PutRequest: put, DeleteRequest: remove } = request;
        if (!put === !remove) {
          throw validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
          );
        }
        const write = put
          ? preparePut(database, { TableName: name, Item: put.Item }, context)
          : prepareDelete(database, { TableName: name, Key: remove!.Key }, context);
        if (named.add(write.table, write.key)) throw duplicates();
        writes.push({ name, request, write, keys: (put?.Item ?? remove?.Key)! });
      }
    }
    const lost = lostEntries(
      context,
      writes.map(({ write }) => write.table.arn),
    );
    if (lost.size === writes.length) throw throughputExceeded();
    const meters = new Meters(input.ReturnConsumedCapacity, "write");
    const metrics: Record<string, ItemCollectionMetrics[]> = {};
    const UnprocessedItems: Record<string, WriteRequest[]> = {};
    const throttle = new Throttled();
    for (const [index, { name, request, write, keys }] of writes.entries()) {
      const outcome = write.outcome(write.blind ? undefined : write.table.get(write.key));
      if (lost.has(index) || !throttle.admits(() => admit(write, outcome))) {
        UnprocessedItems[name] ??= [];
        UnprocessedItems[name].push(request);
        continue;
      }
      commit(write, outcome, meters.of(write.table));
      const metric = input.ReturnItemCollectionMetrics === "SIZE" ? collectionMetrics(write, keys) : undefined;
      if (!metric) continue;
      metrics[name] ??= [];
      metrics[name].push(metric);
    }
    throttle.end();
    return {
      UnprocessedItems,
      ItemCollectionMetrics: Object.keys(metrics).length > 0 ? metrics : undefined,
      ConsumedCapacity: meters.report(),
    };
  },
});

function requested<Request>(items: Record<string, Request> | undefined): [string, Request][] {
  constrain(["requestItems", items, required, length(1)]);
  return entriesOf("requestItems", items!);
}

function projectorOf(database: Database, request: KeysAndAttributes) {
  const { ProjectionExpression, AttributesToGet } = request;
  checkNotMixed({ ProjectionExpression }, { AttributesToGet });
  checkPlaceholders(request, { ProjectionExpression });
  const expressions = database.expressions.of({ ExpressionAttributeNames: request.ExpressionAttributeNames });
  const projector = expressions.projection(ProjectionExpression) ?? legacyProjection(AttributesToGet);
  expressions.finish();
  return projector;
}
