import type { NormalizedSchema } from "@smithy/core/schema";
import { serializationError } from "../errors";

/** Turns a parsed JSON value into what the SDK's types say, or back. */
export type Convert = (value: unknown) => unknown;

type Json = Record<string, unknown>;

/** Left alone by both directions: the value is the same on the wire and in the program. */
const same: Convert = (value) => value;

const kinds: Record<string, string> = {
  string: "STRING_VALUE",
  number: "NUMBER_VALUE",
  boolean: "TRUE_VALUE",
  object: "START_OBJECT",
};

const mismatch = (value: unknown, wanted: string) =>
  serializationError(`${Array.isArray(value) ? "START_ARRAY" : kinds[typeof value]} can not be converted to ${wanted}`);

/** The SDK's number for a timestamp with the trait `date-time`. */
const isoTimestamp = 5;

/** Reads a timestamp in any of the formats that AWS's front ends take: epoch seconds, ISO 8601, HTTP date. */
export function toDate(value: unknown): Date {
  let date = typeof value === "number" ? new Date(value * 1000) : new Date(String(value));
  if (Number.isNaN(date.getTime()) && /^\d+(\.\d+)?$/.test(String(value))) date = new Date(Number(value) * 1000);
  if (Number.isNaN(date.getTime())) throw mismatch(value, "a Timestamp");
  return date;
}

/**
 * JSON codecs made once for each schema, as plain closures: they drop members that the model does not have, refuse
 * wrong types as AWS does (SerializationException), and turn base64 and epoch seconds into bytes and dates.
 */
export class JsonCodec {
  private readonly decoders = new Map<unknown, Convert>();
  private readonly encoders = new Map<unknown, Convert>();

  /** @param useJsonName whether members travel under their `jsonName` (REST) or their own name (json 1.0 and 1.1). */
  constructor(private readonly useJsonName: boolean) {}

  decoder(schema: NormalizedSchema): Convert {
    return this.compiled(this.decoders, schema, (s) => this.compileDecoder(s));
  }

  encoder(schema: NormalizedSchema): Convert {
    return this.compiled(this.encoders, schema, (s) => this.compileEncoder(s));
  }

  /** Schemas refer to themselves (AttributeValue): while one is being made, others get a forwarding closure. */
  private compiled(cache: Map<unknown, Convert>, schema: NormalizedSchema, compile: (s: NormalizedSchema) => Convert) {
    if (!schema.isStructSchema() && !schema.isListSchema() && !schema.isMapSchema()) return compile(schema);
    const key = schema.getSchema();
    const known = cache.get(key);
    if (known) return known;
    let made: Convert | undefined;
    cache.set(key, (value) => made!(value));
    made = compile(schema);
    cache.set(key, made);
    return made;
  }

  private members(schema: NormalizedSchema, convert: (member: NormalizedSchema) => Convert) {
    return [...schema.structIterator()].map(([name, member]) => {
      const traits = member.getMergedTraits();
      return { name, wire: (this.useJsonName && traits.jsonName) || name, convert: convert(member) };
    });
  }

