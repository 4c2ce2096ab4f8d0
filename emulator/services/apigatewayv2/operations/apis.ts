import type { Api as Described, UpdateApiRequest } from "@aws-sdk/client-apigatewayv2";
import { notEmulated } from "../../../core/errors";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, checkOneOf, required } from "../errors";
import { Api, type ApiDefinition, given, newId, page } from "../state";
import type { Part, Store } from "../store";
import { defaultModels } from "./models";

/** What a deleted API leaves to do: its connections are closed. */
export type OnDelete = (apiId: string) => void;

/** Api: create, read, change, delete. HTTP APIs are kept, too, but nothing serves them. */
export function apis(store: Store, { clock, publicHost }: Host, onDelete: OnDelete): Part {
  return {
    CreateApi(input, context) {
      const state = store.of(context);
      if (!input.Name) throw required("name");
      if (!input.ProtocolType) throw required("protocolType");
      checkOneOf("protocol", input.ProtocolType, ["HTTP", "WEBSOCKET"]);
      const isWebSocket = input.ProtocolType === "WEBSOCKET";
      if (isWebSocket && !input.RouteSelectionExpression)
        throw badRequest("RouteSelectionExpression must be provided for the selected protocol type: WEBSOCKET");
      if (input.Target !== undefined || input.RouteKey !== undefined)
        throw notEmulated("apigatewayv2", "CreateApi", "quick create with Target; make the integration and the route");
      const id = newId(10);
      const api: ApiDefinition["api"] = {
        ApiId: id,
        // AWS gives wss://{id}.execute-api.{region}.amazonaws.com; here it is the address that works, in the same role.
        ApiEndpoint: `${isWebSocket ? "ws" : "http"}://${publicHost()}/_aws/execute-api/${id}`,
        Name: input.Name,
        ProtocolType: input.ProtocolType,
        RouteSelectionExpression: input.RouteSelectionExpression ?? "$request.method $request.path",
        ApiKeySelectionExpression: input.ApiKeySelectionExpression ?? "$request.header.x-api-key",
        DisableExecuteApiEndpoint: input.DisableExecuteApiEndpoint ?? false,
        DisableSchemaValidation: input.DisableSchemaValidation,
        Description: input.Description,
        Version: input.Version,
        CorsConfiguration: input.CorsConfiguration,
        IpAddressType: input.IpAddressType ?? "ipv4",
        CreatedDate: new Date(clock.now()),
        Tags: input.Tags ?? {},
      };
      check(api);
      const models = isWebSocket ? defaultModels() : {};
      const definition = { api, routes: {}, integrations: {}, authorizers: {}, models };
      state.apis.set(id, new Api(state.scope, definition));
      return api;
    },
    GetApi: ({ ApiId }, context) => store.of(context).api(ApiId).definition.api,
    GetApis: (input, context) =>
      page(
        [...store.of(context).apis.values()].map(({ definition }) => definition.api),
        input,
      ),
    UpdateApi({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const updated = { ...api.definition.api, ...given<Omit<UpdateApiRequest, "ApiId">>(input) };
      check(updated);
      api.definition.api = updated;
      api.changed(clock.now());
      return updated;
    },
    DeleteApi({ ApiId }, context) {
      const state = store.of(context);
      const { id } = state.api(ApiId);
      for (const { DomainName, mappings } of state.domains.values())
        for (const mapping of mappings.values())
          if (mapping.ApiId === id)
            throw badRequest(
              `Deleting API mappings of the domain name ${DomainName} is required before deleting the API ${id}`,
            );
      state.apis.delete(id);
      onDelete(id);
      return {};
    },
    DeleteCorsConfiguration({ ApiId }, context) {
      const { definition } = store.of(context).api(ApiId);
      definition.api.CorsConfiguration = undefined;
      return {};
    },
  };
}

function check(api: Described): void {
  if (!api.Name || api.Name.length > limits.webSocket.apiName.value) throw badRequest("Invalid API name specified");
  if (api.ProtocolType !== "WEBSOCKET") return;
  if (api.CorsConfiguration)
    throw badRequest("CorsConfiguration is not supported for the selected protocol type: WEBSOCKET");
  const variable = /\$\{?(request\.(body|header|querystring)\.[\w.'[\]-]+|context\.[\w.]+)\}?/g;
  if (!api.RouteSelectionExpression || api.RouteSelectionExpression.replace(variable, "").includes("$"))
    throw badRequest("The provided RouteSelectionExpression is not valid");
  checkOneOf("ApiKeySelectionExpression", api.ApiKeySelectionExpression, [
    "$request.header.x-api-key",
    "$context.authorizer.usageIdentifierKey",
  ]);
}
