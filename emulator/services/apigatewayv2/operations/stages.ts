import type { RouteSettings, Stage, UpdateStageRequest } from "@aws-sdk/client-apigatewayv2";
import { parseArn } from "../../../core/arn";
import { notEmulated } from "../../../core/errors";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, conflict, notFoundMessage, required } from "../errors";
import { type Api, given, page, type StoredStage } from "../state";
import type { Part, Store } from "../store";

/** Told when a stage goes, so that its connections are closed. */
export type OnStageDelete = (apiId: string, stageName: string) => void;

/** Stage: a name under which a deployment is served, with its variables, limits and access logs. */
export function stages(store: Store, { clock, bus }: Host, onDelete: OnStageDelete): Part {
  /** @param given settings of the request: those of routes that went since may stay, and hold nothing up. */
  const check = async (api: Api, stage: StoredStage, given: Stage["RouteSettings"]) => {
    checkVariables(stage.StageVariables);
    for (const settings of [stage.DefaultRouteSettings, ...Object.values(stage.RouteSettings ?? {})])
      checkSettings(settings);
    const routes = new Set(Object.values(api.definition.routes).map(({ RouteKey }) => RouteKey));
    for (const key of Object.keys(given ?? {}))
      if (!routes.has(key))
        throw notFoundMessage(`Unable to find Route by key ${key} within the provided RouteSettings`);
    if (stage.DeploymentId && !api.deployments.has(stage.DeploymentId))
      throw badRequest("Deployment id does not exist");
    await checkLogging(api, stage);
  };

  const checkLogging = async (api: Api, stage: StoredStage) => {
    const { DestinationArn, Format } = stage.AccessLogSettings ?? {};
    const all = [stage.DefaultRouteSettings, ...Object.values(stage.RouteSettings ?? {})];
    const executionLogs = all.some(
      (settings) => settings?.DataTraceEnabled || (settings?.LoggingLevel ?? "OFF") !== "OFF",
    );
    // HTTP APIs write their logs with a role of API Gateway's own.
    if (api.isWebSocket && (DestinationArn || executionLogs)) {
      const gateway = bus.ready("apigateway") ?? (await bus.to("apigateway"));
      if (!gateway.cloudwatchRole(api.scope))
        throw badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging");
    }
    if (DestinationArn !== undefined) {
      const arn = parseArn(DestinationArn);
      if (arn?.service === "firehose")
        throw notEmulated("apigatewayv2", "UpdateStage", "access logs to Firehose; use a CloudWatch log group");
      if (arn?.service !== "logs" || !arn.resource.startsWith("log-group:"))
        throw badRequest("Invalid ARN specified in the request. ARNs must start with 'arn:'");
      stage.AccessLogSettings = { ...stage.AccessLogSettings, DestinationArn: DestinationArn.replace(/:\*$/, "") };
    }
    if (DestinationArn !== undefined && Format === undefined) throw badRequest("Access log format must be specified");
    if (Format !== undefined && !/\$context\.(requestId|extendedRequestId)\b/.test(Format))
      throw badRequest("Access Log format must contain either $context.requestId or $context.extendedRequestId");
  };

  return {
    async CreateStage({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      if (!input.StageName) throw required("stageName");
      if (
        !/^(\$default|[A-Za-z0-9_-]{1,128})$/.test(input.StageName) ||
        (api.isWebSocket && input.StageName === "$default")
      )
        throw badRequest("Stage name only allows a-zA-Z0-9_-");
      if (api.stages.has(input.StageName)) throw conflict("Stage already exists");
      if (input.AutoDeploy && input.DeploymentId)
        throw badRequest("Deployment ID cannot be set on stage because AutoDeploy is enabled");
      const now = new Date(clock.now());
      const stage: StoredStage = {
        ...input,
        StageName: input.StageName,
        AutoDeploy: input.AutoDeploy ?? false,
        DefaultRouteSettings: { ...defaultSettings, ...input.DefaultRouteSettings },
        RouteSettings: input.RouteSettings ?? {},
        StageVariables: input.StageVariables ?? {},
        Tags: input.Tags ?? {},
        CreatedDate: now,
        LastUpdatedDate: now,
      };
      await check(api, stage, input.RouteSettings);
      api.stages.set(stage.StageName, stage);
      if (stage.AutoDeploy) api.changed(clock.now());
      return stage;
    },
    GetStage: ({ ApiId, StageName }, context) => store.of(context).api(ApiId).stage(StageName),
    GetStages: ({ ApiId, ...paging }, context) => page(store.of(context).api(ApiId).stages.values(), paging),
    async UpdateStage({ ApiId, StageName, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const old = api.stage(StageName);
      const stage: StoredStage = { ...old, ...given<Omit<UpdateStageRequest, "ApiId" | "StageName">>(input) };
      if (stage.AutoDeploy && input.DeploymentId && input.DeploymentId !== old.DeploymentId)
        throw badRequest("Deployment ID cannot be set on stage because AutoDeploy is enabled");
      stage.DefaultRouteSettings = { ...old.DefaultRouteSettings, ...input.DefaultRouteSettings };
      // Settings of other routes stay; variables, too, where an empty value removes one.
      stage.RouteSettings = { ...old.RouteSettings, ...input.RouteSettings };
      stage.StageVariables = Object.fromEntries(
        Object.entries({ ...old.StageVariables, ...input.StageVariables }).filter(([, value]) => value !== ""),
      );
      stage.LastUpdatedDate = new Date(clock.now());
      await check(api, stage, input.RouteSettings);
      api.stages.set(stage.StageName, stage);
      if (stage.AutoDeploy && !old.AutoDeploy) api.changed(clock.now());
      return stage;
    },
    DeleteStage({ ApiId, StageName }, context) {
      const state = store.of(context);
      const api = state.api(ApiId);
      const name = api.stage(StageName).StageName;
      for (const { mappings } of state.domains.values())
        for (const { ApiId: used, Stage } of mappings.values())
          if (used === api.id && Stage === name)
            throw badRequest(`Cannot delete stage '${name}' because an API mapping refers to it`);
      api.stages.delete(name);
      onDelete(api.id, name);
      return {};
    },
    DeleteAccessLogSettings({ ApiId, StageName }, context) {
      store.of(context).api(ApiId).stage(StageName).AccessLogSettings = undefined;
      return {};
    },
    DeleteRouteSettings({ ApiId, StageName, RouteKey }, context) {
      const { RouteSettings = {} } = store.of(context).api(ApiId).stage(StageName);
      if (!Object.hasOwn(RouteSettings, RouteKey ?? ""))
        throw notFoundMessage(`Unable to find Route by key ${RouteKey} within the provided RouteSettings`);
      delete RouteSettings[RouteKey!];
      return {};
    },
  };
}

const defaultSettings: RouteSettings = {
  DataTraceEnabled: false,
  DetailedMetricsEnabled: false,
  LoggingLevel: "OFF",
};

function checkSettings({ ThrottlingBurstLimit, ThrottlingRateLimit, LoggingLevel }: RouteSettings = {}): void {
  if (LoggingLevel !== undefined && !["OFF", "ERROR", "INFO"].includes(LoggingLevel))
    throw badRequest("Invalid logging level specified. Must be one of: OFF, ERROR, INFO");
  if ((ThrottlingBurstLimit ?? 0) < 0 || (ThrottlingRateLimit ?? 0) < 0)
    throw badRequest("Throttling limits must not be negative");
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
