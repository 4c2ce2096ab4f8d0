import { evaluate, parseSql, type SqlContext } from "../../../emulator/services/iot/sql";

/** A payload as bytes: text as it is, anything else as JSON. */
export const bytes = (payload: unknown): Buffer =>
  Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));

/** What the rules engine knows of a message, with the values of AWS's own examples. */
export const contextOf = (payload: unknown, more: Partial<SqlContext> = {}): SqlContext => ({
  topic: "things/myThings/thingOne",
  payload: bytes(payload),
  clientId: "thermostat-7",
  principal: "ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373",
  sourceIp: "192.0.2.10",
  timestamp: 1_481_825_251_155,
  traceId: "12345678-1234-1234-1234-123456789012",
  accountId: "123456789012",
  region: "eu-west-1",
  newUuid: () => "123a4567-b89c-12d3-e456-789012345000",
  random: () => 0.8231909191640703,
  ...more,
});

/** A statement, the message, and what comes out; undefined when WHERE does not hold. */
export interface Case {
  readonly sql: string;
  readonly payload?: unknown;
  readonly version?: string;
  /** As JSON text when the digits matter, which JavaScript's numbers would lose. */
  readonly gives: unknown;
}

/** `expression` by `SELECT VALUE`; `undefined` stands for Undefined. */
export type ExpressionCase = readonly [expression: string, gives: unknown, payload?: unknown];

export const json = (text: string) => ({ text });

/** The outcome of a statement, in a form that can be compared with {@link Case.gives}. */
export function outcome({ sql, payload = {}, version = "2016-03-23", gives }: Case): unknown {
  const result = evaluate(parseSql(sql, version), contextOf(payload));
  const exact = typeof gives === "object" && gives !== null && "text" in gives;
  if (exact) return { text: JSON.stringify(result) };
  return Buffer.isBuffer(result) || result === undefined ? result : JSON.parse(JSON.stringify(result));
}

/** Undefined by itself is serialized as nothing. */
export const expressionCase = ([expression, gives, payload]: ExpressionCase): Case => ({
  sql: `SELECT VALUE ${expression} FROM 'a/b'`,
  payload,
  gives: gives === undefined ? Buffer.alloc(0) : gives,
});
