import type { NormalizedSchema } from "@smithy/core/schema";
import { serializationError } from "../errors";
import { toBuffer, toDate } from "./json";
import type { WireRequest } from "./wire";

type Members = Record<string, unknown>;

/** Where a member of an input or output travels. */
type Place =
  | { kind: "label" }
  | { kind: "query"; name: string }
  | { kind: "queryParams" }
  | { kind: "header"; name: string }
  | { kind: "prefix"; prefix: string }
  | { kind: "payload" }
  | { kind: "status" }
  | { kind: "body" };

export interface BoundMember {
  readonly name: string;
  readonly schema: NormalizedSchema;
  readonly place: Place;
}

/** The members of a REST input or output with the place of each, from the HTTP binding traits. */
export function bind(schema: NormalizedSchema): readonly BoundMember[] {
  if (!schema.isStructSchema()) return [];
  return [...schema.structIterator()].map(([name, member]) => ({ name, schema: member, place: placeOf(member) }));
}

function placeOf(member: NormalizedSchema): Place {
  const traits = member.getMergedTraits();
  if (traits.httpLabel) return { kind: "label" };
  if (traits.httpQuery) return { kind: "query", name: traits.httpQuery };
  if (traits.httpQueryParams) return { kind: "queryParams" };
  if (traits.httpHeader) return { kind: "header", name: traits.httpHeader.toLowerCase() };
  if (traits.httpPrefixHeaders !== undefined) return { kind: "prefix", prefix: traits.httpPrefixHeaders.toLowerCase() };
  if (traits.httpPayload) return { kind: "payload" };
  if (traits.httpResponseCode) return { kind: "status" };
  return { kind: "body" };
}

/** Reads what the address and the headers carry; payload and body are left to the caller. */
export function readBindings(
  members: readonly BoundMember[],
  labels: Record<string, string>,
  query: URLSearchParams,
  request: WireRequest,
): Members {
  const input: Members = {};
  for (const { name, schema, place } of members) {
    if (place.kind === "label") {
      if (labels[name] !== undefined) input[name] = fromText(schema, labels[name]);
    } else if (place.kind === "query") {
      if (!query.has(place.name)) continue;
      input[name] = schema.isListSchema()
        ? query.getAll(place.name).map((text) => fromText(schema.getValueSchema(), text))
        : fromText(schema, query.get(place.name)!);
    } else if (place.kind === "queryParams") {
      const bound = new Set(members.flatMap((m) => (m.place.kind === "query" ? [m.place.name] : [])));
      input[name] = Object.fromEntries([...query].filter(([key]) => !bound.has(key)));
    } else if (place.kind === "header") {
      const text = request.headers[place.name];
      if (text === undefined || (text === "" && !schema.isStringSchema())) continue;
      // RFC 9110 13.1.3: a condition whose date cannot be read is ignored.
      if (place.name.startsWith("if-") && schema.isTimestampSchema() && Number.isNaN(Date.parse(text))) continue;
      input[name] = schema.isListSchema()
        ? text.split(",").map((part) => fromText(schema.getValueSchema(), part.trim()))
        : fromText(schema, text);
    } else if (place.kind === "prefix") {
      const found = Object.entries(request.headers).filter(([key]) => key.startsWith(place.prefix));
      if (found.length > 0) {
        input[name] = Object.fromEntries(found.map(([key, value]) => [key.slice(place.prefix.length), value ?? ""]));
      }
    }
  }
  return input;
}

/** A simple value out of a header, query parameter, path label or form field. */
export function fromText(schema: NormalizedSchema, text: string): unknown {
  if (schema.isBooleanSchema()) {
    if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
    throw serializationError(`"${text}" can not be converted to a Boolean`);
  }
  if (schema.isNumericSchema()) {
    const number = Number(text);
    if (text.trim() === "" || Number.isNaN(number))
      throw serializationError(`"${text}" can not be converted to a Number`);
    return number;
  }
  if (schema.isTimestampSchema()) return toDate(text);
  if (schema.isBlobSchema()) return Buffer.from(text, "base64");
  return text;
}

function toText(schema: NormalizedSchema, value: unknown, inHeader: boolean): string {
  if (value instanceof Date) {
    if (schema.isTimestampSchema() && !inHeader) return value.toISOString().replace(/\.000Z$/, "Z");
    return value.toUTCString();
  }
  if (schema.isBlobSchema()) return toBuffer(value).toString("base64");
  return String(value);
}

/** Splits an output into headers, an overriding status, a payload member and the members of the body. */
export function writeBindings(members: readonly BoundMember[], output: Members) {
  const headers: Record<string, string> = {};
  const body: Members = {};
  let status: number | undefined;
  let payload: BoundMember | undefined;
  for (const member of members) {
    const { name, schema, place } = member;
    if (place.kind === "payload") payload = member;
    const value = output[name];
    if (value === undefined || value === null) continue;
    if (place.kind === "header") {
      headers[place.name] = Array.isArray(value)
        ? value.map((part) => toText(schema.getValueSchema(), part, true)).join(", ")
        : toText(schema, value, true);
    } else if (place.kind === "prefix") {
      for (const [key, text] of Object.entries(value as Record<string, string>)) headers[place.prefix + key] = text;
    } else if (place.kind === "status") status = Number(value);
    // In an answer there is no address: what has a place there in the model is in the body.
    else if (place.kind !== "payload") body[name] = value;
  }
  return { headers, status, payload, body };
}
