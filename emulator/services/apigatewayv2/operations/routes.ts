import type { CreateRouteRequest } from "@aws-sdk/client-apigatewayv2";
import { notEmulated } from "../../../core/errors";
import type { Host } from "../../../core/service";
import { badRequest, checkOneOf, conflict, required } from "../errors";
import { type Api, given, member, newId, page, type StoredRoute } from "../state";
import type { Part, Store } from "../store";

type Settings = Partial<Omit<CreateRouteRequest, "ApiId">>;

/** Route: what happens to messages of one key, and what is sent back. */
export function routes(store: Store, { clock }: Host): Part {
  return {
    CreateRoute({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const route = {
        ...input,
        RouteKey: input.RouteKey ?? "",
        RouteId: newId(7),
        ApiKeyRequired: input.ApiKeyRequired ?? false,
        AuthorizationType: input.AuthorizationType ?? "NONE",
        responses: {},
      } satisfies StoredRoute;
      check(api, route);
      api.definition.routes[route.RouteId] = route;
      api.changed(clock.now());
      return route;
    },
    GetRoute: ({ ApiId, RouteId }, context) => store.of(context).api(ApiId).route(RouteId),
    GetRoutes: ({ ApiId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).definition.routes), paging),
    UpdateRoute({ ApiId, RouteId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const route = { ...api.route(RouteId), ...given<Settings>(input) } as StoredRoute;
      // Only an authorizer of the route's own type stays with it.
      if (input.AuthorizationType !== undefined && input.AuthorizationType !== "CUSTOM" && !input.AuthorizerId)
        route.AuthorizerId = undefined;
      check(api, route);
      api.definition.routes[route.RouteId] = route;
      api.changed(clock.now());
      return route;
    },
    DeleteRoute({ ApiId, RouteId }, context) {
      const api = store.of(context).api(ApiId);
      delete api.definition.routes[api.route(RouteId).RouteId];
      api.changed(clock.now());
      return {};
    },
    DeleteRouteRequestParameter({ ApiId, RouteId, RequestParameterKey }, context) {
      const api = store.of(context).api(ApiId);
      const { RequestParameters = {} } = api.route(RouteId);
      member(RequestParameters, RequestParameterKey, "RequestParameter");
      delete RequestParameters[RequestParameterKey!];
      api.changed(clock.now());
      return {};
    },

    CreateRouteResponse({ ApiId, RouteId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const { responses } = api.route(RouteId);
      if (!input.RouteResponseKey) throw required("routeResponseKey");
      checkResponseKey(api, input.RouteResponseKey);
      if (Object.values(responses).some(({ RouteResponseKey }) => RouteResponseKey === input.RouteResponseKey))
        throw conflict(`RouteResponse with key ${input.RouteResponseKey} already exists for this Route`);
      const response = { ...input, RouteResponseKey: input.RouteResponseKey, RouteResponseId: newId(6) };
      responses[response.RouteResponseId] = response;
      api.changed(clock.now());
      return response;
    },
    GetRouteResponse: ({ ApiId, RouteId, RouteResponseId }, context) =>
      member(store.of(context).api(ApiId).route(RouteId).responses, RouteResponseId, "RouteResponse"),
    GetRouteResponses: ({ ApiId, RouteId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).route(RouteId).responses), paging),
    UpdateRouteResponse({ ApiId, RouteId, RouteResponseId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const old = member(api.route(RouteId).responses, RouteResponseId, "RouteResponse");
      if (input.RouteResponseKey !== undefined) checkResponseKey(api, input.RouteResponseKey);
      const response = Object.assign(old, given(input));
      api.changed(clock.now());
      return response;
    },
    DeleteRouteResponse({ ApiId, RouteId, RouteResponseId }, context) {
      const api = store.of(context).api(ApiId);
      const { responses } = api.route(RouteId);
      member(responses, RouteResponseId, "RouteResponse");
      delete responses[RouteResponseId!];
      api.changed(clock.now());
      return {};
    },
  };
}

/** `$default` is the only key that there is for WebSocket APIs (developer guide, "Setting up a route response"). */
function checkResponseKey({ isWebSocket }: Api, key: string): void {
  if (isWebSocket && key !== "$default") throw badRequest("Invalid RouteResponseKey specified. Must be $default");
}

function check(api: Api, route: StoredRoute): void {
  const { RouteKey, AuthorizationType, AuthorizerId, Target } = route;
  const { routes, authorizers, integrations, models } = api.definition;
  if (!RouteKey) throw required("routeKey");
  const twin = Object.values(routes).find((other) => other.RouteKey === RouteKey && other.RouteId !== route.RouteId);
  if (twin) throw conflict(`Route with key ${RouteKey} already exists for this API`);
  if (Target !== undefined) {
    const id = /^integrations\/(.+)$/.exec(Target)?.[1];
    if (!id || !Object.hasOwn(integrations, id))
      throw badRequest(`Unable to find integration with ID: ${id ?? Target}`);
  }
  if (!api.isWebSocket) {
    if (!/^(\$default|(ANY|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \/\S*)$/.test(RouteKey))
      throw badRequest("The provided route key is not formatted properly for HTTP protocol.");
    return;
  }
  if (/^\$/.test(RouteKey) && !["$connect", "$disconnect", "$default"].includes(RouteKey))
    throw badRequest(
      "Invalid route key specified. Route keys that begin with $ must be one of [$connect, $disconnect, $default]",
    );
  checkOneOf("authorization type", AuthorizationType, ["NONE", "AWS_IAM", "CUSTOM"]);
  // An empty one takes the expression off.
  if (route.RouteResponseSelectionExpression && route.RouteResponseSelectionExpression !== "$default")
    throw badRequest("Invalid RouteResponseSelectionExpression specified. Must be $default");
  const names = new Set(Object.values(models).map(({ Name }) => Name));
  for (const name of Object.values(route.RequestModels ?? {}))
    if (!names.has(name)) throw badRequest(`Invalid model identifier specified: ${name}`);
  if (AuthorizationType !== "NONE" && RouteKey !== "$connect")
    throw badRequest("Currently, authorization is restricted to the $connect route only");
  if (AuthorizationType === "CUSTOM" && !Object.hasOwn(authorizers, AuthorizerId ?? ""))
    throw badRequest(
      "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires a valid authorizer.",
    );
  if (route.ApiKeyRequired) throw notEmulated("apigatewayv2", "CreateRoute", "apiKeyRequired");
}
