import { randomInt, randomUUID } from "node:crypto";
import type {
  ApiKey,
  Authorizer,
  BasePathMapping,
  ClientCertificate,
  Deployment,
  DomainName,
  GatewayResponse,
  Method,
  Model,
  RequestValidator,
  Resource,
  RestApi,
  Stage,
  UsagePlan,
  VpcLink,
} from "@aws-sdk/client-api-gateway";
import { formatArn } from "../../core/arn";
import type { Scope } from "../../core/service";
import { noSuchApi, notFound } from "./errors";

/** A resource with what AWS always gives for it. */
export type StoredResource = Resource & { id: string; path: string; resourceMethods: Record<string, Method> };

/** Everything of an API that a deployment freezes. Plain data, so that `structuredClone` is the snapshot. */
export interface ApiDefinition {
  api: RestApi & { id: string; rootResourceId: string };
  resources: StoredResource[];
  authorizers: (Authorizer & { id: string })[];
  models: (Model & { name: string })[];
  validators: (RequestValidator & { id: string })[];
  gatewayResponses: Record<string, GatewayResponse>;
}

/** A deployment: what AWS tells of it, and the definition it froze. */
export interface StoredDeployment {
  readonly id: string;
  description?: string;
  readonly createdDate: Date;
  readonly snapshot: ApiDefinition;
}

export type StoredStage = Stage & { stageName: string; deploymentId: string };

/** One REST API: the definition being edited, its deployments and its stages. */
export class Api {
  readonly deployments = new Map<string, StoredDeployment>();
  readonly stages = new Map<string, StoredStage>();

  constructor(
    readonly scope: Scope,
    public definition: ApiDefinition,
  ) {}

  get id(): string {
    return this.definition.api.id;
  }

  get arn(): string {
    return formatArn("apigateway", this.scope.region, "", `/restapis/${this.id}`);
  }

  resource(id: string): StoredResource {
    const resource = this.definition.resources.find((candidate) => candidate.id === id);
    if (!resource) throw notFound("Resource");
    return resource;
  }

  method(resourceId: string, httpMethod: string): Method {
    const { resourceMethods } = this.resource(resourceId);
    if (!Object.hasOwn(resourceMethods, httpMethod)) throw notFound("Method");
    return resourceMethods[httpMethod]!;
  }

  stage(name: string): StoredStage {
    const stage = this.stages.get(name);
    if (!stage) throw notFound("stage");
    return stage;
  }

  deployment(id: string): StoredDeployment {
    const deployment = this.deployments.get(id);
    if (!deployment) throw notFound("Deployment");
    return deployment;
  }

  /** The deployment as the API shows it; the method table only when asked for with `embed=apisummary`. */
  show({ id, description, createdDate, snapshot }: StoredDeployment, withSummary = false): Deployment {
    if (!withSummary) return { id, description, createdDate };
    const apiSummary: NonNullable<Deployment["apiSummary"]> = {};
    for (const { path, resourceMethods } of snapshot.resources) {
      for (const [verb, { authorizationType, apiKeyRequired }] of Object.entries(resourceMethods)) {
        const methods = apiSummary[path] ?? {};
        methods[verb] = { authorizationType, apiKeyRequired };
        apiSummary[path] = methods;
      }
    }
    return { id, description, createdDate, apiSummary };
  }
}

export type StoredApiKey = ApiKey & { id: string; value: string };
export type StoredUsagePlan = UsagePlan & { id: string; keyIds: string[] };
export type StoredDomain = DomainName & { domainName: string; mappings: Map<string, BasePathMapping> };

/** All that one account keeps in one region. */
export class State {
  readonly apis = new Map<string, Api>();
  readonly keys = new Map<string, StoredApiKey>();
  readonly plans = new Map<string, StoredUsagePlan>();
  readonly domains = new Map<string, StoredDomain>();
  readonly vpcLinks = new Map<string, VpcLink & { id: string }>();
  readonly certificates = new Map<string, ClientCertificate & { clientCertificateId: string }>();
  /** The role that writes stage logs, set with UpdateAccount; undefined until then. */
  cloudwatchRoleArn?: string;

  constructor(readonly scope: Scope) {}

  api(id: string | undefined): Api {
    const api = this.apis.get(id ?? "");
    if (!api) throw noSuchApi(this.scope.account, id ?? "");
    return api;
  }
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** An id as API Gateway makes them: 10 characters for APIs, keys and root resources, 6 for most others. */
export function newId(length: 6 | 10): string {
  let id = "";
  for (let i = 0; i < length; i++) id += alphabet[randomInt(alphabet.length)];
  return id;
}

/** A key value as AWS generates it: 40 letters and digits. */
export const newKeyValue = () => `${randomUUID()}${randomUUID()}`.replaceAll("-", "").slice(0, 40);

/** One page of a list, as every Get...s operation cuts it: `limit` items from `position` on. */
export function page<T>(
  items: readonly T[],
  { position, limit = 25 }: { position?: string; limit?: number },
): { items: T[]; position?: string } {
  const start = position ? Number(Buffer.from(position, "base64url").toString()) || 0 : 0;
  // API Gateway takes 500 as the most a page may have (API reference: GetRestApis, limit).
  const end = start + Math.min(Math.max(1, limit), 500);
  return {
    items: items.slice(start, end),
    ...(end < items.length ? { position: Buffer.from(String(end)).toString("base64url") } : {}),
  };
}
