import { resolve } from "node:path";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { deploy } from "../deploy";
import type { Figure } from "./report";
import { startServer } from "./servers";

const publishes = 200;
const settings = { region: "eu-west-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

/** Moves the clock by two weeks, in which all that a postbox holds expires. Gives the seconds that it took. */
async function twoWeeks(schedule: string): Promise<number> {
  const emulator = await startServer("emulator");
  const own = { ...settings, endpoint: emulator.url };
  const [s3, sqs] = [new S3Client({ ...own, forcePathStyle: true }), new SQSClient(own)];
  try {
    const program = resolve(__dirname, "programs", "postbox.js");
    const { outputs } = await deploy({ program, stack: "bench", endpoint: emulator.url, config: { schedule } });
    const text = (name: string) => String(outputs[name]?.value);
    const held = async () => {
      const { KeyCount = 0 } = await s3.send(
        new ListObjectsV2Command({ Bucket: text("bucket"), Prefix: "published/" }),
      );
      const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"] as const;
      const asked = new GetQueueAttributesCommand({ QueueUrl: text("queueUrl"), AttributeNames: [...AttributeNames] });
      const { Attributes } = await sqs.send(asked);
      return [KeyCount, AttributeNames.reduce((sum, name) => sum + Number(Attributes?.[name]), 0)];
    };
    for (let n = 0; n < publishes; n++) {
      const { status } = await fetch(text("url"), { method: "POST", body: `message ${n}` });
      if (status !== 200) throw new Error(`a publish was answered ${status}`);
    }
    // The clock waits first for what announces the objects.
    await emulator.advance("0 seconds");
    const before = await held();
    if (before.some((count) => count !== publishes)) throw new Error(`the postbox holds ${before.join(" and ")}`);
    const seconds = await emulator.advance("14 days");
    const after = await held();
    if (after.some((count) => count !== 0)) throw new Error(`the postbox still holds ${after.join(" and ")}`);
    return seconds;
  } finally {
    for (const client of [s3, sqs]) client.destroy();
    emulator.stop();
  }
}

/** How long it takes to bring two weeks on. */
export async function clock(): Promise<Figure[]> {
  const promise = { atMost: 2 };
  return [
    { name: "two weeks of a postbox expire", value: await twoWeeks("none"), unit: "s", promise },
    { name: "the same with 336 runs of its reconciliation", value: await twoWeeks("rate(1 hour)"), unit: "s" },
  ];
}
