import { type Access, type AccessTable, passRole, requestTags, resourceTags } from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import type { Context, Scoped } from "../../core/service";
import { type GroupReference, groupNameOf, type LogGroup, type LogsState } from "./state";

type Sdk = typeof import("@aws-sdk/client-cloudwatch-logs");
type Keys = NonNullable<Access["conditions"]>;

/**
 * What CloudWatch Logs wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html).
 * A group's ARN ends in `:*` in policies, and as it is for its tags
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html): calls name its
 * streams, `log-group:<name>:log-stream:`, as AWS's denials show. Its resource policies are for services only.
 */
export function access(state: Scoped<LogsState>): AccessTable<Sdk> {
  const at = (
    action: string,
    { account, region }: Context,
    resource: string,
    group: LogGroup | undefined,
    more: Keys,
  ) => ({
    action: `logs:${action}`,
    resource: formatArn("logs", region, account, `log-group:${resource}`),
    conditions: { ...resourceTags(group && Object.entries(group.tags)), ...more },
  });
  const groupOf = (name: string, context: Context) => state.of(context).groups.get(name);
  const nameOf = ({ logGroupName, logGroupIdentifier }: GroupReference) =>
    groupNameOf(logGroupName ?? logGroupIdentifier ?? "");
  const streams = (action: string, name: string, context: Context, more: Keys = {}) =>
    at(action, context, `${name}:log-stream:`, groupOf(name, context), more);

  /** One group, by its name or its identifier; all of them where the request names none. */
  const group = (action: string) => (input: GroupReference, context: Context) =>
    streams(action, nameOf(input), context);
  const stream = (action: string) => (input: GroupReference & { logStreamName?: string }, context: Context) => {
    const name = nameOf(input);
    return at(action, context, `${name}:log-stream:${input.logStreamName ?? ""}`, groupOf(name, context), {});
  };
  const tagged =
    (action: string) =>
    (input: { resourceArn?: string; tags?: Record<string, string>; tagKeys?: string[] }, context: Context) => {
      const name = groupNameOf(input.resourceArn ?? "");
      const more = requestTags(input.tags, input.tagKeys);
      const permission = at(action, context, name, groupOf(name, context), more);
      return parseArn(input.resourceArn ?? "") ? { ...permission, resource: input.resourceArn! } : permission;
    };
  const all = (action: string) => () => ({ action: `logs:${action}`, resource: "*" });
  const onKey =
    (action: string) =>
    ({ logGroupName, resourceIdentifier }: { logGroupName?: string; resourceIdentifier?: string }, context: Context) =>
      streams(action, nameOf({ logGroupName, logGroupIdentifier: resourceIdentifier }), context);

  return {
    AssociateKmsKey: onKey("AssociateKmsKey"),
    // Not emulated: that logs:TagLogGroup serves for logs:TagResource here.
    CreateLogGroup: ({ logGroupName: name = "", tags }, context) => {
      const more = requestTags(tags);
      const made = streams("CreateLogGroup", name, context, more);
      return tags && Object.keys(tags).length > 0 ? [made, at("TagResource", context, name, undefined, more)] : made;
    },
    CreateLogStream: stream("CreateLogStream"),
    DeleteLogGroup: group("DeleteLogGroup"),
    DeleteLogStream: stream("DeleteLogStream"),
    DeleteMetricFilter: group("DeleteMetricFilter"),
    DeleteResourcePolicy: all("DeleteResourcePolicy"),
    DeleteRetentionPolicy: group("DeleteRetentionPolicy"),
    DeleteSubscriptionFilter: group("DeleteSubscriptionFilter"),
    DescribeLogGroups: (_, context) => streams("DescribeLogGroups", "", context),
    DescribeLogStreams: group("DescribeLogStreams"),
    DescribeMetricFilters: group("DescribeMetricFilters"),
    DescribeResourcePolicies: all("DescribeResourcePolicies"),
    DescribeSubscriptionFilters: group("DescribeSubscriptionFilters"),
    DisassociateKmsKey: onKey("DisassociateKmsKey"),
    FilterLogEvents: group("FilterLogEvents"),
    GetLogEvents: stream("GetLogEvents"),
    ListTagsForResource: tagged("ListTagsForResource"),
    ListTagsLogGroup: group("ListTagsLogGroup"),
    PutLogEvents: stream("PutLogEvents"),
    PutLogGroupDeletionProtection: group("PutLogGroupDeletionProtection"),
    PutMetricFilter: group("PutMetricFilter"),
    PutResourcePolicy: all("PutResourcePolicy"),
    PutRetentionPolicy: group("PutRetentionPolicy"),
    PutSubscriptionFilter: (input, context) => [
      group("PutSubscriptionFilter")(input, context),
      ...passRole(input.roleArn, "logs.amazonaws.com"),
    ],
    TagLogGroup: (input, context) => streams("TagLogGroup", nameOf(input), context, requestTags(input.tags)),
    TagResource: tagged("TagResource"),
    UntagLogGroup: (input, context) => streams("UntagLogGroup", nameOf(input), context, requestTags({}, input.tags)),
    UntagResource: tagged("UntagResource"),
  };
}
