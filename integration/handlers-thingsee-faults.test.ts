import { assert, asyncProperty, integer, record } from "fast-check";
import { expect, test } from "vitest";
import type { ThingseeMessage } from "../handlers/thingsee/message";
import { many, message, useThingseeFunctions } from "./harness/thingsee-functions";

const thingsee = useThingseeFunctions();
const { start, post, stored, drain } = thingsee;

/** The times of messages, which tell them apart. */
const timesStored = async () => (await stored()).map(({ sortKey }) => Date.parse(sortKey!.S!.split("#")[0]!) / 1000);
const timesOfLetters = async () =>
  (await drain(thingsee.world.deadLetters)).map(({ message }) => (message as ThingseeMessage).tsmTs);

test("stores what DynamoDB leaves unprocessed, however it chooses, until all is stored", async () => {
  const receive = start("receive", thingsee.direct);
  thingsee.faults.inject({ fault: "partialFailure", service: "dynamodb", resource: "messages", share: 0.4, count: 3 });
  expect(await post(receive, many(25))).toMatchObject({ http: 200, accepted: 25, rejected: 0 });
  expect(await timesStored()).toHaveLength(25);
});

test("stores once what it wrote without hearing so", async () => {
  const receive = start("receive", thingsee.direct);
  thingsee.faults.inject({ fault: "drop", service: "dynamodb", operation: "BatchWriteItem", after: true, count: 2 });
  expect(await post(receive, many(25))).toMatchObject({ http: 200, accepted: 25, rejected: 0 });
  expect(await timesStored()).toHaveLength(25);
});

test("stores, dead-letters or asks for each message again, whatever fails in part or as a whole", async () => {
  const receive = start("receive", thingsee.direct);
  let runs = 0;
  const options = record({
    seed: integer({ min: 0 }),
    table: integer({ min: 0, max: 9 }),
    queue: integer({ min: 0, max: 9 }),
  });
  await assert(
    asyncProperty(options, async ({ seed, table, queue }) => {
      const { faults } = thingsee;
      const begin = 30 * runs++;
      const messages = Array.from({ length: 30 }, (_, n) => message(begin + n));
      const write = { service: "dynamodb", operation: "BatchWriteItem", seed } as const;
      faults.inject({ ...write, fault: "partialFailure", probability: table / 10 });
      faults.inject({ ...write, fault: "throttle", probability: table / 20 });
      faults.inject({ ...write, fault: "error", after: true, probability: table / 20 });
      const letter = { service: "sqs", operation: "SendMessageBatch", seed } as const;
      faults.inject({ ...letter, fault: "partialFailure", probability: queue / 10 });
      faults.inject({ ...letter, fault: "drop", probability: queue / 20 });
      const { http, rejected } = await post(receive, messages, { remainingMs: 700 });
      faults.clear();
      const [kept, letters] = [await timesStored(), await timesOfLetters()];
      const lost = messages.filter(({ tsmTs }) => !kept.includes(tsmTs!) && !letters.includes(tsmTs));
      // 503: the sender sends all of it again.
      if (http === 503) expect(await post(receive, messages)).toMatchObject({ http: 200, accepted: 30 });
      else expect([http, lost]).toEqual([200, []]);
      if (http === 200) expect(new Set(letters).size).toBe(rejected);
    }),
    { numRuns: 6 },
  );
});
