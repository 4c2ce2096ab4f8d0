import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanCommand,
  type CreateUsagePlanCommandInput,
  CreateUsagePlanKeyCommand,
  DeleteStageCommand,
  GetUsageCommand,
  UpdateApiKeyCommand,
  UpdateStageCommand,
  UpdateUsageCommand,
  UpdateUsagePlanCommand,
} from "@aws-sdk/client-api-gateway";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { outcome, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
beforeAll(() => {
  client = new APIGatewayClient(settings(emulator.current));
});

const forbidden = { status: 403, body: '{"message":"Forbidden"}', errorType: "ForbiddenException" };
const tooMany = { status: 429, body: '{"message":"Too Many Requests"}', errorType: "TooManyRequestsException" };
const spent = { status: 429, body: '{"message":"Limit Exceeded"}', errorType: "LimitExceededException" };

/** An API whose method needs a key, and a plan with one key for it. */
async function protectedApi(plan: Partial<CreateUsagePlanCommandInput> = {}) {
  const api = await RestApiBuilder.create(client, emulator.current);
  await api.add("GET /", { method: { apiKeyRequired: true } });
  await api.add("GET /open");
  const url = await api.deploy();
  const { id: keyId, value } = await client.send(new CreateApiKeyCommand({ name: "device", enabled: true }));
  const { id: usagePlanId } = await client.send(
    new CreateUsagePlanCommand({ name: "plan", apiStages: [{ apiId: api.id, stage: "prod" }], ...plan }),
  );
  await client.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: "API_KEY" }));
  const call = (key = value!) => outcome(fetch(url, { headers: { "x-api-key": key } }));
  return { api, url, keyId: keyId!, usagePlanId: usagePlanId!, value: value!, call };
}

