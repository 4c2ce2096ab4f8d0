import fc from "fast-check";
import { expect, it } from "vitest";
import { BadPattern, compilePattern } from "../emulator/core/event-pattern";
import { failedItems } from "../emulator/services/lambda/sources/partial";

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const key = fc.string({ minLength: 1 }).filter((name) => name !== "$or" && name !== "__proto__");
const flat = fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 6 });
const nested = fc.dictionary(key, fc.oneof(scalar, flat), { minKeys: 1, maxKeys: 6 });

/** The pattern that asks for exactly what a record has. */
const exactly = (record: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null ? exactly(value) : [value],
    ]),
  );

it("matches every record with the pattern of its own values, and with more members than the pattern asks for", () => {
  fc.assert(
    fc.property(nested, flat, (record, more) => {
      const matches = compilePattern(exactly(record));
      expect(matches(record)).toBe(true);
      expect(matches({ ...more, ...record })).toBe(true);
    }),
  );
});

it("does not match a record that lacks one of the values", () => {
  fc.assert(
    fc.property(nested, fc.nat(), (record, n) => {
      const names = Object.keys(record);
      const { [names[n % names.length]!]: _gone, ...rest } = record;
      expect(compilePattern(exactly(record))(rest)).toBe(false);
    }),
  );
});

it("says the opposite with anything-but, where the field is there", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer()), fc.oneof(fc.string(), fc.integer()), (wanted, actual) => {
      const is = compilePattern({ a: [wanted] })({ a: actual });
      expect(compilePattern({ a: [{ "anything-but": [wanted] }] })({ a: actual })).toBe(!is);
    }),
  );
});

it("either takes a pattern or says what is wrong with it, whatever it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (pattern, record) => {
      try {
        expect(typeof compilePattern(pattern)(record)).toBe("boolean");
      } catch (error) {
        expect(error).toBeInstanceOf(BadPattern);
      }
    }),
  );
});

it("looks for a value in lists of any depth, and refuses patterns of more than a thousand levels", () => {
  const depth = 200_000;
  const record = JSON.parse(`{"a":${"[".repeat(depth)}1,"x"${"]".repeat(depth)}}`);
  expect(compilePattern({ a: ["x"] })(record)).toBe(true);
  expect(compilePattern({ a: ["y"] })(record)).toBe(false);
  expect(compilePattern({ a: [{ exists: false }] })({ a: [[]] })).toBe(false);
  const pattern = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}["x"]${"}".repeat(levels)}`);
  expect(compilePattern(pattern(1_000))({})).toBe(false);
  expect(() => compilePattern(pattern(depth))).toThrow("must not be nested more than 1000 levels deep");
});

it("keeps exactly the reported items of a batch, and all of it for any other answer", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.uuid(), { minLength: 1 }),
      fc.func(fc.boolean()),
      fc.jsonValue(),
      (ids, fails, other) => {
        const known = new Set(ids);
        const failed = ids.filter((id) => fails(id));
        const report = { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
        expect(failedItems(JSON.stringify(report), known)).toEqual(new Set(failed));
        const kept = failedItems(JSON.stringify(other), known);
        expect(kept === "all" || kept.size === 0).toBe(true);
      },
    ),
  );
});