  private compileDecoder(schema: NormalizedSchema): Convert {
    if (schema.isStructSchema()) {
      const members = this.members(schema, (m) => this.decoder(m));
      return (value) => {
        if (!isObject(value)) throw mismatch(value, "a Structure");
        const out: Json = {};
        for (const { name, wire, convert } of members) {
          const given = value[wire];
          if (given !== undefined && given !== null && Object.hasOwn(value, wire)) out[name] = convert(given);
        }
        return out;
      };
    }
    if (schema.isListSchema()) {
      const convert = this.decoder(schema.getValueSchema());
      const sparse = Boolean(schema.getMergedTraits().sparse);
      return (value) => {
        if (!Array.isArray(value)) throw mismatch(value, "a List");
        for (let i = 0; i < value.length; i++) {
          if (value[i] !== null) value[i] = convert(value[i]);
          else if (!sparse) throw serializationError("NULL_VALUE can not be an element of a List");
        }
        return value;
      };
    }
    if (schema.isMapSchema()) {
      const convert = this.decoder(schema.getValueSchema());
      return (value) => {
        if (!isObject(value)) throw mismatch(value, "a Map");
        // Written in place: a key such as "__proto__" is an own property of what JSON.parse gave, and stays one.
        for (const key of Object.keys(value)) if (value[key] !== null) value[key] = convert(value[key]);
        return value;
      };
    }
    if (schema.isBlobSchema()) {
      return (value) => {
        if (typeof value !== "string") throw mismatch(value, "a Blob");
        if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 === 1) throw mismatch(value, "a Blob");
        return Buffer.from(value, "base64");
      };
    }
    if (schema.isTimestampSchema()) return toDate;
    if (schema.isStringSchema()) return expecting("string", "a String");
    if (schema.isBooleanSchema()) return expecting("boolean", "a Boolean");
    if (schema.isNumericSchema()) {
      return (value) => {
        if (typeof value === "number") return value;
        if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
        throw mismatch(value, "a Number");
      };
    }
    return same;
  }

  private compileEncoder(schema: NormalizedSchema): Convert {
    if (schema.isStructSchema()) {
      const members = this.members(schema, (m) => this.encoder(m));
      return (value) => {
        const given = value as Json;
        const out: Json = {};
        for (const { name, wire, convert } of members) {
          const member = given[name];
          if (member !== undefined && member !== null) out[wire] = convert(member);
        }
        return out;
      };
    }
    if (schema.isListSchema()) {
      const convert = this.encoder(schema.getValueSchema());
      if (convert === same) return same;
      return (value) => (value as unknown[]).map((element) => (element === null ? null : convert(element)));
    }
    if (schema.isMapSchema()) {
      const convert = this.encoder(schema.getValueSchema());
      if (convert === same) return same;
      return (value) => {
        const given = value as Json;
        const out: Json = {};
        for (const key of Object.keys(given)) {
          const converted = given[key] === null ? null : convert(given[key]);
          if (key === "__proto__") Object.defineProperty(out, key, { value: converted, enumerable: true });
          else out[key] = converted;
        }
        return out;
      };
    }
    if (schema.isBlobSchema()) return (value) => toBuffer(value).toString("base64");
    if (schema.isTimestampSchema()) {
      // A shape may ask for ISO 8601 (API Gateway v2 does); JSON has epoch seconds otherwise.
      const isText = schema.getSchema() === isoTimestamp;
      return (value) => (value instanceof Date ? (isText ? value.toISOString() : value.getTime() / 1000) : value);
    }
    return same;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const expecting =
  (type: string, wanted: string): Convert =>
  (value) => {
    if (typeof value === type) return value;
    throw mismatch(value, wanted);
  };

/** The bytes of a blob, however a service holds them. */
export const toBuffer = (value: unknown): Buffer =>
  typeof value === "string"
    ? Buffer.from(value)
    : Buffer.isBuffer(value)
      ? value
      : ArrayBuffer.isView(value)
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        : Buffer.alloc(0);

/**
 * Parses a request body and converts it. An empty one is an empty object, as AWS takes it.
 *
 * @throws AwsError SerializationException for anything that is not JSON, has wrong types or is nested without end.
 */
export function readJson(body: Buffer, convert: Convert): Record<string, unknown> {
  if (body.length === 0) return convert({}) as Record<string, unknown>;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString("utf8"));
  } catch {
    throw serializationError("The request body is not valid JSON");
  }
  try {
    return convert(parsed) as Record<string, unknown>;
  } catch (error) {
    // The stack is the only limit on how deep a shape that contains itself may go.
    if (error instanceof RangeError) throw serializationError("The request body is nested too deeply");
    throw error;
  }
}
