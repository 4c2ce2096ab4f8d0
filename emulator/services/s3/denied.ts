import type { Condition, Statement } from "../../core/policy";
import { evaluate } from "../../core/policy-evaluation";
import type { Context, RawRequest } from "../../core/service";
import { explicitlyDenied } from "./errors";
import type { Bucket, BucketConfig } from "./model";
import { readBucketPolicy } from "./policy";

/** The Deny statements of policies that were looked at. A changed policy is another text. */
const known = new WeakMap<BucketConfig, { text: string; statements: readonly Statement[] }>();

/**
 * Refuses a request for an object that the bucket's policy denies to everyone. The policy's Allow statements need no
 * look: the emulator lets every caller of the account in.
 *
 * Not emulated: statements for certain principals, and those with conditions on what the emulator does not know of a
 * request, which are passed over. There is no TLS here: requests count as if they came by it.
 */
export function refuseDenied(
  { name, config }: Bucket,
  action: "s3:PutObject" | "s3:GetObject" | "s3:DeleteObject",
  key: string,
  { http, caller }: Context,
): void {
  if (config.policy === undefined) return;
  const statements = deniesOf(config, config.policy, name);
  if (statements.length === 0) return;
  const resource = `arn:aws:s3:::${name}/${key}`;
  const context = Object.fromEntries(
    statements.flatMap(({ conditions }) => conditions.flatMap((condition) => given(condition, http))),
  );
  if (evaluate({ version: "2012-10-17", statements }, { action, resource, context }) !== "Deny") return;
  throw explicitlyDenied(`arn:aws:iam::${caller.account}:root`, action, resource);
}

function deniesOf(config: BucketConfig, text: string, bucket: string): readonly Statement[] {
  const before = known.get(config);
  if (before?.text === text) return before.statements;
  const statements = readBucketPolicy(text, bucket).statements.filter(
    ({ effect, principals, conditions }) =>
      effect === "Deny" && principals?.AWS?.includes("*") && conditions.every(({ key }) => isKnown(key)),
  );
  known.set(config, { text, statements });
  return statements;
}

const isKnown = (key: string) => /^(aws:SecureTransport|s3:x-amz-[a-z0-9-]+)$/i.test(key);

/** Condition keys of S3 that are headers of the request have the headers' names. */
function given({ key }: Condition, { headers }: RawRequest): [string, string[]][] {
  if (/^aws:/i.test(key)) return [[key, ["true"]]];
  const value = headers[key.slice("s3:".length).toLowerCase()];
  return value === undefined ? [] : [[key, [value]]];
}
