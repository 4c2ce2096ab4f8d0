import type { PatchOperation } from "@aws-sdk/client-api-gateway";
import { type Access, type AccessTable, requestTags } from "../../core/access/access";
import {
  byAddress,
  controlCall,
  passToGateway,
  pathOf,
  permission,
  tagsOfNew,
  values,
} from "../../core/gateway/control-access";
import type { Context } from "../../core/service";
import { resourceKeys, updateKeys } from "./access-keys";
import type { Part, Sdk, Store } from "./store";

type Keys = NonNullable<Access["conditions"]>;
type Patched = { patchOperations?: PatchOperation[] };

/** The roles that an OpenAPI document hands on, in JSON or YAML. */
function rolesIn(body: unknown): string[] {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : "";
  const roles = /(?:credentials|authorizerCredentials)["']?\s*:\s*["']?(arn:aws:iam::[^\s"',}]+)/g;
  return [...new Set([...text.matchAll(roles)].map(([, arn]) => arn!))];
}

const hasPolicy = (body: unknown): boolean =>
  body instanceof Uint8Array && Buffer.from(body).includes("x-amazon-apigateway-policy");

const patchOf = ({ patchOperations }: Patched, path: string) =>
  (patchOperations ?? []).filter((patch) => patch.path === path && patch.op !== "remove");

/**
 * What API Gateway wants allowed for REST APIs (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html):
 * the method of the request on its path, and more where it hands a role on or changes what is of its own weight.
 *
 * @param operations what the service has: each needs at least that.
 */
export function access(store: Store, operations: Part): AccessTable<Sdk> {
  const call = (context: Context, more: Keys = {}): Access => {
    const { method, path } = controlCall(context);
    return permission(method, path, context, { ...resourceKeys(store.of(context), path), ...more });
  };
  const create = (input: { tags?: Record<string, string> }, context: Context, more: Keys = {}): Access[] => {
    const { path } = controlCall(context);
    return [
      call(context, { ...more, ...requestTags(input.tags) }),
      ...tagsOfNew({ method: "PUT", path }, input.tags, context),
    ];
  };
  const update = (input: Patched, context: Context, isApi = false) =>
    call(context, updateKeys(input.patchOperations, isApi));
  const extra = (action: string, context: Context) => {
    const { path } = controlCall(context);
    return permission(action, path, context, resourceKeys(store.of(context), path));
  };
  const imported = (body: unknown, context: Context): Access[] => [
    call(context),
    ...(hasPolicy(body) ? [extra("UpdateRestApiPolicy", context)] : []),
    ...rolesIn(body).flatMap(passToGateway),
  ];
  const passPatched = (input: Patched, path: string) =>
    patchOf(input, path).flatMap(({ value }) => passToGateway(value));

  return {
    ...byAddress(operations, (_, context) => call(context)),
    CreateApiKey: create,
    CreateAuthorizer: (input, context) => [
      call(context, {
        "apigateway:Request/AuthorizerType": values(input.type),
        "apigateway:Request/AuthorizerUri": values(input.authorizerUri),
      }),
      ...passToGateway(input.authorizerCredentials),
    ],
    CreateDeployment: (input, context) => call(context, { "apigateway:Request/StageName": values(input.stageName) }),
    CreateDomainName: (input, context) => [
      ...create(input, context, {
        "apigateway:Request/EndpointType": values(...(input.endpointConfiguration?.types ?? [])),
        "apigateway:Request/SecurityPolicy": values(input.securityPolicy),
        "apigateway:Request/MtlsTrustStoreUri": values(input.mutualTlsAuthentication?.truststoreUri),
        "apigateway:Request/MtlsTrustStoreVersion": values(input.mutualTlsAuthentication?.truststoreVersion),
      }),
      ...(input.mutualTlsAuthentication ? [extra("AddCertificateToDomain", context)] : []),
    ],
    CreateRestApi: (input, context) => [
      ...create(input, context, {
        "apigateway:Request/ApiName": values(input.name),
        "apigateway:Request/EndpointType": values(...(input.endpointConfiguration?.types ?? [])),
        "apigateway:Request/DisableExecuteApiEndpoint": values(input.disableExecuteApiEndpoint ?? false),
      }),
      ...(input.policy ? [extra("UpdateRestApiPolicy", context)] : []),
    ],
    CreateStage: create,
    CreateUsagePlan: create,
    CreateVpcLink: create,
    GenerateClientCertificate: create,
    ImportRestApi: ({ body }, context) => imported(body, context),
    PutIntegration: ({ credentials }, context) => [call(context), ...passToGateway(credentials)],
    PutMethod: (input, context) =>
      call(context, {
        "apigateway:Request/ApiKeyRequired": values(input.apiKeyRequired ?? false),
        "apigateway:Request/RouteAuthorizationType": values(input.authorizationType),
      }),
    PutRestApi: ({ body }, context) => imported(body, context),
    TagResource: (input, context) => {
      const path = pathOf(input.resourceArn);
      const conditions = { ...resourceKeys(store.of(context), path), ...requestTags(input.tags) };
      return [
        permission("PUT", controlCall(context).path, context, conditions),
        permission("PATCH", path, context, conditions),
      ];
    },
    UntagResource: (input, context) =>
      permission("DELETE", controlCall(context).path, context, {
        ...resourceKeys(store.of(context), pathOf(input.resourceArn)),
        ...requestTags({}, input.tagKeys),
      }),
    GetTags: (input, context) => call(context, resourceKeys(store.of(context), pathOf(input.resourceArn))),
    UpdateAccount: (input, context) => [update(input, context), ...passPatched(input, "/cloudwatchRoleArn")],
    UpdateAuthorizer: (input, context) => [update(input, context), ...passPatched(input, "/authorizerCredentials")],
    UpdateDomainName: (input, context) => {
      const trust = (input.patchOperations ?? []).filter(({ path }) => path?.startsWith("/mutualTlsAuthentication"));
      const actions = new Set(
        trust.map(({ op }) => `${op === "remove" ? "RemoveCertificateFrom" : "AddCertificateTo"}Domain`),
      );
      return [update(input, context), ...[...actions].map((action) => extra(action, context))];
    },
    UpdateIntegration: (input, context) => [update(input, context), ...passPatched(input, "/credentials")],
    UpdateMethod: (input, context) => update(input, context),
    UpdateRestApi: (input, context) => [
      update(input, context, true),
      ...((input.patchOperations ?? []).some(({ path }) => path === "/policy")
        ? [extra("UpdateRestApiPolicy", context)]
        : []),
    ],
    UpdateStage: (input, context) => update(input, context),
  };
}
