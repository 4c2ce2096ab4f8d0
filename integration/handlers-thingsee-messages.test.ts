import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, decimal, elementTexts, parseExactly } from "../handlers/exact-json";
import { parseBody } from "../handlers/thingsee/body";
import { digestOf, sortKey, toItem } from "../handlers/thingsee/item";
import { problemOf, type ThingseeMessage } from "../handlers/thingsee/message";

const received = Date.parse("2026-11-21T09:03:00Z");
const context = { receivedAt: received, ttlDays: 0 };
const message = (fields: Partial<ThingseeMessage> = {}): ThingseeMessage => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1520416221,
  tsmTuid: "TSPR04E2O90201558",
  ...fields,
});
const keyOf = (m: ThingseeMessage, at = received) => sortKey(m, digestOf(m), at);
const itemOf = (m: ThingseeMessage) => {
  const made = toItem(m, digestOf(m), context);
  if ("problem" in made) throw new Error(made.problem);
  return made.item;
};
const refusalOf = (m: ThingseeMessage) => {
  const made = toItem(m, digestOf(m), context);
  return "problem" in made ? made.problem : "";
};

/** Messages as devices send them: the four fields and some more of any content. */
const messages = fc
  .record({
    tsmId: fc.integer({ min: 0, max: 99_999 }),
    tsmEv: fc.integer({ min: 0, max: 30 }),
    tsmTs: fc.double({ min: 0, max: 253_402_300_799, noNaN: true }),
    tsmTuid: fc.string({ minLength: 1, maxLength: 30, unit: "binary" }),
    fields: fc.dictionary(
      fc.string({ maxLength: 10 }).filter((name) => name !== "__proto__" && !name.startsWith("tsm")),
      fc.jsonValue({ maxDepth: 4 }),
      { maxKeys: 5 },
    ),
  })
  .map(({ fields, ...own }) => JSON.parse(JSON.stringify({ ...fields, ...own })) as ThingseeMessage);

const shuffled = (value: unknown): unknown => {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(shuffled);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, shuffled(inner)]),
  );
};

