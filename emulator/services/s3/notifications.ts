import { randomUUID } from "node:crypto";
import type { NotificationConfiguration, NotificationConfigurationFilter } from "@aws-sdk/client-s3";
import { parseArn } from "../../core/arn";
import { invalidArgument } from "./errors";

/** What S3 can tell of (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html). */
const families: Record<string, readonly string[]> = {
  ObjectCreated: ["Put", "Post", "Copy", "CompleteMultipartUpload"],
  ObjectRemoved: ["Delete", "DeleteMarkerCreated"],
  ObjectRestore: ["Post", "Completed", "Delete"],
  ReducedRedundancyLostObject: [],
  Replication: [
    "OperationFailedReplication",
    "OperationMissedThreshold",
    "OperationReplicatedAfterThreshold",
    "OperationNotTracked",
  ],
  LifecycleExpiration: ["Delete", "DeleteMarkerCreated"],
  LifecycleTransition: [],
  IntelligentTiering: [],
  ObjectTagging: ["Put", "Delete"],
  ObjectAcl: ["Put"],
};

/** The key's prefix and suffix, and the events, that an entry tells of. */
export interface Entry {
  readonly Id?: string;
  readonly Events?: readonly string[];
  readonly Filter?: NotificationConfigurationFilter;
}

/** Where an entry's events go. */
export interface Target {
  readonly service: "sqs" | "lambda" | "sns";
  readonly arn: string;
  readonly entry: Entry;
}

/** All entries of a configuration with where they lead. */
export const targetsOf = (config: NotificationConfiguration): Target[] => [
  ...(config.TopicConfigurations ?? []).map((entry) => ({
    service: "sns" as const,
    arn: entry.TopicArn ?? "",
    entry,
  })),
  ...(config.QueueConfigurations ?? []).map((entry) => ({ service: "sqs" as const, arn: entry.QueueArn ?? "", entry })),
  ...(config.LambdaFunctionConfigurations ?? []).map((entry) => ({
    service: "lambda" as const,
    arn: entry.LambdaFunctionArn ?? "",
    entry,
  })),
];

/** Whether an entry tells of an event (without `s3:`) on a key. */
export function tellsOf(entry: Entry, name: string, key: string): boolean {
  const named = (entry.Events ?? []).some((event) => {
    const wanted = event.slice("s3:".length);
    return wanted === name || (wanted.endsWith("*") && name.startsWith(wanted.slice(0, -1)));
  });
  if (!named) return false;
  const { prefix, suffix } = keyFilter(entry.Filter);
  return key.startsWith(prefix) && key.endsWith(suffix);
}

function isEvent(name: string): boolean {
  const [, family = "", kind] = /^s3:([A-Za-z]+)(?::(.+))?$/.exec(name) ?? [];
  const kinds = Object.hasOwn(families, family) ? families[family] : undefined;
  return kinds !== undefined && (kind === undefined ? kinds.length === 0 : kind === "*" || kinds.includes(kind));
}

/** Prefix and suffix that a key must have. */
function keyFilter(filter: NotificationConfigurationFilter | undefined): { prefix: string; suffix: string } {
  const found = { prefix: "", suffix: "" };
  for (const { Name, Value = "" } of filter?.Key?.FilterRules ?? []) {
    const name = String(Name).toLowerCase();
    if (name !== "prefix" && name !== "suffix") {
      throw invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", String(Name));
    }
    if (found[name] !== "") {
      throw invalidArgument(
        `Cannot specify more than one ${name} rule in a filter.`,
        `FilterRule.${name[0]!.toUpperCase()}${name.slice(1)}`,
        Value,
      );
    }
    found[name] = Value;
  }
  return found;
}

/**
 * Checks a notification configuration: known events, ARNs of the right kind, no two entries for the same event and key.
 * Gives it with an id for each entry.
 */
export function checkedNotifications(config: NotificationConfiguration): NotificationConfiguration {
  const check = <E extends Entry>(entry: E, arn: string | undefined, service: string, kind: string): E => {
    for (const event of entry.Events ?? []) {
      if (!isEvent(event))
        throw invalidArgument("A specified event is not supported for notifications.", "Event", event);
    }
    const parsed = parseArn(arn ?? "");
    if (parsed?.service !== service || parsed.resource === "") {
      throw invalidArgument("The ARN could not be parsed", kind, arn ?? "");
    }
    keyFilter(entry.Filter);
    return { ...entry, Id: entry.Id || randomUUID() };
  };
  const checked: NotificationConfiguration = {
    ...(config.EventBridgeConfiguration && { EventBridgeConfiguration: {} }),
    ...(config.TopicConfigurations?.length && {
      TopicConfigurations: config.TopicConfigurations.map((entry) => check(entry, entry.TopicArn, "sns", "Topic")),
    }),
    ...(config.QueueConfigurations?.length && {
      QueueConfigurations: config.QueueConfigurations.map((entry) => check(entry, entry.QueueArn, "sqs", "Queue")),
    }),
    ...(config.LambdaFunctionConfigurations?.length && {
      LambdaFunctionConfigurations: config.LambdaFunctionConfigurations.map((entry) =>
        check(entry, entry.LambdaFunctionArn, "lambda", "CloudFunction"),
      ),
    }),
  };
  const entries = targetsOf(checked).map(({ entry }) => entry);
  entries.forEach((entry, index) => {
    if (entries.slice(index + 1).some((other) => overlaps(entry, other))) {
      throw invalidArgument(
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
        "Event",
      );
    }
  });
  return checked;
}

function overlaps(a: Entry, b: Entry): boolean {
  const shares = (a.Events ?? []).some((one) =>
    (b.Events ?? []).some((two) => {
      const [x, y] = [one.replace(/\*$/, ""), two.replace(/\*$/, "")];
      return one === two || (one.endsWith("*") && y.startsWith(x)) || (two.endsWith("*") && x.startsWith(y));
    }),
  );
  if (!shares) return false;
  const [left, right] = [keyFilter(a.Filter), keyFilter(b.Filter)];
  const prefixes = left.prefix.startsWith(right.prefix) || right.prefix.startsWith(left.prefix);
  const suffixes = left.suffix.endsWith(right.suffix) || right.suffix.endsWith(left.suffix);
  return prefixes && suffixes;
}
