import type { Authorizer } from "@aws-sdk/client-apigatewayv2";
import type { Host } from "../../../core/service";
import { badRequest, checkOneOf, conflict, required } from "../errors";
import { type Api, given, member, newId, page, type StoredAuthorizer } from "../state";
import type { Part, Store } from "../store";

const source = /^(route\.request\.(header|querystring)\.[\w!#$%&'*+.^`|~-]+|context\.[\w.]+|stageVariables\.\w+)$/;
const httpSource = /^\$(request\.(header|querystring)\.[\w.-]+|context\.[\w.]+|stageVariables\.\w+)$/;

/** Authorizer: a function that decides on `$connect`; JWT authorizers of HTTP APIs are kept. */
export function authorizers(store: Store, { clock }: Host): Part {
  return {
    CreateAuthorizer({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const authorizer = { ...input, Name: input.Name ?? "", AuthorizerId: newId(6) } satisfies Authorizer;
      check(api, authorizer);
      api.definition.authorizers[authorizer.AuthorizerId] = authorizer;
      api.changed(clock.now());
      return authorizer;
    },
    GetAuthorizer: ({ ApiId, AuthorizerId }, context) =>
      member(store.of(context).api(ApiId).definition.authorizers, AuthorizerId, "Authorizer"),
    GetAuthorizers: ({ ApiId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).definition.authorizers), paging),
    UpdateAuthorizer({ ApiId, AuthorizerId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const old = member(api.definition.authorizers, AuthorizerId, "Authorizer");
      const authorizer = { ...old, ...given(input) } as StoredAuthorizer;
      check(api, authorizer);
      api.definition.authorizers[authorizer.AuthorizerId] = authorizer;
      api.changed(clock.now());
      return authorizer;
    },
    DeleteAuthorizer({ ApiId, AuthorizerId }, context) {
      const api = store.of(context).api(ApiId);
      const { authorizers, routes } = api.definition;
      member(authorizers, AuthorizerId, "Authorizer");
      const user = Object.values(routes).find((route) => route.AuthorizerId === AuthorizerId);
      if (user) throw conflict(`Cannot delete authorizer '${AuthorizerId}', is referenced in route: ${user.RouteKey}`);
      delete authorizers[AuthorizerId!];
      api.changed(clock.now());
      return {};
    },
    ResetAuthorizersCache({ ApiId, StageName }, context) {
      // Decisions on WebSocket connections are never kept; there is nothing to forget.
      store.of(context).api(ApiId).stage(StageName);
      return {};
    },
  };
}

function check({ isWebSocket, definition }: Api, authorizer: StoredAuthorizer): void {
  const { Name, AuthorizerType, AuthorizerUri, IdentitySource, AuthorizerResultTtlInSeconds } = authorizer;
  if (!Name) throw required("name");
  if (!AuthorizerType) throw required("authorizerType");
  checkOneOf("authorizer type", AuthorizerType, isWebSocket ? ["REQUEST"] : ["REQUEST", "JWT"]);
  const twin = Object.values(definition.authorizers).find(
    (other) => other.Name === Name && other.AuthorizerId !== authorizer.AuthorizerId,
  );
  if (twin) throw conflict("Authorizer name must be unique. Authorizer name provided already exists.");
  if (AuthorizerType === "JWT") {
    if (!authorizer.JwtConfiguration?.Issuer) throw badRequest("JwtConfiguration must be provided for JWT authorizers");
    return;
  }
  if (!/^arn:[\w-]+:apigateway:[\w-]+:lambda:path\/.+\/invocations$/.test(AuthorizerUri ?? ""))
    throw badRequest(
      "Authorizer URI must be specified as arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations",
    );
  for (const text of IdentitySource ?? [])
    if (!(isWebSocket ? source : httpSource).test(text))
      throw badRequest(`Invalid mapping expression specified: ${text}`);
  if (isWebSocket && authorizer.EnableSimpleResponses)
    throw badRequest("EnableSimpleResponses is not supported for the selected protocol type: WEBSOCKET");
  // Caching is for HTTP APIs (API reference, authorizerResultTtlInSeconds).
  if (isWebSocket && AuthorizerResultTtlInSeconds)
    throw badRequest("AuthorizerResultTtlInSeconds is not supported for the selected protocol type: WEBSOCKET");
}
