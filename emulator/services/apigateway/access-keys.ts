import type { PatchOperation } from "@aws-sdk/client-api-gateway";
import type { Access } from "../../core/access/access";
import { keysAt, values } from "../../core/gateway/control-access";
import type { State } from "./state";

type Keys = NonNullable<Access["conditions"]>;

/** What patches of some paths say in condition keys. */
const patchedKeys: Readonly<Record<string, string>> = {
  "/accessLogSettings/destinationArn": "AccessLoggingDestination",
  "/accessLogSettings/format": "AccessLoggingFormat",
  "/apiKeyRequired": "ApiKeyRequired",
  "/authorizationType": "RouteAuthorizationType",
  "/authorizerUri": "AuthorizerUri",
  "/disableExecuteApiEndpoint": "DisableExecuteApiEndpoint",
  "/mutualTlsAuthentication/truststoreUri": "MtlsTrustStoreUri",
  "/mutualTlsAuthentication/truststoreVersion": "MtlsTrustStoreVersion",
  "/securityPolicy": "SecurityPolicy",
  "/type": "AuthorizerType",
};

/**
 * Condition keys of an update: `apigateway:Request/...`
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_id-based-policy-examples.html).
 *
 * @param isApi of an API; the names of other things are no condition key.
 */
export function updateKeys(patches: readonly PatchOperation[] | undefined, isApi: boolean): Keys {
  const keys: Record<string, readonly string[]> = {};
  for (const { path = "", value = "" } of patches ?? []) {
    const isEndpoint = /^\/endpointConfiguration\/types\//.test(path);
    const key = isEndpoint ? "EndpointType" : isApi && path === "/name" ? "ApiName" : patchedKeys[path];
    if (key !== undefined) keys[`apigateway:Request/${key}`] = [value];
  }
  return keys;
}

/** Condition keys of what is at a path: its tags, those of its API, and `apigateway:Resource/...`. */
export function resourceKeys(state: State, path: string): Keys {
  const [, kind, id = "", part, name = "", , verb = ""] = path.split("/");
  if (kind === "domainnames") {
    const domain = state.domains.get(id);
    return keysAt([domain?.tags], {
      "apigateway:Resource/SecurityPolicy": values(domain?.securityPolicy),
      "apigateway:Resource/EndpointType": domain?.endpointConfiguration?.types,
    });
  }
  const plain = {
    apikeys: state.keys,
    usageplans: state.plans,
    vpclinks: state.vpcLinks,
    clientcertificates: state.certificates,
  }[kind ?? ""];
  if (plain) return keysAt([plain.get(id)?.tags]);
  const api = kind === "restapis" ? state.apis.get(id) : undefined;
  if (!api) return {};
  const { api: described, authorizers, resources } = api.definition;
  const stage = part === "stages" ? api.stages.get(name) : undefined;
  const authorizer = part === "authorizers" ? authorizers.find((one) => one.id === name) : undefined;
  const resource = part === "resources" ? resources.find((one) => one.id === name) : undefined;
  const method = resource && Object.hasOwn(resource.resourceMethods, verb) ? resource.resourceMethods[verb] : undefined;
  return keysAt([described.tags, stage?.tags], {
    "apigateway:Resource/ApiName": part === undefined ? values(described.name) : undefined,
    "apigateway:Resource/EndpointType": part === undefined ? described.endpointConfiguration?.types : undefined,
    "apigateway:Resource/DisableExecuteApiEndpoint":
      part === undefined ? values(described.disableExecuteApiEndpoint ?? false) : undefined,
    "apigateway:Resource/AccessLoggingDestination": values(stage?.accessLogSettings?.destinationArn),
    "apigateway:Resource/AccessLoggingFormat": values(stage?.accessLogSettings?.format),
    "apigateway:Resource/AuthorizerType": values(authorizer?.type),
    "apigateway:Resource/AuthorizerUri": values(authorizer?.authorizerUri),
    "apigateway:Resource/ApiKeyRequired": values(method?.apiKeyRequired),
    "apigateway:Resource/RouteAuthorizationType": values(method?.authorizationType),
  });
}
