type Json = unknown;
type Schema = boolean | { [keyword: string]: Json };

/** Checks a value and adds what is wrong to `problems`. */
type Check = (value: Json, problems: string[]) => void;

/** The problems of a value; none when it fits. */
export type Validate = (value: Json) => string[];

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const equal = (one: Json, other: Json) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Prepares an API's model (JSON schema draft 4, https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html).
 * References reach `#/definitions/...` and other models of the API (`https://apigateway.amazonaws.com/restapis/<id>/models/<name>`).
 *
 * @param model the model's name; `source` gives the schema text of a model.
 * @returns undefined when the model's text is no schema, or one with a pattern that is no regular expression.
 */
export function compileSchema(model: string, source: (model: string) => string | undefined): Validate | undefined {
  const roots = new Map<string, Schema>();
  const compiled = new Map<Schema, Check>();
  const root = (name: string): Schema | undefined => {
    if (!roots.has(name)) {
      try {
        roots.set(name, JSON.parse(source(name) ?? "true") as Schema);
      } catch {
        return undefined;
      }
    }
    return roots.get(name);
  };
  const compile = (schema: Schema, home: string): Check => {
    const known = compiled.get(schema);
    if (known) return known;
    // A model may refer to itself: the check is known before its parts are.
    let check: Check = () => {};
    const late: Check = (value, problems) => check(value, problems);
    if (typeof schema === "object") compiled.set(schema, late);
    check = build(
      schema,
      (part) => compile(part, home),
      (reference) => resolve(reference, home),
    );
    return late;
  };
  const resolve = (reference: string, home: string): Check => {
    const [address = "", pointer = ""] = reference.split("#");
    const name = /\/models\/([^/]+)$/.exec(address)?.[1] ?? home;
    let schema: Json = root(name);
    for (const part of pointer.split("/").slice(1))
      schema = isObject(schema) ? schema[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
    return schema === undefined ? () => {} : compile(schema as Schema, name);
  };

  const start = root(model);
  if (start === undefined) return undefined;
  let check: Check;
  try {
    check = compile(start, model);
  } catch {
    return undefined;
  }
  return (value) => {
    const problems: string[] = [];
    check(value, problems);
    return problems;
  };
}

function build(schema: Schema, part: (schema: Schema) => Check, reference: (text: string) => Check): Check {
  if (schema === true) return () => {};
  if (schema === false) return (_, problems) => void problems.push("no value is allowed");
  if (typeof schema.$ref === "string") return reference(schema.$ref);
  const checks: Check[] = [];
  const add = (applies: (value: Json) => boolean, problem: string) =>
    checks.push((value, problems) => {
      if (!applies(value)) problems.push(problem);
    });
  const list = (keyword: string) => (Array.isArray(schema[keyword]) ? (schema[keyword] as Schema[]).map(part) : []);
  const fits = (check: Check, value: Json) => {
    const problems: string[] = [];
    check(value, problems);
    return problems.length === 0;
  };

  if (schema.type !== undefined) {
    const types = [schema.type].flat() as string[];
    checks.push((value, problems) => {
      const type = typeOf(value);
      if (!types.includes(type) && !(type === "integer" && types.includes("number")))
        problems.push(
          `instance type (${type}) does not match any allowed primitive type (allowed: ${JSON.stringify(types)})`,
        );
    });
  }
  if (Array.isArray(schema.enum)) {
    const values = schema.enum;
    add((value) => values.some((allowed) => equal(allowed, value)), "instance value not found in enum");
  }
  if ("const" in schema) add((value) => equal(schema.const, value), "instance value is not the constant");
  objectChecks(schema, part, checks);
  arrayChecks(schema, part, checks, add);
  scalarChecks(schema, add);
  for (const check of list("allOf")) checks.push(check);
  const any = list("anyOf");
  if (any.length)
    add((value) => any.some((check) => fits(check, value)), "instance failed to match at least one required schema");
  const one = list("oneOf");
  if (one.length)
    add(
      (value) => one.filter((check) => fits(check, value)).length === 1,
      "instance failed to match exactly one schema",
    );
  if (schema.not !== undefined) {
    const not = part(schema.not as Schema);
    add((value) => !fits(not, value), "instance matched a schema which it should not have");
  }
  return (value, problems) => {
    for (const check of checks) check(value, problems);
  };
}

function objectChecks(schema: Record<string, Json>, part: (schema: Schema) => Check, checks: Check[]): void {
  const properties = new Map(
    Object.entries(isObject(schema.properties) ? schema.properties : {}).map(([name, sub]) => [
      name,
      part(sub as Schema),
    ]),
  );
  const patterns = Object.entries(isObject(schema.patternProperties) ? schema.patternProperties : {}).map(
    ([pattern, sub]) => [new RegExp(pattern, "u"), part(sub as Schema)] as const,
  );
  const extra = schema.additionalProperties;
  const additional = isObject(extra) ? part(extra) : undefined;
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const { minProperties, maxProperties } = schema;
  if (
    !properties.size &&
    !patterns.length &&
    extra === undefined &&
    !required.length &&
    minProperties === undefined &&
    maxProperties === undefined
  )
    return;
  checks.push((value, problems) => {
    if (!isObject(value)) return;
    const missing = required.filter((name) => !Object.hasOwn(value, name));
    if (missing.length) problems.push(`object has missing required properties (${JSON.stringify(missing)})`);
    const unknown: string[] = [];
    for (const [name, item] of Object.entries(value)) {
      const check = properties.get(name);
      check?.(item, problems);
      const matched = patterns.filter(([pattern]) => pattern.test(name));
      for (const [, sub] of matched) sub(item, problems);
      if (check || matched.length) continue;
      if (extra === false) unknown.push(name);
      else additional?.(item, problems);
    }
    if (unknown.length)
      problems.push(`object instance has properties which are not allowed by the schema: ${JSON.stringify(unknown)}`);
    const count = Object.keys(value).length;
    if (typeof minProperties === "number" && count < minProperties) problems.push("object has too few properties");
    if (typeof maxProperties === "number" && count > maxProperties) problems.push("object has too many properties");
  });
}

function arrayChecks(
  schema: Record<string, Json>,
  part: (schema: Schema) => Check,
  checks: Check[],
  add: (applies: (value: Json) => boolean, problem: string) => void,
): void {
  const { items, minItems, maxItems, uniqueItems } = schema;
  if (Array.isArray(items)) {
    const parts = (items as Schema[]).map(part);
    checks.push((value, problems) => {
      if (Array.isArray(value))
        for (const [index, check] of parts.entries()) if (index < value.length) check(value[index], problems);
    });
  } else if (items !== undefined) {
    const check = part(items as Schema);
    checks.push((value, problems) => {
      if (Array.isArray(value)) for (const item of value) check(item, problems);
    });
  }
  if (typeof minItems === "number")
    add((value) => !Array.isArray(value) || value.length >= minItems, "array is too short");
  if (typeof maxItems === "number")
    add((value) => !Array.isArray(value) || value.length <= maxItems, "array is too long");
  if (uniqueItems === true)
    add(
      (value) => !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length,
      "array must not contain duplicate elements",
    );
}

function scalarChecks(
  schema: Record<string, Json>,
  add: (applies: (value: Json) => boolean, problem: string) => void,
): void {
  const { minLength, maxLength, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const text = (test: (value: string) => boolean, problem: string) =>
    add((value) => typeof value !== "string" || test(value), problem);
  const number = (test: (value: number) => boolean, problem: string) =>
    add((value) => typeof value !== "number" || test(value), problem);
  if (typeof minLength === "number") text((value) => [...value].length >= minLength, "string is too short");
  if (typeof maxLength === "number") text((value) => [...value].length <= maxLength, "string is too long");
  if (typeof pattern === "string") {
    const expression = new RegExp(pattern);
    text((value) => expression.test(value), `ECMA 262 regex "${pattern}" does not match input string`);
  }
  // Draft 4 has boolean exclusives beside the bound; later drafts have numbers.
  if (typeof minimum === "number")
    number(
      (value) => (exclusiveMinimum === true ? value > minimum : value >= minimum),
      "numeric instance is lower than the required minimum",
    );
  if (typeof maximum === "number")
    number(
      (value) => (exclusiveMaximum === true ? value < maximum : value <= maximum),
      "numeric instance is greater than the required maximum",
    );
  if (typeof exclusiveMinimum === "number")
    number((value) => value > exclusiveMinimum, "numeric instance is lower than the required minimum");
  if (typeof exclusiveMaximum === "number")
    number((value) => value < exclusiveMaximum, "numeric instance is greater than the required maximum");
  if (typeof multipleOf === "number")
    number((value) => Number.isInteger(Number((value / multipleOf).toFixed(9))), "numeric instance is not a multiple");
}