describe("the key of a message", () => {
  test("sorts by the time of measurement", () => {
    fc.assert(
      fc.property(messages, messages, (a, b) => {
        const earlier = Math.round(a.tsmTs! * 1000) - Math.round(b.tsmTs! * 1000);
        fc.pre(earlier !== 0);
        expect(keyOf(a) < keyOf(b)).toBe(earlier < 0);
      }),
    );
  });

  test("differs for two different messages of one device in the same millisecond", () => {
    fc.assert(
      fc.property(messages, messages, (a, b) => {
        const other = { ...b, tsmTuid: a.tsmTuid, tsmTs: a.tsmTs };
        expect(keyOf(a) === keyOf(other)).toBe(canonicalJson(a) === canonicalJson(other));
      }),
    );
  });

  test("is the same when a message comes again later, with its fields in another order", () => {
    fc.assert(
      fc.property(messages, fc.nat(1e12), (a, later) => {
        expect(keyOf(shuffled(a) as ThingseeMessage, received + later)).toBe(keyOf(a));
      }),
    );
  });

  test("holds the time in a form that a range of times selects", () => {
    const key = keyOf(message({ tsmTs: 1520416221.25 }));
    expect(key).toMatch(/^2018-03-07T09:50:21\.250Z#12100#10#[\w-]{22}$/);
    expect(key > "2018-03-07T09" && key < "2018-03-07T10").toBe(true);
  });

  test("is the same for a repeated network-off event without a time, but not for the next such event", () => {
    const { tsmTs: _, ...off } = message({ tsmEv: 18 });
    expect(keyOf(off, received + 60_000)).toBe(keyOf(off, received));
    expect(keyOf(off, received + 600_000)).not.toBe(keyOf(off, received));
  });
});

describe("the item of a message", () => {
  test("keeps every field and value of the message", () => {
    const unmarshal = (value: unknown): unknown => {
      const [[type, inner]] = Object.entries(value as Record<string, unknown>) as [[string, unknown]];
      if (type === "N") return Number(inner);
      if (type === "NULL") return null;
      if (type === "L") return (inner as unknown[]).map(unmarshal);
      if (type !== "M") return inner;
      return Object.fromEntries(Object.entries(inner as object).map(([name, field]) => [name, unmarshal(field)]));
    };
    fc.assert(
      fc.property(messages, (m) => {
        fc.pre(refusalOf(m) === "");
        // JSON has one zero; -0 would only differ by the sign that nothing stores.
        expect(JSON.stringify(unmarshal(itemOf(m).data))).toBe(JSON.stringify(m));
      }),
    );
  });

  test("has the time in seconds with its decimals, the message id, the gateway and the receive time", () => {
    expect(itemOf(message({ tsmTs: 1520416221.5, tsmGw: "TSGW01ABC123456" }))).toMatchObject({
      tuid: { S: "TSPR04E2O90201558" },
      timestamp: { N: "1520416221.5" },
      messageId: { N: "12100" },
      gateway: { S: "TSGW01ABC123456" },
      receivedAt: { S: "2026-11-21T09:03:00.000Z" },
    });
  });

  test("has the receive time, and says so, when a network-off event has none", () => {
    const { tsmTs: _, ...off } = message({ tsmEv: 18 });
    expect(itemOf(off)).toMatchObject({
      timestamp: { N: String(received / 1000) },
      timestampSource: { S: "receivedAt" },
    });
    expect(itemOf(message())).not.toHaveProperty("timestampSource");
  });

  test("keeps whole numbers that JavaScript cannot hold, with every digit", () => {
    const body = parseBody(
      '[{"tsmTuid":"a","tsmId":1,"tsmEv":0,"tsmTs":1,"serial":9007199254740993,"fine":0.1,"n":1.2345678901234567890123}]',
    );
    if ("problem" in body) throw new Error(body.problem);
    const item = itemOf(body.part(0, 1)[0]!.value as ThingseeMessage);
    expect(item.data!.M).toMatchObject({
      serial: { N: "9007199254740993" },
      fine: { N: "0.1" },
      n: { N: "1.2345678901234567890123" },
    });
  });

  test.each([
    ["a number beyond DynamoDB's range", { temp: 1e126 }, "temp is out of the range of DynamoDB"],
    ["a number of too many digits", { temp: parseExactly(`${"1".repeat(39)}`) }, "temp has more than the 38 digits"],
    ["a number too large for JavaScript", { a: { b: [parseExactly("1e999")] } }, "a.b[0] is out of the range"],
    ["more than 400 KB", { text: "x".repeat(410_000) }, "DynamoDB holds 409600"],
    ["text that is not Unicode", { text: "\ud800" }, "text is not well-formed"],
    ["a field that would become a prototype", JSON.parse('{"a":{"__proto__":1}}'), "a.__proto__ is a field name"],
  ])("is refused with %s", (_, fields, reason) => {
    expect(refusalOf(message(fields))).toContain(reason);
  });
});

describe("a message", () => {
  test.each([
    ["null", null, "must be a JSON object, not null"],
    ["a number", 42, "must be a JSON object"],
    ["an array in the array", [message()], "must be a JSON object, not an array"],
    ["no device", message({ tsmTuid: undefined }), "tsmTuid must be text, not missing"],
    ["an empty device", message({ tsmTuid: "" }), "tsmTuid must be text, not empty text"],
    ["a message id as text", { ...message(), tsmId: "12100" }, "tsmId must be a whole number"],
    ["no event", message({ tsmEv: undefined }), "tsmEv must be a whole number"],
    ["no time", message({ tsmTs: undefined }), "tsmTs is missing"],
    ["a time as text", { ...message(), tsmTs: "NaN" }, "tsmTs must be a number of seconds"],
    ["a time in milliseconds", message({ tsmTs: 1520416221000 }), "looks like another unit"],
    ["a time before 1970", message({ tsmTs: -1 }), "tsmTs must be seconds since 1970"],
    ["33 levels", message({ a: JSON.parse("[".repeat(32) + "]".repeat(32)) }), "nested deeper than the 32 levels"],
  ])("is refused with %s, and the reason says so", (_, value, reason) => {
    expect(problemOf(value)).toContain(reason);
  });

  test("is told of all that is wrong with it at once", () => {
    expect(problemOf({ tsmTs: 1 })).toMatch(/tsmTuid.*tsmId.*tsmEv/);
  });

  test("passes with decimals in its time, and without a time when the network went off", () => {
    expect(problemOf(message({ tsmTs: 1520416221.123 }))).toBeUndefined();
    expect(problemOf(message({ tsmEv: 18, tsmTs: undefined }))).toBeUndefined();
  });
});

describe("numbers", () => {
  test("that JavaScript prints as they came stay numbers", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(parseExactly(JSON.stringify([n]))).toEqual([Object.is(n, -0) ? 0 : n]);
      }),
    );
  });

  test("with more digits than JavaScript holds are printed with all of them", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 120n }), (n) => {
        const [parsed] = parseExactly(`[${n}]`) as unknown[];
        expect(decimal(JSON.stringify(parsed))).toEqual(decimal(String(n)));
      }),
    );
  });
});

describe("a body", () => {
  test("is cut into the very texts of its elements", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(4), (values, indent) => {
        const texts = elementTexts(JSON.stringify(values, null, indent));
        expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  test("of a million brackets is read without an overflow", () => {
    const body = parseBody(`[${"[".repeat(1e6)}${"]".repeat(1e6)},{"a":12345678901234567890}]`);
    if ("problem" in body) throw new Error(body.problem);
    expect(problemOf(body.part(0, 1)[0]!.value)).toContain("not an array");
    expect(body.texts()[0]).toHaveLength(2e6);
    expect(body.texts((index) => index === 1)[0]).toBe('{"a":12345678901234567890}');
  });
});
