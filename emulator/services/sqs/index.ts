import { defineService } from "../../core/service";
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
    const store = new Store(host.clock);
    return {
      operations: {
        ...queueOperations(store, host),
        ...permissionOperations(store),
        ...messageOperations(store),
        ...batchOperations(store),
        ...moveOperations(store),
      },
      ports: { sqs: sqsPort(store) },
      legacyQuery,
      reset: () => store.clear(),
    };
  },
});
