import type { CreateStageRequest, MethodSetting, Stage } from "@aws-sdk/client-api-gateway";
import { parseArn } from "../../../core/arn";
import { notEmulated } from "../../../core/errors";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, conflict } from "../errors";
import { checkOperations, entries, flag, type PatchRule, patched, text, toBoolean, unescapePointer } from "../patch";
import type { State, StoredStage } from "../state";
import type { Part, Store } from "../store";

const noRole = () => badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging");

// The settings of a method or of all methods (`*/*`): the last part of a patch path, and what it sets.
const settings: Record<string, (setting: MethodSetting, value: string) => void> = {
  "metrics/enabled": (setting, value) => {
    setting.metricsEnabled = toBoolean(value);
  },
  "logging/dataTrace": (setting, value) => {
    setting.dataTraceEnabled = toBoolean(value);
  },
  "logging/loglevel": (setting, value) => {
    if (!["OFF", "ERROR", "INFO"].includes(value))
      throw badRequest("Invalid logging level specified. Must be one of: OFF, ERROR, INFO");
    setting.loggingLevel = value;
  },
  "throttling/burstLimit": (setting, value) => {
    setting.throttlingBurstLimit = number(value);
  },
  "throttling/rateLimit": (setting, value) => {
    setting.throttlingRateLimit = number(value);
  },
  "caching/enabled": (setting, value) => {
    setting.cachingEnabled = toBoolean(value);
  },
  "caching/ttlInSeconds": (setting, value) => {
    setting.cacheTtlInSeconds = number(value);
  },
  "caching/dataEncrypted": (setting, value) => {
    setting.cacheDataEncrypted = toBoolean(value);
  },
  "caching/requireAuthorizationForCacheControl": (setting, value) => {
    setting.requireAuthorizationForCacheControl = toBoolean(value);
  },
  "caching/unauthorizedCacheControlHeaderStrategy": (setting, value) => {
    setting.unauthorizedCacheControlHeaderStrategy = value as MethodSetting["unauthorizedCacheControlHeaderStrategy"];
  },
};

/** What a method has before anything is set for it (API reference: MethodSetting); -1 is "no limit of its own". */
const defaultSetting: MethodSetting = {
  metricsEnabled: false,
  loggingLevel: "OFF",
  dataTraceEnabled: false,
  throttlingBurstLimit: -1,
  throttlingRateLimit: -1,
  cachingEnabled: false,
  cacheTtlInSeconds: 300,
  cacheDataEncrypted: false,
  requireAuthorizationForCacheControl: true,
  unauthorizedCacheControlHeaderStrategy: "SUCCEED_WITH_RESPONSE_HEADER",
};

/** Stage: a name under which a deployment is served, with its variables and limits. */
export function stages(store: Store, { clock }: Host): Part {
  return {
    CreateStage(input, context) {
      const state = store.of(context);
      const api = state.api(input.restApiId);
      checkStageName(input.stageName);
      if (!api.deployments.has(input.deploymentId ?? "")) throw badRequest("Deployment id does not exist");
      if (api.stages.has(input.stageName!)) throw conflict("Stage already exists");
      checkVariables(input.variables);
      const stage = newStage({ ...input, stageName: input.stageName! }, input.deploymentId!, new Date(clock.now()));
      api.stages.set(stage.stageName, stage);
      return stage;
    },
    GetStage: ({ restApiId, stageName }, context) =>
      store
        .of(context)
        .api(restApiId)
        .stage(stageName ?? ""),
    GetStages({ restApiId, deploymentId }, context) {
      const all = [...store.of(context).api(restApiId).stages.values()];
      return { item: deploymentId ? all.filter((stage) => stage.deploymentId === deploymentId) : all };
    },
    UpdateStage({ restApiId, stageName, patchOperations = [] }, context) {
      const state = store.of(context);
      const api = state.api(restApiId);
      const stage = api.stage(stageName ?? "");
      checkOperations(patchOperations, "updateStageInput");
      const updated = patchOperations.reduce<StoredStage>((current, operation) => {
        const setting = settingPath(operation.path ?? "");
        if (!setting || known(operation.path ?? ""))
          return patched(current, [operation], stageRules, { input: "updateStageInput" });
        return withSetting(current, operation.op ?? "replace", setting, operation.value ?? "");
      }, structuredClone(stage));
      checkVariables(updated.variables);
      if (!api.deployments.has(updated.deploymentId)) throw badRequest("Deployment id does not exist");
      checkLogging(state, updated);
      updated.lastUpdatedDate = new Date(clock.now());
      api.stages.set(updated.stageName, updated);
      return updated;
    },
    DeleteStage({ restApiId, stageName }, context) {
      const state = store.of(context);
      const api = state.api(restApiId);
      api.stage(stageName ?? "");
      for (const { name, apiStages } of state.plans.values())
        if (apiStages?.some((used) => used.apiId === api.id && used.stage === stageName))
          throw badRequest(`Cannot delete stage '${stageName}' because it is associated with usage plan '${name}'`);
      api.stages.delete(stageName!);
      return {};
    },
  };
}

