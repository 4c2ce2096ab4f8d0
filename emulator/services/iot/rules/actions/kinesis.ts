import { randomUUID } from "node:crypto";
import { formatArn } from "../../../../core/arn";
import { defineAction, required } from "./action";

/** https://docs.aws.amazon.com/iot/latest/developerguide/kinesis-rule-action.html */
export const kinesis = defineAction("kinesis", {
  title: "KinesisAction",
  attempt: "put the record",
  service: "AmazonKinesis",
  members: { roleArn: required, streamName: required, partitionKey: {} },
  compile({ streamName = "", partitionKey }, { scope, bus, template }) {
    const stream = template(streamName, "streamName");
    const key = partitionKey === undefined ? undefined : template(partitionKey, "partitionKey");
    return {
      resource: streamName,
      async prepare({ fill, payload: data }) {
        const name = await fill(stream);
        // The API does not ask for a key, and Kinesis does: without one, records spread over all shards.
        const given = key ? await fill(key) : randomUUID();
        const arn = formatArn("kinesis", scope.region, scope.account, `stream/${name}`);
        return {
          lane: `${name} ${given}`,
          resource: name,
          detail: `Stream: ${name}, PartitionKey: ${given}`,
          async send(by) {
            const port = bus.ready("kinesis") ?? (await bus.to("kinesis"));
            await port.putRecord(arn, { data, partitionKey: given }, by);
          },
        };
      },
    };
  },
});
