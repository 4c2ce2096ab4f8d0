import { type Access, type AccessTable, requestTags } from "../../core/access/access";
import {
  byAddress,
  controlCall,
  keysAt,
  passToGateway,
  pathOf,
  permission,
  tagsOfNew,
  values,
} from "../../core/gateway/control-access";
import type { Context } from "../../core/service";
import type { State } from "./state";
import type { Part, Sdk, Store } from "./store";

type Keys = NonNullable<Access["conditions"]>;

/** Condition keys of what is at a path: its tags, those of its API, and `apigateway:Resource/...`. */
function resourceKeys(state: State, path: string): Keys {
  const [, kind, id = "", part, name = ""] = path.split("/");
  if (kind === "domainnames") return keysAt([state.domains.get(id)?.Tags]);
  if (kind === "vpclinks") return keysAt([state.vpcLinks.get(id)?.Tags]);
  const api = kind === "apis" ? state.apis.get(id) : undefined;
  if (!api) return {};
  const { api: described, authorizers, routes } = api.definition;
  const stage = part === "stages" ? api.stages.get(name) : undefined;
  const authorizer = part === "authorizers" && Object.hasOwn(authorizers, name) ? authorizers[name] : undefined;
  const route = part === "routes" && Object.hasOwn(routes, name) ? routes[name] : undefined;
  return keysAt([described.Tags, stage?.Tags], {
    "apigateway:Resource/ApiName": part === undefined ? values(described.Name) : undefined,
    "apigateway:Resource/DisableExecuteApiEndpoint":
      part === undefined ? values(described.DisableExecuteApiEndpoint ?? false) : undefined,
    "apigateway:Resource/AccessLoggingDestination": values(stage?.AccessLogSettings?.DestinationArn),
    "apigateway:Resource/AccessLoggingFormat": values(stage?.AccessLogSettings?.Format),
    "apigateway:Resource/AuthorizerType": values(authorizer?.AuthorizerType),
    "apigateway:Resource/AuthorizerUri": values(authorizer?.AuthorizerUri),
    "apigateway:Resource/ApiKeyRequired": values(route?.ApiKeyRequired),
    "apigateway:Resource/RouteAuthorizationType": values(route?.AuthorizationType),
  });
}

const apiKeys = (input: { Name?: string; DisableExecuteApiEndpoint?: boolean }): Keys => ({
  "apigateway:Request/ApiName": values(input.Name),
  "apigateway:Request/DisableExecuteApiEndpoint": values(input.DisableExecuteApiEndpoint),
});
const authorizerKeys = (input: { AuthorizerType?: string; AuthorizerUri?: string }): Keys => ({
  "apigateway:Request/AuthorizerType": values(input.AuthorizerType),
  "apigateway:Request/AuthorizerUri": values(input.AuthorizerUri),
});
const routeKeys = (input: { ApiKeyRequired?: boolean; AuthorizationType?: string }): Keys => ({
  "apigateway:Request/ApiKeyRequired": values(input.ApiKeyRequired),
  "apigateway:Request/RouteAuthorizationType": values(input.AuthorizationType),
});
const stageKeys = (input: { AccessLogSettings?: { DestinationArn?: string; Format?: string } }): Keys => ({
  "apigateway:Request/AccessLoggingDestination": values(input.AccessLogSettings?.DestinationArn),
  "apigateway:Request/AccessLoggingFormat": values(input.AccessLogSettings?.Format),
});

/**
 * What API Gateway wants allowed for WebSocket and HTTP APIs (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html):
 * the method of the request on its path without `/v2`, and more where it hands a role on.
 *
 * @param operations what the service has: each needs at least that.
 */
export function access(store: Store, operations: Part): AccessTable<Sdk> {
  const call = (context: Context, more: Keys = {}): Access => {
    const { method, path } = controlCall(context);
    return permission(method, path, context, { ...resourceKeys(store.of(context), path), ...more });
  };
  const create = (input: { Tags?: Record<string, string> }, context: Context, more: Keys = {}): Access[] => [
    call(context, { ...more, ...requestTags(input.Tags) }),
    ...tagsOfNew({ method: "POST", path: `/v2${controlCall(context).path}` }, input.Tags, context),
  ];
  const trusting = (input: { MutualTlsAuthentication?: { TruststoreUri?: string } }, context: Context): Access[] => {
    const { MutualTlsAuthentication: trust } = input;
    if (!trust) return [];
    const { path } = controlCall(context);
    const action = trust.TruststoreUri === "" ? "RemoveCertificateFromDomain" : "AddCertificateToDomain";
    return [permission(action, path, context, resourceKeys(store.of(context), path))];
  };
  const tagged = (
    input: { ResourceArn: string | undefined; Tags?: Record<string, string>; TagKeys?: string[] },
    context: Context,
  ) =>
    call(context, {
      ...resourceKeys(store.of(context), pathOf(input.ResourceArn)),
      ...requestTags(input.Tags, input.TagKeys),
    });

  return {
    ...byAddress(operations, (_, context) => call(context)),
    CreateApi: (input, context) => [...create(input, context, apiKeys(input)), ...passToGateway(input.CredentialsArn)],
    CreateAuthorizer: (input, context) => [
      call(context, authorizerKeys(input)),
      ...passToGateway(input.AuthorizerCredentialsArn),
    ],
    CreateDeployment: (input, context) => call(context, { "apigateway:Request/StageName": values(input.StageName) }),
    CreateDomainName: (input, context) => [...create(input, context), ...trusting(input, context)],
    CreateIntegration: (input, context) => [call(context), ...passToGateway(input.CredentialsArn)],
    CreateRoute: (input, context) => call(context, routeKeys(input)),
    CreateStage: (input, context) => create(input, context, stageKeys(input)),
    CreateVpcLink: (input, context) => create(input, context),
    GetTags: tagged,
    TagResource: tagged,
    UntagResource: tagged,
    UpdateApi: (input, context) => [call(context, apiKeys(input)), ...passToGateway(input.CredentialsArn)],
    UpdateAuthorizer: (input, context) => [
      call(context, authorizerKeys(input)),
      ...passToGateway(input.AuthorizerCredentialsArn),
    ],
    UpdateDomainName: (input, context) => [call(context), ...trusting(input, context)],
    UpdateIntegration: (input, context) => [call(context), ...passToGateway(input.CredentialsArn)],
    UpdateRoute: (input, context) => call(context, routeKeys(input)),
    UpdateStage: (input, context) => call(context, stageKeys(input)),
  };
}
