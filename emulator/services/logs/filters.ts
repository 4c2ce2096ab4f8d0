import { checkConstraints } from "../../core/constraint";
import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Host, Operations, Scoped } from "../../core/service";
import { byName, checkGroupName, checkLimit, pageByName } from "./checks";
import {
  constraintCode,
  invalidParameter,
  limitExceeded,
  metricFilterNotFound,
  subscriptionFilterNotFound,
} from "./errors";
import { compilePattern } from "./pattern";
import type { LogGroup, LogsState, SubscriptionFilter } from "./state";

function checkFilterName(name: string | undefined): string {
  checkConstraints(constraintCode, {
    filterName: [name, { required: true, length: [1, limits.logs.name.value], pattern: /^[^:*]*$/ }],
  });
  return name!;
}

/** Metric filters are kept as they are: there is no CloudWatch here that takes their numbers. */
export const metricFilterOperations = (state: Scoped<LogsState>, host: Host) =>
  ({
    PutMetricFilter({ logGroupName, filterName, filterPattern, metricTransformations, ...rest }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkFilterName(filterName);
      checkConstraints(constraintCode, {
        filterPattern: [filterPattern, { required: true, length: [0, limits.logs.filterPattern.value] }],
        metricTransformations: [metricTransformations, { required: true, length: [1, 1] }],
      });
      const [{ metricName, metricNamespace, metricValue }] = metricTransformations as [
        { metricName?: string; metricNamespace?: string; metricValue?: string },
      ];
      checkConstraints(constraintCode, {
        "metricTransformations.1.member.metricName": [metricName, { required: true, length: [0, 255] }],
        "metricTransformations.1.member.metricNamespace": [metricNamespace, { required: true, length: [0, 255] }],
        "metricTransformations.1.member.metricValue": [metricValue, { required: true, length: [0, 100] }],
      });
      compilePattern(filterPattern);
      const { metricFilters } = state.of(context).group(groupName);
      if (!metricFilters.has(name) && metricFilters.size >= limits.logs.metricFilters.value) throw limitExceeded();
      metricFilters.set(name, {
        filterName: name,
        filterPattern,
        metricTransformations,
        creationTime: host.clock.now(),
        logGroupName: groupName,
        applyOnTransformedLogs: rest.applyOnTransformedLogs ?? false,
        fieldSelectionCriteria: rest.fieldSelectionCriteria,
        emitSystemFieldDimensions: rest.emitSystemFieldDimensions,
      });
      return {};
    },

    DescribeMetricFilters(input, context) {
      const { logGroupName, filterNamePrefix: prefix, metricName, metricNamespace } = input;
      checkLimit(input.limit, 50);
      checkConstraints(constraintCode, {
        filterNamePrefix: [prefix, { length: [1, 512] }],
        metricName: [metricName, { length: [0, 255] }],
      });
      if ((metricName === undefined) !== (metricNamespace === undefined))
        throw invalidParameter("metricName and metricNamespace must be given together.");
      const logs = state.of(context);
      const groups = logGroupName === undefined ? [...logs.groups.values()] : [logs.group(logGroupName)];
      const found = groups
        .flatMap(({ metricFilters }) => [...metricFilters.values()])
        .filter(
          ({ filterName = "", metricTransformations = [] }) =>
            filterName.startsWith(prefix ?? "") &&
            (metricName === undefined ||
              metricTransformations.some(
                (metric) => metric.metricName === metricName && metric.metricNamespace === metricNamespace,
              )),
        );
      const nameOf = (filter: (typeof found)[number]) => `${filter.filterName}\n${filter.logGroupName}`;
      found.sort((a, b) => byName(nameOf(a), nameOf(b)));
      const { items, nextToken } = pageByName(found, nameOf, input);
      return { metricFilters: items, nextToken };
    },

    DeleteMetricFilter({ logGroupName, filterName }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkFilterName(filterName);
      if (!state.of(context).group(groupName).metricFilters.delete(name)) throw metricFilterNotFound();
      return {};
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-cloudwatch-logs")>;

/** Subscription filters: matching events go to a Lambda function or a data stream, see `subscriptions.ts`. */
export const subscriptionFilterOperations = (
  state: Scoped<LogsState>,
  host: Host,
  check: (group: LogGroup, destination: SubscriptionFilter) => Promise<void>,
) =>
  ({
    async PutSubscriptionFilter({ logGroupName, filterName, filterPattern, destinationArn, ...rest }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkFilterName(filterName);
      checkConstraints(constraintCode, {
        filterPattern: [filterPattern, { required: true, length: [0, limits.logs.filterPattern.value] }],
        destinationArn: [destinationArn, { required: true, length: [1, 2048] }],
        distribution: [rest.distribution, { oneOf: ["Random", "ByLogStream"] }],
      });
      const vendor = destinationArn!.split(":")[2];
      if (vendor === "kinesis" && !rest.roleArn)
        throw invalidParameter("destinationArn for vendor kinesis cannot be used without roleArn");
      if (vendor === "lambda" && rest.roleArn)
        throw invalidParameter("destinationArn for vendor lambda cannot be used with roleArn");
      if (vendor !== "lambda" && vendor !== "kinesis")
        throw notEmulated(
          "logs",
          "PutSubscriptionFilter",
          `destination ${destinationArn}: only Lambda functions and data streams are`,
        );
      const matches = compilePattern(filterPattern);
      const group = state.of(context).group(groupName);
      const { subscriptions } = group;
      const checkRoom = () => {
        if (!subscriptions.has(name) && subscriptions.size >= limits.logs.subscriptionFilters.value)
          throw limitExceeded();
      };
      const filter: SubscriptionFilter = {
        filterName: name,
        logGroupName: groupName,
        filterPattern,
        destinationArn,
        roleArn: rest.roleArn,
        distribution: rest.distribution ?? "ByLogStream",
        applyOnTransformedLogs: rest.applyOnTransformedLogs ?? false,
        creationTime: host.clock.now(),
        fieldSelectionCriteria: rest.fieldSelectionCriteria,
        emitSystemFields: rest.emitSystemFields,
        matches,
      };
      checkRoom();
      await check(group, filter);
      checkRoom();
      subscriptions.set(name, filter);
      return {};
    },

    DescribeSubscriptionFilters(input, context) {
      checkLimit(input.limit, 50);
      const { subscriptions } = state.of(context).group(checkGroupName(input.logGroupName));
      const found = [...subscriptions.values()]
        .map(({ matches: _, ...filter }) => filter)
        .filter(({ filterName = "" }) => filterName.startsWith(input.filterNamePrefix ?? ""));
      const { items, nextToken } = pageByName(found, ({ filterName = "" }) => filterName, input);
      return { subscriptionFilters: items, nextToken };
    },

    DeleteSubscriptionFilter({ logGroupName, filterName }, context) {
      const groupName = checkGroupName(logGroupName);
      const name = checkFilterName(filterName);
      if (!state.of(context).group(groupName).subscriptions.delete(name)) throw subscriptionFilterNotFound();
      return {};
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-cloudwatch-logs")>;
