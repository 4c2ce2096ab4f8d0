import type { NormalizedSchema } from "@smithy/core/schema";
import fc from "fast-check";
import { hostileAccount } from "./belongings";
import { json, texts } from "./values";

const arn = (service: string, resource: string) => `arn:aws:${service}:eu-west-1:${hostileAccount}:${resource}`;

/** What means something to one service or another. */
const known = fc.constantFrom(
  ...["hostile", arn("sqs", "hostile"), arn("lambda", "function:hostile"), arn("dynamodb", "table/hostile")],
  ...[arn("iam", "role/hostile").replace("eu-west-1", ""), "arn:aws:s3:::hostile", "arn:aws:x:y:z", "*", "1", "true"],
  ...['{"Version":"2012-10-17","Statement":[]}', '{"Statement":{"Effect":"Allow"}}', "[]", "{", "2026-01-01T00:00:00Z"],
  ...["SELECT * FROM 'a'", "rate(1 day)", "S", "HASH", "GET", "AWS_PROXY", "$default", "index.handler", "nodejs24.x"],
);

/** Members that name something: there, what the caller has is likelier than anything else. */
const isReference = (name: string) => /(name|id|ids|arn|url|bucket|key|identifier)$/i.test(name);

/** Makes inputs for an operation's schema: mostly of the right types, with the members' own names. */
export class Inputs {
  private readonly own: fc.Arbitrary<string>;
  private readonly text: fc.Arbitrary<string>;

  /** @param ids of what the caller has. */
  constructor(ids: readonly string[]) {
    this.own = fc.oneof(
      { weight: 2, arbitrary: fc.constant("hostile") },
      { weight: 1, arbitrary: fc.constantFrom(...ids) },
    );
    this.text = fc.oneof(
      { weight: 2, arbitrary: this.own },
      { weight: 3, arbitrary: known },
      { weight: 2, arbitrary: texts },
    );
  }

  of(schema: NormalizedSchema): fc.Arbitrary<Record<string, unknown>> {
    return schema.isStructSchema() ? this.struct(schema, 0) : fc.constant({});
  }

  private struct(schema: NormalizedSchema, depth: number): fc.Arbitrary<Record<string, unknown>> {
    // What the model asks for comes first in it.
    const members = [...schema.structIterator()].map(
      ([name, member], place) =>
        [name, fc.option(this.value(member, name, depth + 1), { nil: undefined, freq: place < 3 ? 8 : 1 })] as const,
    );
    const all = fc.record(Object.fromEntries(members));
    return all.map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)));
  }

  private value(schema: NormalizedSchema, name: string, depth: number): fc.Arbitrary<unknown> {
    const wrong = json.map((text) => JSON.parse(text) as unknown);
    return fc.oneof({ weight: 40, arbitrary: this.right(schema, name, depth) }, { weight: 1, arbitrary: wrong });
  }

  private right(schema: NormalizedSchema, name: string, depth: number): fc.Arbitrary<unknown> {
    if (depth > 5) return fc.constant(null);
    if (schema.isStructSchema()) return this.struct(schema, depth);
    if (schema.isListSchema()) return fc.array(this.value(schema.getValueSchema(), name, depth + 1), { maxLength: 3 });
    if (schema.isMapSchema())
      return fc.dictionary(this.text, this.value(schema.getValueSchema(), name, depth + 1), { maxKeys: 3 });
    if (schema.isBooleanSchema()) return fc.boolean();
    if (schema.isNumericSchema()) return fc.constantFrom(0, 1, -1, 10, 1e15, 0.5, 1e300, 300);
    if (schema.isTimestampSchema())
      return fc.constantFrom(0, 1_700_000_000, -1, 1e300, "9".repeat(20), "2026-01-01T00:00:00Z", "x");
    if (schema.isBlobSchema()) return fc.constantFrom("", "aGk=", "!", "e30=");
    if (!isReference(name)) return this.text;
    return fc.oneof({ weight: 6, arbitrary: this.own }, { weight: 1, arbitrary: this.text });
  }
}