export function checkStageName(name: string | undefined): void {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name ?? "")) throw badRequest("Stage name only allows a-zA-Z0-9_");
}

/** A stage as CreateStage and CreateDeployment make it. */
export function newStage(
  input: Omit<CreateStageRequest, "restApiId" | "deploymentId">,
  deploymentId: string,
  now: Date,
): StoredStage {
  checkVariables(input.variables);
  return {
    stageName: input.stageName!,
    deploymentId,
    description: input.description,
    cacheClusterEnabled: input.cacheClusterEnabled ?? false,
    cacheClusterSize: input.cacheClusterEnabled ? (input.cacheClusterSize ?? "0.5") : input.cacheClusterSize,
    // Not emulated: the cache. Its settings are kept, every request reaches the integration.
    cacheClusterStatus: input.cacheClusterEnabled ? "AVAILABLE" : "NOT_AVAILABLE",
    methodSettings: {},
    variables: input.variables,
    documentationVersion: input.documentationVersion,
    // Not emulated: canary traffic. The settings are kept, all traffic goes to the stage's own deployment.
    canarySettings: input.canarySettings,
    tracingEnabled: input.tracingEnabled ?? false,
    tags: input.tags,
    createdDate: now,
    lastUpdatedDate: now,
  };
}

const stageRules: PatchRule<StoredStage>[] = [
  text("/deploymentId", "deploymentId"),
  text("/description", "description"),
  text("/clientCertificateId", "clientCertificateId"),
  text("/documentationVersion", "documentationVersion"),
  text("/cacheClusterSize", "cacheClusterSize"),
  {
    path: "/cacheClusterEnabled",
    apply: (stage, { value }) => {
      stage.cacheClusterEnabled = toBoolean(value);
      stage.cacheClusterStatus = stage.cacheClusterEnabled ? "AVAILABLE" : "NOT_AVAILABLE";
      if (stage.cacheClusterEnabled) stage.cacheClusterSize ??= "0.5";
    },
  },
  flag("/tracingEnabled", "tracingEnabled"),
  entries("variables"),
  {
    path: "/accessLogSettings",
    ops: ["remove"],
    apply: (stage) => {
      stage.accessLogSettings = undefined;
    },
  },
  ...(["destinationArn", "format"] as const).map(
    (member): PatchRule<StoredStage> => ({
      path: `/accessLogSettings/${member}`,
      ops: ["add", "replace", "remove"],
      apply: (stage, { op, value }) => {
        // The console and several tools send log group ARNs with ":*" at the end; AWS drops it.
        const text = member === "destinationArn" ? value.replace(/:\*$/, "") : value;
        stage.accessLogSettings = { ...stage.accessLogSettings, [member]: op === "remove" ? undefined : text };
      },
    }),
  ),
  {
    path: "/canarySettings",
    ops: ["remove"],
    apply: (stage) => {
      stage.canarySettings = undefined;
    },
  },
  ...(["percentTraffic", "deploymentId", "useStageCache"] as const).map(
    (member): PatchRule<StoredStage> => ({
      path: `/canarySettings/${member}`,
      ops: ["add", "replace"],
      apply: (stage, { value }) => {
        const read = { percentTraffic: Number(value), deploymentId: value, useStageCache: toBoolean(value) };
        stage.canarySettings = { ...stage.canarySettings, [member]: read[member] };
      },
    }),
  ),
];

