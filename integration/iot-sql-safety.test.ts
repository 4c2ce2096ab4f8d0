import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, parseSql, parseTemplate } from "../emulator/services/iot/sql";
import { contextOf } from "./harness/iot-sql/context";
import { template } from "./harness/rules";

const version = "2016-03-23";
const refused: readonly (readonly [sql: string, message: string])[] = [
  ["SELEC * FROM 'a'", "Expected SELECT, found: SELEC (line 1:1)"],
  ["SELECT a FROM 'a' WHERE x IS NOT NULL", "Expected a comparison operation"],
  ["SELECT 1 AS\n  FROM 'a'", "(line 2:8)"],
  ["SELECT nope(1) AS x", "Unknown function: nope (line 1:8)"],
  [
    "SELECT a FROM 'a/#/b'",
    "+ and # stand alone between slashes, and # only at the end of a topic filter) (line 1:15)",
  ],
  ["SELECT a FROM ''", "the topic filter is empty"],
  [`SELECT 1 AS a${".b".repeat(30_000)}`, "An alias has at most 100 levels"],
  ["SELECT a -- comment", "Comments are not supported"],
  ["SELECT 'open FROM a", "Expected a closing '"],
  ["SELECT @a FROM 'a'", "Variable @a is not set"],
  ["SET @a = 1, @a = 2 SELECT @a", "assigned twice"],
  [`SELECT ${"(".repeat(5000)}1`, "nested deeper than 100 levels"],
  [`SELECT ${"a".repeat(65_530)}`, "Expected at most 65535 characters"],
];

it.each(refused)("refuses a bad statement with AWS's code and the place: %#", (sql, message) => {
  expect(() => parseSql(sql, version)).toThrow(
    expect.objectContaining({ code: "SqlParseException", status: 400, message: expect.stringContaining(message) }),
  );
});

it("never throws anything but SqlParseException on random text", () => {
  const word = fc.constantFrom(
    "SELECT",
    "FROM",
    "WHERE",
    "'a'",
    "*",
    "(",
    ")",
    "a",
    ".",
    ",",
    "abs(",
    "1",
    "CASE",
    "END",
  );
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(word).map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(text, (sql) => {
      try {
        parseSql(sql, version);
      } catch (error) {
        expect(error).toMatchObject({ code: "SqlParseException" });
      }
    }),
  );
});

const leaf = fc.constantFrom("a", "a.b", "b[0]", "*", "1", "-2.5", "1e300", "'x'", "null", "topic()", "[a, 1]");
const expression = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf.map((text) => (text === "*" ? "get(*, 'a')" : text)),
    fc
      .tuple(tie("any"), fc.constantFrom("+", "-", "*", "/", "%", "=", "<>", "<", "AND", "OR", "IN"), tie("any"))
      .map(([left, operator, right]) => `((${left}) ${operator} (${right}))`),
    fc
      .tuple(fc.constantFrom("abs", "upper", "sqrt", "floor", "md2", "isNull", "length"), tie("any"))
      .map(([name, arg]) => `${name}(${arg})`),
    fc.tuple(tie("any"), tie("any")).map(([when, then]) => `CASE ${when} WHEN 1 THEN ${then} ELSE 2 END`),
  ),
})).any;

it("never throws on a JSON payload, whatever a valid statement asks of it", () => {
  fc.assert(
    fc.property(expression, expression, fc.json(), (item, condition, payload) => {
      evaluate(
        parseSql(`SELECT *, ${item} AS x FROM 'a' WHERE isNull(${condition}) OR true`, version),
        contextOf(payload),
      );
    }),
  );
});

describe("a substitution template", () => {
  it("without ${} is its own text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes("${"));
        expect(parseTemplate(text, version).render(contextOf("{}"))).toBe(text);
      }),
    );
  });

  it("tells a mistake by its place in the whole text", () => {
    expect(() => parseTemplate(`a/${template("topic(2)")}\n/${template("nope(1)")}`, version)).toThrow(
      expect.objectContaining({ code: "SqlParseException", message: "Unknown function: nope (line 2:4)" }),
    );
  });

  it("fills in expressions, and nothing for what is Undefined", () => {
    const template = parseTemplate("${topic(2)}/${cast(x as String)}/${'}'}/${missing}.", version);
    expect(template.render(contextOf({ x: 5 }))).toBe("myThings/5/}/.");
  });
});

it("waits for a Lambda function, and calls it once", async () => {
  let calls = 0;
  const context = contextOf({ a: 21 }, { invokeLambda: async (_arn, input) => ({ doubled: input, calls: ++calls }) });
  const sql = "SELECT newuuid() AS id, aws_lambda('arn', {'payload': a}).doubled.payload AS output FROM 'a'";
  expect(await evaluate(parseSql(sql, version), context)).toEqual({
    id: "123a4567-b89c-12d3-e456-789012345000",
    output: 21,
  });
  expect(calls).toBe(1);
});

it("gives up a regular expression that would run for ever", () => {
  const sql = "SELECT regexp_matches(x, '(a+)+$') AS found, 1 AS one FROM 'a'";
  expect(evaluate(parseSql(sql, version), contextOf({ x: `${"a".repeat(60)}!` }))).toEqual({ one: 1 });
});

it("gives up nested queries that multiply what a device sends", () => {
  const sql = "SET @e = e SELECT (SELECT (SELECT VALUE 1 FROM @e) AS all FROM @e) AS x FROM 'a'";
  const elements = (count: number) => contextOf({ e: Array.from({ length: count }, () => ({})) });
  expect(evaluate(parseSql(sql, version), elements(2))).toEqual({ x: [{ all: [1, 1] }, { all: [1, 1] }] });
  expect(() => evaluate(parseSql(sql, version), elements(40_000))).toThrow("look at more than 1000000 elements");
});

it("does not spend its time on messages that a regular expression would run for ever on", () => {
  const statement = parseSql("SELECT regexp_matches(x, '(b+)+$') AS found, 1 AS one FROM 'a'", version);
  for (let i = 0; i < 2_000; i++) {
    expect(evaluate(statement, contextOf({ x: `${"b".repeat(60)}!` }))).toEqual({ one: 1 });
  }
  expect(evaluate(statement, contextOf({ x: "bbb" }))).toEqual({ found: true, one: 1 });
});

it.each([
  ["regexp_matches(x, p)", { x: "a".repeat(40), p: `^${"a?".repeat(12)}${"(a|[a])".repeat(30)}[bc]` }, 1],
  ["time_to_epoch(x, p)", { x: "1".repeat(200), p: `${"yM".repeat(90)}X` }, 1],
  ["time_to_epoch(x, p)", { x: "a".repeat(200), p: "VVzz".repeat(40) }, 1],
])("comes to an end of %s with a pattern that has a thousand ways to fit", (expression, payload, one) => {
  expect(evaluate(parseSql(`SELECT ${expression} AS r, 1 AS one FROM 'a'`, version), contextOf(payload))).toMatchObject(
    {
      one,
    },
  );
});
