import { defineService, Scoped } from "../../core/service";
import { eventOperations } from "./events";
import { metricFilterOperations, subscriptionFilterOperations } from "./filters";
import { groupOperations } from "./groups";
import { policyOperations } from "./policies";
import { LogsState } from "./state";
import { streamOperations } from "./streams";
import { Subscriptions } from "./subscriptions";

/** Amazon CloudWatch Logs, without Logs Insights. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ */
export const definition = defineService<typeof import("@aws-sdk/client-cloudwatch-logs")>({
  sdk: () => require("@aws-sdk/client-cloudwatch-logs"),
  client: "CloudWatchLogsClient",
  create(host) {
    const state = new Scoped((scope) => new LogsState(scope, host.clock));
    const subscriptions = new Subscriptions(host);
    return {
      operations: {
        ...groupOperations(state),
        ...streamOperations(state),
        ...eventOperations(state, host, (group, stream, events) => subscriptions.deliver(group, stream, events)),
        ...metricFilterOperations(state, host),
        ...subscriptionFilterOperations(state, host),
        ...policyOperations(state, host),
      },
      ports: {
        logs: {
          write(scope, groupName, streamName, events) {
            const logs = state.of(scope);
            const group = logs.groups.get(groupName) ?? logs.addGroup(groupName);
            const stream = group.streams.get(streamName) ?? group.addStream(streamName);
            subscriptions.deliver(group, streamName, stream.append(events));
          },
          hasGroup: (scope, group) => state.of(scope).groups.has(group),
        },
      },
      reset: () => state.clear(),
    };
  },
});
