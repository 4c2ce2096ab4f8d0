import type { NormalizedSchema } from "@smithy/core/schema";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Authorizer } from "../emulator/core/access/authorizer";
import { anonymous, rootOf } from "../emulator/core/access/identity";
import type { Bus } from "../emulator/core/bus";
import { Clock } from "../emulator/core/clock";
import { Faults } from "../emulator/core/faults/faults";
import { AccountRate } from "../emulator/core/gateway/account-rate";
import { Journal } from "../emulator/core/journal/journal";
import { Services } from "../emulator/core/services";
import { registry } from "../emulator/registry";

const clock = new Clock();
const bus: Bus = {
  access: new Authorizer({ ready: (name) => services.ready(name) }, clock, true),
  to: (name) => services.to(name),
  ready: (name) => services.ready(name),
};
const journal = new Journal(clock);
const faults: Faults = new Faults(clock, () => services.known);
const quotas = {
  connectionsPerSecond: 500,
  requestsPerSecond: 10_000,
  requestBurst: 5_000,
  concurrentExecutions: 1000,
};
const hostFor = () => ({
  clock,
  bus,
  endpoint: () => "http://127.0.0.1:0",
  publicHost: () => "localhost:0",
  port: () => 0,
  quotas,
  accountRate: new AccountRate(clock, quotas),
  mqtt: { address: "127.0.0.1", ports: [0] },
  verifySignatures: true,
  faults,
  journal,
  report(error: unknown) {
    throw error;
  },
});
const services: Services = new Services(hostFor, faults, journal);
afterAll(() => services.close());

const names = Object.keys(registry);

/** What might stand where names, ARNs and expressions are expected. */
const texts = fc.constantFrom(
  ...["", "*", "a", ":", "a:b/c", "https://x/000000000000/q", "bucket/key?versionId=%E0%A4%A", "SET #a = :b, c.d"],
  ...["arn:aws:x", "arn:aws:dynamodb:r:000000000000:table/a/stream/b", "arn:aws:kinesis:r:1:stream/a/consumer/b:1"],
  ...["arn:aws:sns:r:1:t:s", "arn:aws:lambda:r:1:function:f:q", "arn:aws:lambda:r:1:event-source-mapping:x"],
  Buffer.from("[1]").toString("base64"),
);

/** Anything that a request of this shape can be. */
function anyOf(schema: NormalizedSchema, depth = 0): fc.Arbitrary<unknown> {
  if (schema.isStructSchema()) {
    const members = depth > 4 ? [] : [...schema.structIterator()];
    const model = Object.fromEntries(members.map(([name, member]) => [name, anyOf(member, depth + 1)]));
    return fc.record(model, { requiredKeys: [] });
  }
  if (schema.isListSchema()) return fc.array(anyOf(schema.getValueSchema(), depth + 1), { maxLength: 2 });
  if (schema.isMapSchema()) {
    // JSON may have a null in a map.
    return fc.dictionary(texts, fc.option(anyOf(schema.getValueSchema(), depth + 1)), { maxKeys: 2 });
  }
  if (schema.isBooleanSchema()) return fc.boolean();
  if (schema.isNumericSchema()) return fc.integer();
  if (schema.isTimestampSchema()) return fc.date({ noInvalidDate: true });
  return schema.isBlobSchema() ? fc.uint8Array({ maxLength: 3 }) : texts;
}

const isText = (values: unknown[]) => values.every((value) => value === undefined || typeof value === "string");

const contextOf = (account: string) => ({
  ...{ account, region: "eu-west-1", requestId: "", reply: {}, signal: new AbortController().signal },
  caller: { accessKeyId: account, account },
  identity: account === "" ? anonymous : rootOf(account),
  http: { method: "POST", url: "/", headers: {}, body: Buffer.of(), trailers: {}, sourceIp: "127.0.0.1" },
});

describe("every operation says what it wants allowed", () => {
  it.each(names)("%s", (name) => {
    const { operations, access } = services.get(name).service;
    expect(Object.keys(access).sort()).toEqual(Object.keys(operations).sort());
  });
});

describe("whatever a request says, nothing fails while that is found out", () => {
  it.each(names)("%s", (name) => {
    const { model, accesses } = services.get(name);
    for (const operation of Object.keys(services.get(name).service.operations)) {
      const input = anyOf(model.operations.get(operation)!.input);
      const accounts = fc.constantFrom("000000000000", "");
      fc.assert(
        fc.property(input, accounts, (given, account) => {
          for (const { action, resource, conditions = {} } of accesses(operation, given, contextOf(account)))
            expect([action, resource, ...Object.values(conditions).flat()]).toSatisfy(isText);
        }),
        { numRuns: 30 },
      );
    }
  });
});
