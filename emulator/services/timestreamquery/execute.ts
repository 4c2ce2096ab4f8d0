import type { TimestreamColumn, TimestreamRow } from "../../core/bus";
import { aggregate } from "./aggregate";
import { type Expression, hasAggregate, type Item, isAggregate, keyOf, type Select, type Value } from "./ast";
import { statementError, unsupported } from "./errors";
import { type Compiled, compile, order, type Surroundings } from "./expressions";

export interface Result {
  readonly columns: readonly { readonly name: string; readonly type: Compiled<unknown>["type"] }[];
  readonly rows: readonly (readonly Value[])[];
}

const parsers = {
  DOUBLE: Number,
  BIGINT: BigInt,
  TIMESTAMP: BigInt,
  VARCHAR: String,
  BOOLEAN: (text: string) => text === "true",
};

/** A column of the table. */
function columnOf({ name, kind, type }: TimestreamColumn): Compiled<TimestreamRow> {
  const parse = parsers[type];
  switch (kind) {
    case "dimension":
      return { type, evaluate: ({ dimensions }) => dimensions.get(name) ?? null };
    case "measure_name":
      return { type, evaluate: ({ measureName }) => measureName };
    case "time":
      return { type, evaluate: ({ time }) => time };
    default: {
      const multi = kind === "attribute";
      return {
        type,
        evaluate(row) {
          const value = row.multi === multi ? row.values.get(multi ? name : "") : undefined;
          return value?.type === type ? parse(value.text) : null;
        },
      };
    }
  }
}

/** Rows that have the same in the columns of GROUP BY. */
interface Group {
  readonly keys: readonly Value[];
  readonly rows: readonly TimestreamRow[];
}

/** Answers a statement from what a table has. `now` is in nanoseconds since the epoch. */
export function execute(
  select: Select,
  table: { columns: readonly TimestreamColumn[]; rows: readonly TimestreamRow[] },
  now: bigint,
): Result {
  const { text, where } = select;
  const exact = new Map(table.columns.map((column) => [column.name, column]));
  const plain: Surroundings<TimestreamRow> = {
    ...{ text, now },
    leaf(expression) {
      if (expression.kind !== "column") return undefined;
      const lower = expression.name.toLowerCase();
      const alike = table.columns.filter(({ name }) => name.toLowerCase() === lower);
      const found = exact.get(expression.name) ?? (alike.length === 1 ? alike[0] : undefined);
      return found && columnOf(found);
    },
  };
  if (where && hasAggregate(where)) throw statementError(text, where.at, "WHERE clause cannot contain aggregations");
  const condition = where && compile(where, plain);
  if (where && condition && condition.type !== "BOOLEAN" && condition.type !== "UNKNOWN") {
    throw statementError(text, where.at, `WHERE clause must evaluate to a boolean: actual type ${condition.type}`);
  }
  const items = select.items.flatMap((item): Item[] =>
    item === "*"
      ? table.columns.map(({ name }) => ({ expression: { kind: "column", name, at: 0 }, alias: name }))
      : [item],
  );
  const orders = select.orderBy.map((one) => ({ ...one, expression: outputOf(one.expression, items, text) }));
  const grouped = select.groupBy.length > 0 || [...items, ...orders].some(({ expression }) => hasAggregate(expression));
  if (grouped && select.items.includes("*"))
    throw statementError(text, 0, "'*' must not be with GROUP BY or aggregations");

  const rows = condition ? table.rows.filter((row) => condition.evaluate(row) === true) : table.rows;
  if (!grouped) return answer(select, items, orders, rows, plain);
  const keys = select.groupBy.map((expression) => outputOf(expression, items, text, false));
  const compiledKeys = keys.map((key) => {
    if (hasAggregate(key)) throw statementError(text, key.at, "GROUP BY clause cannot contain aggregations");
    return compile(key, plain);
  });
  return answer(select, items, orders, groupsOf(rows, compiledKeys), groupSurroundings(keys, compiledKeys, plain));
}

