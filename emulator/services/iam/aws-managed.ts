import { createHash } from "node:crypto";
import { readIdentityPolicy } from "../../core/policy-kinds";
import { awsManagedDocuments } from "./aws-managed-documents";
import type { ManagedPolicy } from "./state";

// The documents never change and no caller can write them, so all emulators of a process may share what is parsed.
const cache = new Map<string, ManagedPolicy>();

/** A stable id, so that two runs agree. */
const idOf = (arn: string) =>
  `ANPA${createHash("sha256")
    .update(arn)
    .digest("base64")
    .toUpperCase()
    .replace(/[^A-Z2-7]/g, "")
    .slice(0, 17)}`;

/** A policy that AWS itself provides; undefined for one whose statements are not known here. */
export function awsManagedPolicy(arn: string): ManagedPolicy | undefined {
  const known = cache.get(arn);
  if (known) return known;
  const [, path, name] = /^arn:aws:iam::aws:policy(\/(?:[^/]+\/)*)([^/]+)$/.exec(arn) ?? [];
  const source = awsManagedDocuments[`${path ?? ""}${name ?? ""}`];
  if (!source || !path || !name) return undefined;
  const text = JSON.stringify({ Version: "2012-10-17", Statement: source.statement });
  const created = new Date(source.date);
  const id = `v${source.version}`;
  const policy: ManagedPolicy = {
    arn,
    id: idOf(arn),
    name,
    path,
    created,
    updated: created,
    versions: new Map([[id, { id, document: { text, parsed: readIdentityPolicy(text) }, created }]]),
    defaultVersion: id,
    versionCount: source.version,
    tags: new Map(),
  };
  cache.set(arn, policy);
  return policy;
}

/** All of them. */
export const awsManagedPolicies = (): ManagedPolicy[] =>
  Object.keys(awsManagedDocuments).map((key) => awsManagedPolicy(`arn:aws:iam::aws:policy${key}`)!);
