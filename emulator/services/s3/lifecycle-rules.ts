import { randomUUID } from "node:crypto";
import type { LifecycleRule, Tag } from "@aws-sdk/client-s3";
import { limits } from "../../core/limits";
import { invalidArgument, invalidRequest, malformedXml } from "./errors";
import type { Bucket, StoredObject } from "./model";

const day = 86_400_000;

/**
 * When a number of days after some moment is over: S3 rounds up to the next midnight UTC
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days).
 */
export const daysAfter = (moment: number, days: number): number => Math.floor((moment + days * day) / day + 1) * day;

/** What a rule's filter can look at. */
export interface Filtered {
  readonly key: string;
  readonly size?: number;
  readonly tags?: readonly Tag[];
}

/** Whether a rule speaks of an object. A filter on tags or sizes never fits what has neither (uploads, markers). */
export function applies({ Status, Prefix, Filter }: LifecycleRule, { key, size, tags }: Filtered): boolean {
  if (Status !== "Enabled") return false;
  const and = Filter?.And;
  if (!key.startsWith(Prefix ?? Filter?.Prefix ?? and?.Prefix ?? "")) return false;
  const larger = Filter?.ObjectSizeGreaterThan ?? and?.ObjectSizeGreaterThan;
  const smaller = Filter?.ObjectSizeLessThan ?? and?.ObjectSizeLessThan;
  if (larger !== undefined && (size === undefined || size <= larger)) return false;
  if (smaller !== undefined && (size === undefined || size >= smaller)) return false;
  const wanted = Filter?.Tag ? [Filter.Tag] : (and?.Tags ?? []);
  return wanted.every(({ Key, Value }) => tags?.some((tag) => tag.Key === Key && tag.Value === Value) === true);
}

export const filteredObject = ({ key, body, tags }: StoredObject): Filtered => ({ key, size: body.length, tags });

/** When a rule ends the current version of an object; undefined when it does not. */
export function expiryOf({ Expiration }: LifecycleRule, modified: number): number | undefined {
  if (Expiration?.Days !== undefined) return daysAfter(modified, Expiration.Days);
  return Expiration?.Date?.getTime();
}

/** `x-amz-expiration`: when the object will be gone, and by which rule. */
export function expirationHeader(bucket: Bucket, object: StoredObject): { Expiration?: string } {
  let first: { at: number; id: string } | undefined;
  for (const rule of bucket.config.lifecycle ?? []) {
    if (!applies(rule, filteredObject(object))) continue;
    const at = expiryOf(rule, object.modified);
    if (at !== undefined && (!first || at < first.at)) first = { at, id: rule.ID ?? "" };
  }
  if (!first) return {};
  return { Expiration: `expiry-date="${new Date(first.at).toUTCString()}", rule-id="${encodeURIComponent(first.id)}"` };
}

/** Checks the rules of PutBucketLifecycleConfiguration, and names those without an id. */
export function checkedRules(rules: readonly LifecycleRule[] | undefined): LifecycleRule[] {
  if (!rules?.length || rules.length > limits.s3.lifecycleRules.value) throw malformedXml();
  const named = rules.map((rule) => ({ ...rule, ID: rule.ID || randomUUID() }));
  const ids = new Set(named.map(({ ID }) => ID));
  if (ids.size < named.length) {
    throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID");
  }
  named.forEach(checkRule);
  return named;
}

function checkRule(rule: LifecycleRule): void {
  const {
    ID = "",
    Status,
    Prefix,
    Filter,
    Expiration,
    NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload,
  } = rule;
  if (ID.length > limits.s3.lifecycleRuleId.value)
    throw invalidArgument("ID length should not exceed allowed limit of 255", "ID");
  if (Status !== "Enabled" && Status !== "Disabled") throw malformedXml();
  if ((Prefix === undefined) === (Filter === undefined)) throw malformedXml();
  if (Filter && Object.values(Filter).filter((part) => part !== undefined).length > 1) throw malformedXml();
  const actions = [
    Expiration,
    NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload,
    rule.Transitions?.length,
    rule.NoncurrentVersionTransitions?.length,
  ];
  if (!actions.some(Boolean)) throw invalidRequest("At least one action needs to be specified in a rule.");
  if (Expiration) checkExpiration(Expiration, Filter);
  for (const { Days, Date: date, StorageClass } of rule.Transitions ?? []) {
    if ((Days === undefined) === (date === undefined) || !StorageClass) throw malformedXml();
    if (Days !== undefined && (!Number.isInteger(Days) || Days < 0)) {
      throw invalidArgument("'Days' in the Transition action must be nonnegative", "Days", Days);
    }
    if (date) checkMidnight(date);
    if (Days !== undefined && Expiration?.Days !== undefined && Expiration.Days <= Days) {
      throw invalidArgument(
        `'Days' in the Expiration action for filter '${describe(rule)}' must be greater than 'Days' in the Transition action`,
        "Days",
        Expiration.Days,
      );
    }
  }
  const noncurrent = NoncurrentVersionExpiration;
  if (noncurrent) checkPositive(noncurrent.NoncurrentDays, "NoncurrentDays", "NoncurrentVersionExpiration action");
  if (AbortIncompleteMultipartUpload) {
    if (Filter?.Tag ?? Filter?.And?.Tags) {
      throw invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.");
    }
    checkPositive(
      AbortIncompleteMultipartUpload.DaysAfterInitiation,
      "DaysAfterInitiation",
      "AbortIncompleteMultipartUpload action",
    );
  }
}

function checkExpiration(
  { Days, Date: date, ExpiredObjectDeleteMarker }: NonNullable<LifecycleRule["Expiration"]>,
  filter: LifecycleRule["Filter"],
): void {
  if ([Days, date, ExpiredObjectDeleteMarker].filter((part) => part !== undefined).length !== 1) throw malformedXml();
  if (Days !== undefined) checkPositive(Days, "Days", "Expiration action");
  if (date) checkMidnight(date);
  if (ExpiredObjectDeleteMarker !== undefined && (filter?.Tag ?? filter?.And?.Tags)) {
    throw invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.");
  }
}

const describe = ({ Prefix, Filter }: LifecycleRule) =>
  `(prefix=${Prefix ?? Filter?.Prefix ?? Filter?.And?.Prefix ?? ""})`;

function checkPositive(value: number | undefined, member: string, action: string): void {
  if (value !== undefined && Number.isInteger(value) && value > 0) return;
  throw invalidArgument(`'${member}' for ${action} must be a positive integer`, member, value);
}

function checkMidnight(date: Date): void {
  if (date.getTime() % day !== 0) throw invalidArgument("'Date' must be at midnight GMT", "Date", date.toISOString());
}
