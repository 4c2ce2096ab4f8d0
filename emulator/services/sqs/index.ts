import { defineService } from "../../core/service";
import { access } from "./access";
import { batchOperations } from "./batches";
import { messageOperations } from "./messages";
import { moveOperations } from "./moves";
import { permissionOperations } from "./permissions";
import { sqsPort } from "./port";
import { legacyQuery } from "./query";
import { queueOperations } from "./queues";
import { Store } from "./store";

/** Amazon SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
export const definition = defineService<typeof import("@aws-sdk/client-sqs")>({
  sdk: () => require("@aws-sdk/client-sqs"),
  client: "SQSClient",
  create(host) {
    const store = new Store(host.clock, host.faults, host.journal);
    return {
      operations: {
        ...queueOperations(store, host),
        ...permissionOperations(store),
        ...messageOperations(store),
        ...batchOperations(store),
        ...moveOperations(store),
      },
      access: access(store),
      ports: { sqs: sqsPort(store, host.bus.access) },
      legacyQuery,
      counts(arn) {
        const counts = store.byArn(arn)?.approximateCounts();
        return counts && { waiting: counts.ready, "in flight": counts.inFlight, delayed: counts.delayed };
      },
      reset: () => store.clear(),
    };
  },
});
