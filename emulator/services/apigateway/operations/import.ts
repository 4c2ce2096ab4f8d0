import type { RestApi } from "@aws-sdk/client-api-gateway";
import { type AwsError, notEmulated } from "../../../core/errors";
import type { Host } from "../../../core/service";
import { checkEnum } from "../errors";
import { Api, type ApiDefinition, newId } from "../state";
import type { Part, Store } from "../store";
import { defaultModels } from "./models";
import { buildDefinition, readDocument } from "./openapi";

/** ImportRestApi and PutRestApi: an API from an OpenAPI document in JSON. */
export function imports(store: Store, { clock }: Host): Part {
  return {
    ImportRestApi({ body, parameters, failOnWarnings }, context) {
      if (failOnWarnings) throw unsupported("ImportRestApi", "failOnWarnings");
      const document = readDocument(body as Uint8Array | undefined);
      const state = store.of(context);
      const type = parameters?.endpointConfigurationTypes ?? "EDGE";
      checkEnum(type, "importRestApiInput.parameters.endpointConfigurationTypes", ["PRIVATE", "EDGE", "REGIONAL"]);
      const rootResourceId = newId(10);
      const api: ApiDefinition["api"] = {
        id: newId(10),
        createdDate: new Date(clock.now()),
        apiKeySource: "HEADER",
        endpointConfiguration: {
          types: [type as "EDGE"],
          ipAddressType: type === "PRIVATE" ? "dualstack" : "ipv4",
        },
        disableExecuteApiEndpoint: false,
        rootResourceId,
      };
      const built = buildDefinition(document, empty(api, rootResourceId), context);
      state.apis.set(api.id, new Api(state.scope, built));
      return built.api;
    },
    PutRestApi({ restApiId, mode = "merge", body, failOnWarnings }, context): RestApi {
      checkEnum(mode, "putRestApiInput.mode", ["merge", "overwrite"]);
      if (failOnWarnings) throw unsupported("PutRestApi", "failOnWarnings");
      const api = store.of(context).api(restApiId);
      const document = readDocument(body as Uint8Array | undefined);
      const current = structuredClone(api.definition);
      const { rootResourceId } = current.api;
      const draft = mode === "merge" ? current : empty(current.api, rootResourceId);
      api.definition = buildDefinition(document, draft, context);
      return api.definition.api;
    },
  };
}

const unsupported = (operation: string, option: string): AwsError => notEmulated("apigateway", operation, option);

/** A definition with nothing but the root, for a document to fill. */
const empty = (api: ApiDefinition["api"], rootResourceId: string): ApiDefinition => ({
  api,
  resources: [{ id: rootResourceId, path: "/", resourceMethods: {} }],
  authorizers: [],
  models: defaultModels(),
  validators: [],
  gatewayResponses: {},
});
