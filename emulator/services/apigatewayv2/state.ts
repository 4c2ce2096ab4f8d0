import { randomInt } from "node:crypto";
import type {
  ApiMapping,
  Authorizer,
  Deployment,
  Api as Described,
  DomainName,
  Integration,
  IntegrationResponse,
  Model,
  Route,
  RouteResponse,
  Stage,
  VpcLink,
} from "@aws-sdk/client-apigatewayv2";
import { formatArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import { badRequest, noSuchApi, notFound } from "./errors";

export type StoredRoute = Route & { RouteId: string; RouteKey: string; responses: Record<string, RouteResponse> };
export type StoredIntegration = Integration & {
  IntegrationId: string;
  responses: Record<string, IntegrationResponse>;
};
export type StoredAuthorizer = Authorizer & { AuthorizerId: string };
export type StoredModel = Model & { ModelId: string; Name: string };
export type StoredStage = Stage & { StageName: string };

/** Everything of an API that a deployment freezes. Plain data, so that `structuredClone` is the snapshot. */
export interface ApiDefinition {
  api: Described & { ApiId: string };
  routes: Record<string, StoredRoute>;
  integrations: Record<string, StoredIntegration>;
  authorizers: Record<string, StoredAuthorizer>;
  models: Record<string, StoredModel>;
}

export interface StoredDeployment {
  readonly shown: Deployment & { DeploymentId: string };
  readonly snapshot: ApiDefinition;
}

/** One API: the definition being edited, its deployments and its stages. */
export class Api {
  readonly deployments = new Map<string, StoredDeployment>();
  readonly stages = new Map<string, StoredStage>();

  constructor(
    readonly scope: Scope,
    readonly definition: ApiDefinition,
  ) {}

  get id(): string {
    return this.definition.api.ApiId;
  }

  get isWebSocket(): boolean {
    return this.definition.api.ProtocolType === "WEBSOCKET";
  }

  route(id: string | undefined): StoredRoute {
    return member(this.definition.routes, id, "Route");
  }

  integration(id: string | undefined): StoredIntegration {
    return member(this.definition.integrations, id, "Integration");
  }

  stage(name: string | undefined): StoredStage {
    const stage = this.stages.get(name ?? "");
    if (!stage) throw notFound("stage");
    return stage;
  }

  deployment(id: string | undefined): StoredDeployment {
    const deployment = this.deployments.get(id ?? "");
    if (!deployment) throw notFound("Deployment");
    return deployment;
  }

  /** Freezes the definition as it is now. */
  deploy(now: number, { description, auto }: { description?: string; auto: boolean }): StoredDeployment {
    const deployment: StoredDeployment = {
      shown: {
        DeploymentId: newId(6),
        AutoDeployed: auto,
        CreatedDate: new Date(now),
        DeploymentStatus: "DEPLOYED",
        Description: description,
      },
      snapshot: structuredClone(this.definition),
    };
    this.deployments.set(deployment.shown.DeploymentId, deployment);
    return deployment;
  }

  /** Brings the stages that deploy by themselves up to date; called after every change of the definition. */
  changed(now: number): void {
    const stages = [...this.stages.values()].filter(({ AutoDeploy }) => AutoDeploy);
    if (!stages.length || !Object.keys(this.definition.routes).length) return;
    const description = "Automatic deployment triggered by changes to the Api configuration";
    const { shown } = this.deploy(now, { description, auto: true });
    for (const stage of stages) {
      stage.DeploymentId = shown.DeploymentId;
      stage.LastDeploymentStatusMessage = `Successfully deployed stage with deployment ID '${shown.DeploymentId}'`;
      stage.LastUpdatedDate = new Date(now);
    }
    // Only what a stage shows can be looked at again; without this, every edit would keep a copy of the API.
    const used = new Set([...this.stages.values()].map(({ DeploymentId }) => DeploymentId));
    for (const [id, old] of this.deployments) if (old.shown.AutoDeployed && !used.has(id)) this.deployments.delete(id);
  }
}

export type StoredDomain = DomainName & {
  DomainName: string;
  mappings: Map<string, ApiMapping & { ApiMappingId: string }>;
};

/** All that one account keeps in one region. */
export class State {
  readonly apis = new Map<string, Api>();
  readonly domains = new Map<string, StoredDomain>();
  readonly vpcLinks = new Map<string, VpcLink & { VpcLinkId: string }>();

  constructor(readonly scope: Scope) {}

  api(id: string | undefined): Api {
    const api = this.apis.get(id ?? "");
    if (!api) throw noSuchApi(this.scope.account, id ?? "");
    return api;
  }

  /** `arn:aws:apigateway:eu-west-1::/apis/abc`: what tags are put on. */
  arn(path: string): string {
    return formatArn("apigateway", this.scope.region, "", path);
  }
}

/** The entry of a record, or AWS's NotFoundException with the name of its kind. */
export function member<T>(record: Record<string, T>, id: string | undefined, kind: string): T {
  if (id === undefined || !Object.hasOwn(record, id)) throw notFound(kind);
  return record[id]!;
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** An id as API Gateway makes them: 10 characters for APIs, 6 or 7 for what is in them. */
export function newId(length: 6 | 7 | 10): string {
  let id = "";
  for (let i = 0; i < length; i++) id += alphabet[randomInt(alphabet.length)];
  return id;
}

/** One page of a list: `MaxResults` items (text in this API) from `NextToken` on. */
export function page<T>(
  items: Iterable<T>,
  { MaxResults, NextToken }: { MaxResults?: string; NextToken?: string },
): { Items: T[]; NextToken?: string } {
  const all = [...items];
  const most = MaxResults === undefined ? 500 : Number(MaxResults);
  if (!Number.isInteger(most) || most < 1) throw badRequest("Invalid MaxResults specified");
  const start = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, "base64url").toString() || "NaN");
  if (!Number.isInteger(start) || start < 0) throw badRequest("Invalid NextToken specified");
  const end = start + most;
  return {
    Items: all.slice(start, end),
    ...(end < all.length ? { NextToken: Buffer.from(String(end)).toString("base64url") } : {}),
  };
}

/** The members of an update that were given, to put over what is there. */
export function given<T extends object>(input: T): Partial<T> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** A parameter map after an update: given entries replace old ones, an empty value removes (API reference, UpdateIntegration). */
export function mergedParameters(
  old: Record<string, string> | undefined,
  update: Record<string, string> | undefined,
): Record<string, string> | undefined {
  if (!update) return old;
  const merged = Object.entries({ ...old, ...update }).filter(([, value]) => value !== "");
  return Object.fromEntries(merged);
}
