import { defineService } from "../../core/service";
import { access } from "./access";
import { consumerOperations } from "./consumers";
import { getOperations } from "./get";
import { policyOperations } from "./policies";
import { kinesisPort } from "./port";
import { putOperations } from "./put";
import { guarded } from "./regions";
import { settingOperations } from "./settings";
import { shardOperations } from "./shards";
import { type Sdk, Store } from "./store";
import { streamOperations } from "./streams";
import { subscribeOperations } from "./subscribe";
import { tagOperations } from "./tags";

/**
 * Amazon Kinesis Data Streams (https://docs.aws.amazon.com/kinesis/latest/APIReference/).
 *
 * Shards have AWS's limits: 1 MiB or 1,000 records a second in, five reads or 2 MiB a second out, on the emulator's clock.
 * An on-demand stream has four shards and keeps them: it does not grow with its traffic. Not emulated, and answered with
 * 501: warm throughput, channels and account settings.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-kinesis"),
  client: "KinesisClient",
  create(host) {
    const store = new Store(host);
    return {
      operations: guarded({
        ...streamOperations(store),
        ...shardOperations(store),
        ...putOperations(store),
        ...getOperations(store),
        ...settingOperations(store),
        ...tagOperations(store),
        ...consumerOperations(store),
        ...subscribeOperations(store),
        ...policyOperations(store),
      }),
      access: access(store),
      ports: { kinesis: kinesisPort(store, host.bus.access) },
      counts(arn) {
        const stream = store.at(arn);
        const records = [...(stream?.shards.values() ?? [])].map(({ log }) => log.end - log.start);
        return stream && { shards: stream.openShards.length, records: records.reduce((sum, count) => sum + count, 0) };
      },
      reset: () => store.clear(),
    };
  },
});
