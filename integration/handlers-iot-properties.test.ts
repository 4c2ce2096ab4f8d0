import fc from "fast-check";
import { expect, test } from "vitest";
import { denied, streamRecord, useIoTFunctions } from "./harness/iot-functions";
import { drain } from "./harness/queues";

const iot = useIoTFunctions();
const { start, consume, inOrder, letters, sinks } = iot;

const COUNT = 12;
const failing = ["BatchWriteItem", "SendMessage", "SendMessageBatch", "Query"];

/** One run: which messages are poison, which calls fail, and how many records come at a time. */
const runs = fc.record({
  poison: fc.uniqueArray(fc.nat(COUNT - 1), { maxLength: 3 }),
  faults: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
  size: fc.integer({ min: 1, max: COUNT }),
});

let run = 0;
test("whatever calls fail and however batches come again, every good message is in every sink, in order, and every poison one in a letter", async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ poison, faults, size }) => {
      // Devices, and places in the stream, of this run's own.
      const device = `sensor-${++run}`;
      const first = run * 1000;
      const isPoison = (n: number) => poison.includes(n);
      const records = Array.from({ length: COUNT }, (_, n) =>
        streamRecord(first + n, isPoison(n) ? `poison ${n}` : { n }, { device }),
      );
      let calls = 0;
      iot.world.aws.fault = (operation) => (failing.includes(operation) && faults[calls++] ? denied : undefined);

      // As Lambda does: from the first record that is to come again, in halves when it is not clear which.
      const one = start([sinks.table, sinks.queue]);
      let [from, now] = [0, size];
      while (from < COUNT) {
        const batch = records.slice(from, from + now);
        const again = await consume(one, batch, { remainingMs: 150 }).catch(() => first + from);
        now = again === first + from ? Math.max(1, Math.floor(batch.length / 2)) : size;
        from = again === undefined ? from + batch.length : again - first;
      }
      iot.world.aws.fault = () => undefined;

      const good = Array.from({ length: COUNT }, (_, n) => n).filter((n) => !isPoison(n));
      expect(await inOrder(device)).toEqual(good);
      const live = (await drain(iot.world.sqs, iot.world.live)) as unknown as { data: { n: number } }[][];
      expect([...new Set(live.flat().map(({ data }) => data.n))]).toEqual(good);
      const texts = (await letters()).map(({ text }) => text);
      expect(new Set(texts)).toEqual(new Set([...poison].sort((a, b) => a - b).map((n) => `poison ${n}`)));
    }),
    { numRuns: 25 },
  );
}, 60_000);
