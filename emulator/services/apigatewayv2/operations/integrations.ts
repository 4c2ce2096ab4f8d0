import type { CreateIntegrationRequest, IntegrationResponse } from "@aws-sdk/client-apigatewayv2";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, checkOneOf, checkRange, conflict, required } from "../errors";
import { type Api, given, member, mergedParameters, newId, page, type StoredIntegration } from "../state";
import type { Part, Store } from "../store";

type Settings = Partial<Omit<CreateIntegrationRequest, "ApiId">>;

/** Integration: what a route calls, and how its answers are turned into responses. */
export function integrations(store: Store, { clock }: Host): Part {
  return {
    CreateIntegration({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const isProxy = input.IntegrationType === "AWS_PROXY";
      const integration: StoredIntegration = {
        ...input,
        IntegrationId: newId(7),
        ConnectionType: input.ConnectionType ?? "INTERNET",
        // Lambda is called by POST, whatever else is said; AWS fills it in.
        IntegrationMethod: input.IntegrationMethod ?? (isProxy ? "POST" : undefined),
        PayloadFormatVersion: input.PayloadFormatVersion ?? "1.0",
        TimeoutInMillis: input.TimeoutInMillis ?? timeoutOf(api).value,
        ...(api.isWebSocket
          ? {
              PassthroughBehavior: input.PassthroughBehavior ?? "WHEN_NO_MATCH",
              IntegrationResponseSelectionExpression: selectionOf(input.IntegrationType),
            }
          : {}),
        responses: {},
      };
      check(api, integration);
      api.definition.integrations[integration.IntegrationId!] = integration;
      api.changed(clock.now());
      return integration;
    },
    GetIntegration: ({ ApiId, IntegrationId }, context) => store.of(context).api(ApiId).integration(IntegrationId),
    GetIntegrations: ({ ApiId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).definition.integrations), paging),
    UpdateIntegration({ ApiId, IntegrationId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const old = api.integration(IntegrationId);
      const integration: StoredIntegration = {
        ...old,
        ...given<Settings>(input),
        RequestParameters: mergedParameters(old.RequestParameters, input.RequestParameters),
      };
      integration.IntegrationResponseSelectionExpression = api.isWebSocket
        ? selectionOf(integration.IntegrationType)
        : undefined;
      check(api, integration);
      api.definition.integrations[integration.IntegrationId] = integration;
      api.changed(clock.now());
      return integration;
    },
    DeleteIntegration({ ApiId, IntegrationId }, context) {
      const api = store.of(context).api(ApiId);
      const { integrations, routes } = api.definition;
      const id = api.integration(IntegrationId).IntegrationId;
      const user = Object.values(routes).find(({ Target }) => Target === `integrations/${id}`);
      if (user) throw conflict(`Cannot delete Integration '${id}', is referenced in route: ${user.RouteKey}`);
      delete integrations[id];
      api.changed(clock.now());
      return {};
    },

    CreateIntegrationResponse({ ApiId, IntegrationId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const { responses } = api.integration(IntegrationId);
      const response = { ...input, IntegrationResponseId: newId(6) } as StoredResponse;
      checkResponse(responses, response);
      responses[response.IntegrationResponseId] = response;
      api.changed(clock.now());
      return response;
    },
    GetIntegrationResponse: ({ ApiId, IntegrationId, IntegrationResponseId: id }, context) =>
      member(store.of(context).api(ApiId).integration(IntegrationId).responses, id, "IntegrationResponse"),
    GetIntegrationResponses: ({ ApiId, IntegrationId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).integration(IntegrationId).responses), paging),
    UpdateIntegrationResponse({ ApiId, IntegrationId, IntegrationResponseId: id, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const { responses } = api.integration(IntegrationId);
      const old = member(responses, id, "IntegrationResponse");
      const response = { ...old, ...given(input) } as StoredResponse;
      checkResponse(responses, response);
      responses[response.IntegrationResponseId] = response;
      api.changed(clock.now());
      return response;
    },
    DeleteIntegrationResponse({ ApiId, IntegrationId, IntegrationResponseId: id }, context) {
      const api = store.of(context).api(ApiId);
      const { responses } = api.integration(IntegrationId);
      member(responses, id, "IntegrationResponse");
      delete responses[id!];
      api.changed(clock.now());
      return {};
    },
  };
}

const inBraces = (path: string) => `\${${path}}`;

/** What responses are selected by: a function's error message, or a status (API reference, Integration). */
const selectionOf = (type: string | undefined) =>
  type?.endsWith("_PROXY")
    ? undefined
    : type === "AWS"
      ? inBraces("integration.response.body.errorMessage")
      : inBraces("integration.response.statuscode");

type StoredResponse = IntegrationResponse & { IntegrationResponseId: string };

function checkResponse(responses: StoredIntegration["responses"], response: StoredResponse): void {
  const { IntegrationResponseKey: key, IntegrationResponseId: id } = response;
  if (!key) throw required("integrationResponseKey");
  checkKey(key);
  for (const other of Object.values(responses))
    if (other.IntegrationResponseKey === key && other.IntegrationResponseId !== id)
      throw conflict(`IntegrationResponse with key ${key} already exists for this Integration`);
}

/** A key is `$default` or a regular expression between slashes. */
function checkKey(key: string): void {
  if (key === "$default") return;
  const pattern = /^\/(.+)\/$/s.exec(key)?.[1];
  try {
    if (pattern) {
      new RegExp(pattern);
      return;
    }
  } catch {
    // Falls through to the one answer for keys that cannot be read.
  }
  throw badRequest(
    "Invalid IntegrationResponseKey specified. Must be $default or a regular expression between slashes",
  );
}

/** The time that an integration may take. */
const timeoutOf = ({ isWebSocket }: Api) =>
  isWebSocket ? limits.apiGateway.integrationTimeout : limits.apiGateway.httpIntegrationTimeout;

function check(api: Api, integration: StoredIntegration): void {
  const { isWebSocket } = api;
  const { IntegrationType, IntegrationUri, IntegrationMethod, TimeoutInMillis, ConnectionType, ConnectionId } =
    integration;
  if (!IntegrationType) throw required("integrationType");
  const types = isWebSocket ? ["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"] : ["AWS_PROXY", "HTTP_PROXY"];
  checkOneOf("integration type", IntegrationType, types);
  checkOneOf("connection type", ConnectionType, ["INTERNET", "VPC_LINK"]);
  checkOneOf("passthrough behavior", integration.PassthroughBehavior, ["WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"]);
  checkOneOf("content handling strategy", integration.ContentHandlingStrategy, [
    "CONVERT_TO_BINARY",
    "CONVERT_TO_TEXT",
  ]);
  const { least, value: most } = timeoutOf(api);
  checkRange("TimeoutInMillis", TimeoutInMillis, least, most);
  if (ConnectionType === "VPC_LINK" && !ConnectionId)
    throw badRequest("ConnectionId must be set when ConnectionType is VPC_LINK");
  if (IntegrationType === "MOCK") return;
  if (!IntegrationUri && !integration.IntegrationSubtype) throw badRequest("Integration URI must be specified");
  if (IntegrationType !== "AWS_PROXY" && !IntegrationMethod) throw badRequest("HttpMethod must be specified");
  if (IntegrationType.startsWith("HTTP") && ConnectionType === "INTERNET" && !/^https?:\/\//.test(IntegrationUri ?? ""))
    throw badRequest("Invalid HTTP endpoint specified for URI");
  const isArn = /^arn:[\w-]+:apigateway:[\w-]+:[\w.-]+:(path|action)\//.test(IntegrationUri ?? "");
  if (isWebSocket && IntegrationType.startsWith("AWS") && !isArn)
    throw badRequest("Invalid ARN specified in the request");
}