describe("API keys", () => {
  test("a key of a plan of the stage lets a request in", async () => {
    const { call } = await protectedApi();
    expect((await call()).status).toBe(200);
  });

  test("no key and an unknown key give 403 Forbidden", async () => {
    const { url, call } = await protectedApi();
    expect(await outcome(fetch(url))).toEqual(forbidden);
    expect(await call("not-a-key-of-any-plan")).toEqual(forbidden);
  });

  test("a key that no plan of the stage holds gives 403 Forbidden", async () => {
    const { call } = await protectedApi();
    const { value } = await client.send(new CreateApiKeyCommand({ enabled: true }));
    expect(await call(value)).toEqual(forbidden);
  });

  test("a disabled key gives 403 Forbidden", async () => {
    const { call, keyId } = await protectedApi();
    await client.send(
      new UpdateApiKeyCommand({
        apiKey: keyId,
        patchOperations: [{ op: "replace", path: "/enabled", value: "false" }],
      }),
    );
    expect(await call()).toEqual(forbidden);
  });

  test("a method that needs no key counts for no plan", async () => {
    const { url, usagePlanId, keyId } = await protectedApi({ quota: { limit: 1, period: "DAY" } });
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}/open`)).status).toBe(200);
    const today = new Date(emulator.current.clock.now()).toISOString().slice(0, 10);
    const usage = await client.send(new GetUsageCommand({ usagePlanId, keyId, startDate: today, endDate: today }));
    expect(usage.items).toEqual({ [keyId]: [[0, 1]] });
  });
});

describe("throttling", () => {
  test("a plan lets its burst through, then as many a second as its rate says", async () => {
    const { call } = await protectedApi({ throttle: { rateLimit: 0.01, burstLimit: 2 } });
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
    expect(await call()).toEqual(tooMany);
    await emulator.current.clock.advance("100 seconds");
    expect((await call()).status).toBe(200);
    expect(await call()).toEqual(tooMany);
  });

  test("a plan never lets more through than its burst and what its rate refilled since", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 3 })), { maxLength: 4 }),
        async (burstLimit, steps) => {
          // One token in ten seconds: the real time that the requests take does not count.
          const { call } = await protectedApi({ throttle: { rateLimit: 0.1, burstLimit } });
          let tokens = burstLimit;
          for (const [seconds, requests] of steps) {
            await emulator.current.clock.advance(seconds * 1000);
            tokens = Math.min(burstLimit, tokens + seconds / 10);
            for (let i = 0; i < requests; i++) {
              if ((await call()).status === 200) tokens--;
              expect(tokens).toBeGreaterThan(-0.5);
            }
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test.each([
    ["~1slow~1GET", "/slow/GET", "escaped"],
    ["/slow/GET", "/slow/GET", "with plain slashes"],
  ])("a plan's limit for the method %s (%s, %s) leaves the other methods alone", async (path, key) => {
    const { api, url, usagePlanId, call, value } = await protectedApi();
    await api.add("GET /slow", { method: { apiKeyRequired: true } });
    await api.deploy();
    const patch = (name: string, limit: string) => ({
      op: "replace" as const,
      path: `/apiStages/${api.id}:prod/throttle/${path}/${name}`,
      value: limit,
    });
    const { apiStages } = await client.send(
      new UpdateUsagePlanCommand({
        usagePlanId,
        patchOperations: [patch("rateLimit", "0.01"), patch("burstLimit", "1")],
      }),
    );
    expect(apiStages![0]!.throttle).toEqual({ [key]: { rateLimit: 0.01, burstLimit: 1 } });
    const slow = () => outcome(fetch(`${url}/slow`, { headers: { "x-api-key": value } }));
    expect((await slow()).status).toBe(200);
    expect(await slow()).toEqual(tooMany);
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
  });

  test.each([
    ["all methods", "/*/*"],
    ["one method, its path escaped", "/~1slow/GET"],
    ["one method, its path without the first slash", "/slow/GET"],
  ])("a stage limits %s", async (_, path) => {
    const api = await RestApiBuilder.create(client, emulator.current);
    const url = await (await api.add("GET /slow")).deploy();
    await client.send(
      new UpdateStageCommand({
        restApiId: api.id,
        stageName: "prod",
        patchOperations: [
          { op: "replace", path: `${path}/throttling/rateLimit`, value: "0.01" },
          { op: "replace", path: `${path}/throttling/burstLimit`, value: "1" },
        ],
      }),
    );
    expect((await fetch(`${url}/slow`)).status).toBe(200);
    expect(await outcome(fetch(`${url}/slow`))).toEqual(tooMany);
  });
});

describe("quotas", () => {
  test("a spent quota gives 429 Limit Exceeded until the next day", async () => {
    const { call } = await protectedApi({ quota: { limit: 2, period: "DAY" } });
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
    expect(await call()).toEqual(spent);
    await emulator.current.clock.advance("1 day");
    expect((await call()).status).toBe(200);
  });

  test.each([
    ["WEEK" as const, "7 days"],
    ["MONTH" as const, "31 days"],
  ])("a quota for a %s is full again %s later", async (period, later) => {
    const { call } = await protectedApi({ quota: { limit: 1, period } });
    expect((await call()).status).toBe(200);
    expect(await call()).toEqual(spent);
    await emulator.current.clock.advance(later);
    expect((await call()).status).toBe(200);
  });

  test("usage tells what a key used and has left, and an extension lets it go on", async () => {
    const { call, usagePlanId, keyId } = await protectedApi({ quota: { limit: 1, period: "DAY" } });
    await call();
    expect(await call()).toEqual(spent);
    const extended = await client.send(
      new UpdateUsageCommand({
        usagePlanId,
        keyId,
        patchOperations: [{ op: "replace", path: "/remaining", value: "1" }],
      }),
    );
    expect(extended.items).toEqual({ [keyId]: [[1, 1]] });
    expect((await call()).status).toBe(200);
    expect(await call()).toEqual(spent);
  });
});

describe("plans and keys", () => {
  test("a stage that a plan uses cannot be deleted", async () => {
    const { api } = await protectedApi();
    await expect(client.send(new DeleteStageCommand({ restApiId: api.id, stageName: "prod" }))).rejects.toThrow(
      "is associated with usage plan",
    );
  });

  test("one key cannot open one stage through two plans", async () => {
    const { api, keyId } = await protectedApi();
    const { id } = await client.send(
      new CreateUsagePlanCommand({ name: "second", apiStages: [{ apiId: api.id, stage: "prod" }] }),
    );
    await expect(
      client.send(new CreateUsagePlanKeyCommand({ usagePlanId: id, keyId, keyType: "API_KEY" })),
    ).rejects.toMatchObject({ name: "ConflictException" });
  });

  test("a plan for a stage that is not there is refused", async () => {
    await expect(
      client.send(new CreateUsagePlanCommand({ name: "none", apiStages: [{ apiId: "abc", stage: "prod" }] })),
    ).rejects.toMatchObject({ name: "NotFoundException" });
  });

  test.each([
    ["x".repeat(19), "at least 20 characters"],
    ["x".repeat(129), "maximum size of 128 characters"],
  ])("a key value of the wrong length is refused", async (value, problem) => {
    await expect(client.send(new CreateApiKeyCommand({ value }))).rejects.toThrow(problem);
  });
});
