import type { LogGroup as SdkLogGroup } from "@aws-sdk/client-cloudwatch-logs";
import { checkConstraints } from "../../core/constraint";
import type { Operations, Scoped } from "../../core/service";
import { byName, checkGroupName, checkLimit, checkTags, pageByName, retentionDays } from "./checks";
import { constraintCode, deletionProtected, groupExists, invalidParameter, resourceNotFound } from "./errors";
import { groupNameOf, type LogGroup, type LogsState } from "./state";

type Sdk = typeof import("@aws-sdk/client-cloudwatch-logs");

const describe = (group: LogGroup): SdkLogGroup => ({
  logGroupName: group.name,
  creationTime: group.createdAt,
  retentionInDays: group.retentionInDays,
  metricFilterCount: group.metricFilters.size,
  arn: `${group.arn}:*`,
  // AWS fills this in hours later.
  storedBytes: 0,
  kmsKeyId: group.kmsKeyId,
  logGroupClass: group.groupClass,
  logGroupArn: group.arn,
  deletionProtectionEnabled: group.deletionProtected,
});

/** Log groups: making, finding, retention, encryption key, tags. */
export const groupOperations = (state: Scoped<LogsState>) => {
  const tagged = (arn: string | undefined, logs: LogsState): LogGroup => {
    checkConstraints(constraintCode, { resourceArn: [arn, { required: true, length: [1, 1011] }] });
    const group = logs.groups.get(groupNameOf(arn!));
    if (!group || !arn!.startsWith("arn:")) throw resourceNotFound(arn!);
    return group;
  };
  const addTags = (group: LogGroup, tags: Record<string, string> | undefined) => {
    checkConstraints(constraintCode, { tags: [tags, { required: true }] });
    const all = { ...group.tags, ...tags };
    checkTags(all);
    group.tags = all;
    return {};
  };
  const removeTags = (group: LogGroup, keys: readonly string[] | undefined) => {
    checkConstraints(constraintCode, { tagKeys: [keys, { required: true }] });
    for (const key of keys!) delete group.tags[key];
    return {};
  };

  return {
    CreateLogGroup({ logGroupName, kmsKeyId, tags, logGroupClass, deletionProtectionEnabled }, context) {
      const name = checkGroupName(logGroupName);
      checkConstraints(constraintCode, {
        kmsKeyId: [kmsKeyId, { length: [0, 256] }],
        logGroupClass: [logGroupClass, { oneOf: ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"] }],
      });
      checkTags(tags);
      const logs = state.of(context);
      if (logs.groups.has(name)) throw groupExists();
      const group = logs.addGroup(name, logGroupClass);
      group.kmsKeyId = kmsKeyId;
      group.tags = { ...tags };
      group.deletionProtected = deletionProtectionEnabled ?? false;
      return {};
    },

    DeleteLogGroup({ logGroupName }, context) {
      const logs = state.of(context);
      const group = logs.group(checkGroupName(logGroupName));
      if (group.deletionProtected) throw deletionProtected();
      logs.groups.delete(group.name);
      return {};
    },

    DescribeLogGroups(input, context) {
      const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern, logGroupIdentifiers: identifiers } = input;
      checkLimit(input.limit, 50);
      if (prefix !== undefined && pattern !== undefined)
        throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
      const wanted = identifiers?.length ? new Set(identifiers.map(groupNameOf)) : undefined;
      const found = [...state.of(context).groups.values()].filter(
        ({ name, groupClass }) =>
          (prefix === undefined || name.startsWith(prefix)) &&
          (pattern === undefined || name.includes(pattern)) &&
          (!wanted || wanted.has(name)) &&
          (!input.logGroupClass || groupClass === input.logGroupClass),
      );
      found.sort((a, b) => byName(a.name, b.name));
      const { items, nextToken } = pageByName(found, ({ name }) => name, input);
      return { logGroups: items.map(describe), nextToken };
    },

    PutRetentionPolicy({ logGroupName, retentionInDays }, context) {
      const name = checkGroupName(logGroupName);
      checkConstraints(constraintCode, {
        retentionInDays: [retentionInDays, { required: true, oneOf: retentionDays.map(String) }],
      });
      state.of(context).group(name).retentionInDays = retentionInDays;
      return {};
    },

    DeleteRetentionPolicy({ logGroupName }, context) {
      state.of(context).group(checkGroupName(logGroupName)).retentionInDays = undefined;
      return {};
    },

    PutLogGroupDeletionProtection({ logGroupIdentifier, deletionProtectionEnabled }, context) {
      checkConstraints(constraintCode, { deletionProtectionEnabled: [deletionProtectionEnabled, { required: true }] });
      state.of(context).find({ logGroupIdentifier }).deletionProtected = deletionProtectionEnabled!;
      return {};
    },

    AssociateKmsKey({ logGroupName, resourceIdentifier, kmsKeyId }, context) {
      checkConstraints(constraintCode, { kmsKeyId: [kmsKeyId, { required: true, length: [0, 256] }] });
      state.of(context).find({ logGroupName, logGroupIdentifier: resourceIdentifier }).kmsKeyId = kmsKeyId;
      return {};
    },

    DisassociateKmsKey({ logGroupName, resourceIdentifier }, context) {
      state.of(context).find({ logGroupName, logGroupIdentifier: resourceIdentifier }).kmsKeyId = undefined;
      return {};
    },

    TagResource: ({ resourceArn, tags }, context) => addTags(tagged(resourceArn, state.of(context)), tags),
    UntagResource: ({ resourceArn, tagKeys }, context) => removeTags(tagged(resourceArn, state.of(context)), tagKeys),
    ListTagsForResource: ({ resourceArn }, context) => ({
      tags: { ...tagged(resourceArn, state.of(context)).tags },
    }),

    // The older family, which names the group instead of its ARN.
    TagLogGroup: ({ logGroupName, tags }, context) =>
      addTags(state.of(context).group(checkGroupName(logGroupName)), tags),
    UntagLogGroup: ({ logGroupName, tags }, context) =>
      removeTags(state.of(context).group(checkGroupName(logGroupName)), tags),
    ListTagsLogGroup: ({ logGroupName }, context) => ({
      tags: { ...state.of(context).group(checkGroupName(logGroupName)).tags },
    }),
  } satisfies Operations<Sdk>;
};
