import { createHash, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { FunctionVersion } from "../../lambda/function-version";
import { invalidParameter, revisionMismatch } from "./errors";
import { check, findFunction, findUnqualified, page } from "./names";
import type { LambdaOperations, Parts } from "./parts";
import { type FunctionRecord, type LambdaState, lambdaTime, type VersionRecord } from "./state";

/** Published versions: frozen copies of $LATEST. */
export const versionOperations = ({ host, states }: Parts): LambdaOperations => ({
  PublishVersion(input, context) {
    const fn = findUnqualified(states.of(context), input.FunctionName);
    check({ description: [input.Description, { length: [0, 256] }] });
    const { CodeSha256, RevisionId } = fn.latest.config;
    if (input.CodeSha256 && input.CodeSha256 !== CodeSha256) {
      throw invalidParameter(
        `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
      );
    }
    if (input.RevisionId && input.RevisionId !== RevisionId) throw revisionMismatch();
    return shownVersion(publish(fn, input.Description, host.clock.now()));
  },

  ListVersionsByFunction(input, context) {
    const { fn } = findFunction(states.of(context), input.FunctionName);
    const all = [
      shownVersion(fn.latest, "$LATEST"),
      ...[...fn.versions.values()].map((version) => shownVersion(version)),
    ];
    const { items, next } = page(all, input);
    return { Versions: items, NextMarker: next };
  },
});

/** A new function without anything on it but its code and settings. */
export function newFunction(
  state: LambdaState,
  name: string,
  config: FunctionConfiguration,
  zip: Uint8Array,
  now: number,
): FunctionRecord {
  const identity = { name, arn: state.arn(`function:${name}`) };
  return {
    ...identity,
    latest: makeVersion(identity, config, zip, now),
    versions: new Map(),
    nextVersion: 1,
    aliases: new Map(),
    policies: new Map(),
    tags: {},
    provisioned: new Map(),
    asyncConfigs: new Map(),
    urls: new Map(),
    runtimeManagement: new Map(),
    recursiveLoop: "Terminate",
    inFlight: 0,
  };
}

/** A version with new code or settings, and a new revision id. */
export function makeVersion(
  { name, arn }: Pick<FunctionRecord, "name" | "arn">,
  settings: FunctionConfiguration,
  zip: Uint8Array,
  now: number,
  version = "$LATEST",
): VersionRecord {
  const hash = createHash("sha256");
  const { runtimeVersionArn, ...scope } = scopeOf(arn, settings.Runtime!);
  const config: FunctionConfiguration = {
    ...settings,
    FunctionName: name,
    FunctionArn: version === "$LATEST" ? arn : `${arn}:${version}`,
    Version: version,
    CodeSize: zip.length,
    CodeSha256: hash.update(zip).digest("base64"),
    LastModified: lambdaTime(now),
    RevisionId: randomUUID(),
    RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersionArn },
  };
  const logging = config.LoggingConfig!;
  const runnable: FunctionVersion = {
    ...scope,
    name,
    version,
    runtime: config.Runtime!,
    handler: config.Handler!,
    memorySize: config.MemorySize!,
    timeout: config.Timeout!,
    variables: config.Environment?.Variables ?? {},
    role: config.Role!,
    zip,
    logging: {
      group: logging.LogGroup!,
      format: logging.LogFormat!,
      applicationLevel: logging.ApplicationLogLevel ?? "INFO",
      systemLevel: logging.SystemLogLevel ?? "INFO",
    },
  };
  return { config, runnable };
}

function scopeOf(arn: string, runtime: string) {
  const [, , , region, account] = arn.split(":") as [string, string, string, string, string];
  const hash = createHash("sha256").update(runtime).digest("hex");
  return { region, account, runtimeVersionArn: `arn:aws:lambda:${region}::runtime:${hash}` };
}

/** Freezes $LATEST as the next version; without a change since the last one, that one is given. */
export function publish(fn: FunctionRecord, description: string | undefined, now: number): VersionRecord {
  const { latest } = fn;
  const last = [...fn.versions.values()].at(-1);
  if (last && isDeepStrictEqual(essence(last.config), essence(latest.config))) return last;
  const number = String(fn.nextVersion++);
  const settings = { ...latest.config, ...(description !== undefined && { Description: description }) };
  const version = makeVersion(fn, settings, latest.runnable.zip, now, number);
  fn.versions.set(number, version);
  return version;
}

/** What makes two versions the same to PublishVersion: everything but names, times and the description. */
const essence = ({ FunctionArn, Version, LastModified, RevisionId, Description, ...rest }: FunctionConfiguration) =>
  rest;

/** A version as answers show it. A qualifier that was asked for is part of the ARN. */
export function shownVersion({ config }: VersionRecord, qualifier?: string): FunctionConfiguration {
  const [arn] = config.FunctionArn!.split(/:(?=\$LATEST$|\d+$)/);
  return {
    ...config,
    ...(qualifier !== undefined && { FunctionArn: `${arn}:${qualifier}` }),
    State: "Active",
    LastUpdateStatus: "Successful",
  };
}

/** The answer of an update. It is done at once; tools that wait see it finished with their first look. */
export const inProgress = (version: VersionRecord): FunctionConfiguration => ({
  ...shownVersion(version),
  LastUpdateStatus: "InProgress",
  LastUpdateStatusReason: "The function is being created.",
});
