import type { Authorizer } from "../../core/access/authorizer";
import { logWriting } from "../../core/access/log-permission";
import { defineService, type Scope, Scoped } from "../../core/service";
import type { PortCaller } from "../../core/service-caller";
import { access } from "./access";
import { accessDenied } from "./errors";
import { eventOperations } from "./events";
import { metricFilterOperations, subscriptionFilterOperations } from "./filters";
import { groupOperations } from "./groups";
import { accountPolicy, policyOperations } from "./policies";
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
        ...subscriptionFilterOperations(state, host, (group, filter) => subscriptions.check(group, filter)),
        ...policyOperations(state, host),
      },
      access: access(state),
      ports: {
        logs: {
          write(scope, groupName, streamName, events, by) {
            const logs = state.of(scope);
            if (by) demandWriting(host.bus.access, by, scope, logs, groupName, streamName);
            const group = logs.groups.get(groupName) ?? logs.addGroup(groupName);
            const stream = group.streams.get(streamName) ?? group.addStream(streamName);
            subscriptions.deliver(group, streamName, stream.append(events));
          },
          hasGroup: (scope, group) => state.of(scope).groups.has(group),
        },
      },
      reset() {
        subscriptions.clear();
        state.clear();
      },
    };
  },
});

/** What it takes to write to a stream, and to make it first where it is missing. */
function demandWriting(
  access: Authorizer,
  by: PortCaller,
  scope: Scope,
  logs: LogsState,
  group: string,
  stream: string,
): void {
  const there = logs.groups.get(group);
  const policy = accountPolicy(logs);
  const needed = logWriting(scope, group, stream, there !== undefined);
  for (const one of needed.filter(({ action }) => action !== "logs:CreateLogStream" || !there?.streams.has(stream)))
    access.demand(by, { ...one, policy }, accessDenied);
}