const known = (path: string) => /^\/(variables|accessLogSettings|canarySettings)(\/|$)/.test(path);

/** Reads `/{resourcePath}/{method}/throttling/rateLimit`; the resource path may hold plain or escaped slashes. */
function settingPath(path: string): { key: string; apply?: (typeof settings)[string] } | undefined {
  const segments = path.split("/").slice(1);
  const apply = settings[segments.slice(-2).join("/")];
  if (apply && segments.length >= 4) return { key: settingKey(segments.slice(0, -2)), apply };
  // A whole entry is removed by `/{resourcePath}/{method}`.
  if (segments.length === 2 && /^(\*|[A-Z]+)$/.test(segments[1]!)) return { key: settingKey(segments) };
  return undefined;
}

// `*/*`, `pets/GET`; the root is `/GET`. The form does not depend on how the path was escaped.
export const settingKey = (segments: readonly string[]) => {
  const verb = segments.at(-1)!;
  return `${unescapePointer(segments.slice(0, -1).join("/")).replace(/^\//, "")}/${verb}`;
};

function withSetting(
  stage: StoredStage,
  op: string,
  { key, apply }: NonNullable<ReturnType<typeof settingPath>>,
  value: string,
): StoredStage {
  const methodSettings = { ...stage.methodSettings };
  if (!apply) {
    if (op !== "remove") throw badRequest("Invalid patch operation specified. Must be one of: [remove]");
    delete methodSettings[key];
  } else {
    if (op !== "replace") throw badRequest("Invalid patch operation specified. Must be one of: [replace]");
    // A method's own entry starts from what applies to all methods.
    const setting = { ...(methodSettings[key] ?? methodSettings["*/*"] ?? defaultSetting) };
    apply(setting, value);
    methodSettings[key] = setting;
  }
  return { ...stage, methodSettings };
}

function checkLogging(state: State, { accessLogSettings, methodSettings }: Stage): void {
  const { destinationArn, format } = accessLogSettings ?? {};
  const logs = Object.values(methodSettings ?? {}).some(({ loggingLevel = "OFF" }) => loggingLevel !== "OFF");
  if ((destinationArn || logs) && !state.cloudwatchRoleArn) throw noRole();
  if (destinationArn) {
    const arn = parseArn(destinationArn);
    if (arn?.service === "firehose")
      throw notEmulated("apigateway", "UpdateStage", "access logs to Firehose; use a CloudWatch log group");
    if (arn?.service !== "logs" || !arn.resource.startsWith("log-group:"))
      throw badRequest("Invalid ARN specified in the request. ARNs must start with 'arn:'");
  }
  if (format !== undefined && !/\$context\.(requestId|extendedRequestId)\b/.test(format))
    throw badRequest("Access Log format must contain either $context.requestId or $context.extendedRequestId");
}

function checkVariables(variables: Record<string, string> | undefined): void {
  const { stageVariableName, stageVariableValue } = limits.apiGateway;
  for (const [name, value] of Object.entries(variables ?? {})) {
    if (!/^[A-Za-z0-9_]+$/.test(name) || name.length > stageVariableName.value)
      throw badRequest("Stage variable name should match the regular expression: [a-zA-Z0-9_]+ ");
    if (value.length > stageVariableValue.value || !/^[A-Za-z0-9\-._~:/?#&=,]*$/.test(value))
      throw badRequest(
        `Stage variable value should match the regular expression: [A-Za-z0-9-._~:/?#&=,]+ and be at most ${stageVariableValue.value} characters`,
      );
  }
}

function number(value: string): number {
  const parsed = Number(value);
  if (value === "" || !Number.isFinite(parsed)) throw badRequest(`Invalid number specified: ${value}`);
  return parsed;
}