/** What stands for a column of the answer: its place from 1 on, or its alias. */
function outputOf(expression: Expression, items: readonly Item[], text: string, byAlias = true): Expression {
  if (expression.kind === "literal" && typeof expression.value === "bigint" && expression.type === "INTEGER") {
    const found = items[Number(expression.value) - 1];
    if (!found) throw statementError(text, expression.at, `position ${expression.value} is not in select list`);
    return found.expression;
  }
  if (!byAlias || expression.kind !== "column") return expression;
  const alike = items.filter(({ alias }) => alias?.toLowerCase() === expression.name.toLowerCase());
  if (new Set(alike.map((item) => keyOf(item.expression))).size > 1) {
    throw statementError(text, expression.at, `Column '${expression.name}' is ambiguous`);
  }
  return alike[0]?.expression ?? expression;
}

function groupsOf(rows: readonly TimestreamRow[], keys: readonly Compiled<TimestreamRow>[]): Group[] {
  // Without GROUP BY there is one group, even of no rows.
  if (keys.length === 0) return [{ keys: [], rows }];
  const groups = new Map<string, { keys: Value[]; rows: TimestreamRow[] }>();
  for (const row of rows) {
    const values = keys.map((key) => key.evaluate(row));
    const name = JSON.stringify(values.map((value) => (typeof value === "bigint" ? `${value}n` : value)));
    const group = groups.get(name) ?? { keys: values, rows: [] };
    group.rows.push(row);
    groups.set(name, group);
  }
  return [...groups.values()];
}

function groupSurroundings(
  keys: readonly Expression[],
  compiled: readonly Compiled<TimestreamRow>[],
  plain: Surroundings<TimestreamRow>,
): Surroundings<Group> {
  const { text, now } = plain;
  const places = new Map(keys.map((key, i) => [keyOf(key), i]));
  return {
    ...{ text, now },
    leaf(expression) {
      const place = places.get(keyOf(expression));
      if (place !== undefined) return { type: compiled[place]!.type, evaluate: (group) => group.keys[place]! };
      if (isAggregate(expression)) {
        const [operand] = expression.operands;
        const { type, of } = aggregate(expression.name, operand && compile(operand, plain), {
          text,
          at: expression.at,
        });
        return { type, evaluate: ({ rows }) => of(rows) };
      }
      if (expression.kind !== "column" || !plain.leaf(expression)) return undefined;
      throw statementError(
        text,
        expression.at,
        `'${expression.name}' must be an aggregate expression or appear in GROUP BY clause`,
      );
    },
  };
}

function answer<Row>(
  { text, limit }: Select,
  items: readonly Item[],
  orders: readonly { expression: Expression; descending: boolean; nullsFirst: boolean }[],
  rows: readonly Row[],
  surroundings: Surroundings<Row>,
): Result {
  const compiled = items.map(({ expression }) => {
    const one = compile(expression, surroundings);
    if (one.type === "INTERVAL_DAY_TO_SECOND") throw unsupported("an interval as a column");
    return one;
  });
  const sorting = orders.map((one) => {
    if (one.expression.kind === "literal") throw statementError(text, one.expression.at, "ORDER BY needs a column");
    return { ...one, by: compile(one.expression, surroundings) };
  });
  let chosen = rows.map((row) => ({ row, by: sorting.map(({ by }) => by.evaluate(row)) }));
  if (sorting.length > 0) {
    chosen = chosen.sort((a, b) => {
      for (const [i, { descending, nullsFirst }] of sorting.entries()) {
        const [x = null, y = null] = [a.by[i], b.by[i]];
        if (x === null && y === null) continue;
        if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1;
        const found = order(x, y);
        if (found !== 0) return descending ? -found : found;
      }
      return 0;
    });
  }
  return {
    columns: items.map(({ expression, alias }, i) => ({
      name: alias ?? (expression.kind === "column" ? expression.name : `_col${i}`),
      type: compiled[i]!.type,
    })),
    rows: chosen.slice(0, limit).map(({ row }) => compiled.map((one) => one.evaluate(row))),
  };
}
