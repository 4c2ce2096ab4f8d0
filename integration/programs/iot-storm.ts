import * as aws from "@pulumi/aws";
import { IoTStream } from "../../components";

/** A stream whose function dies when a server says so, with a table and a queue behind it. */
const queue = new aws.sqs.Queue("live", { maxMessageSize: 1024 * 1024 });

const fleet = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  sinks: [{ dynamodb: true }, { queue }],
  stream: { shards: 2 },
  transform: async (data) => {
    if (data.ask) {
      const answer = await fetch(String(process.env.ORACLE), { method: "POST", body: JSON.stringify(data) });
      if ((await answer.text()) === "die") process.exit(1);
    }
    return data;
  },
});

export const streamName = fleet.stream?.name;
export const tableName = fleet.table?.name;
export const queueUrl = queue.url;
export const deadLetterQueueUrl = fleet.deadLetterQueue.url;
export const failureQueueUrl = fleet.failureQueue?.url;
export const functionName = fleet.nodes.consume?.function.name;
