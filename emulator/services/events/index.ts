import type * as Sdk from "@aws-sdk/client-eventbridge";
import { defineService } from "../../core/service";
import { access } from "./access";
import { busOperations } from "./buses";
import { Delivery } from "./delivery";
import { makeEvent } from "./event";
import { policyOperations } from "./policies";
import { putEventsOperations } from "./put-events";
import { ruleOperations } from "./rules";
import { Scheduler } from "./scheduler";
import { Store } from "./store";
import { tagOperations } from "./tags";
import { targetOperations } from "./targets";

/**
 * Amazon EventBridge: event buses, rules with patterns and schedules, and their targets: functions, queues, topics, data
 * streams, log groups and other buses.
 *
 * Not emulated, so answered with 501: archives, replays, API destinations, connections, global endpoints, partner event
 * sources and other targets. The role of a target has to be there, and is not assumed.
 */
export const definition = defineService<typeof Sdk>({
  sdk: () => require("@aws-sdk/client-eventbridge"),
  client: "EventBridgeClient",
  create(host) {
    const store = new Store(host.clock);
    const delivery = new Delivery(host, store);
    const reset = () => {
      delivery.clear();
      store.clear();
    };
    return {
      operations: {
        ...busOperations(host, store),
        ...policyOperations(store),
        ...ruleOperations(store, new Scheduler(host, delivery)),
        ...targetOperations(store),
        ...putEventsOperations(host, store, delivery),
        ...tagOperations(store),
      },
      access: access(store),
      ports: {
        events: {
          put: (scope, event) =>
            void delivery.publish(store.bus("default", scope), makeEvent(scope, host.clock.now(), event)),
        },
      },
      reset,
      close: reset,
    };
  },
});
