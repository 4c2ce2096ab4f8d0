import type { EndpointConfiguration, RestApi } from "@aws-sdk/client-api-gateway";
import { limits } from "../../../core/limits";
import { PolicySyntaxError } from "../../../core/policy";
import type { Host } from "../../../core/service";
import { badRequest, checkEnum, notFound, validationErrors } from "../errors";
import { readResourcePolicy } from "../execute/resource-policy";
import { flag, type PatchRule, patched, text, unescapePointer } from "../patch";
import { Api, newId, page } from "../state";
import type { Part, Store } from "../store";
import { defaultModels } from "./models";

const endpointTypes = ["PRIVATE", "EDGE", "REGIONAL"];
const addressTypes = ["ipv4", "dualstack"];

const rules: PatchRule<RestApi>[] = [
  text("/name", "name"),
  {
    path: "/description",
    ops: ["replace", "remove"],
    apply: (api, { op, value }) => {
      // An empty description is dropped, not kept as "" (recorded from AWS).
      api.description = op === "remove" || value === "" ? undefined : value;
    },
  },
  text("/version", "version"),
  {
    path: "/policy",
    apply: (api, { value }) => {
      api.policy = value === "" ? undefined : policyText(value);
    },
  },
  {
    path: "/apiKeySource",
    apply: (api, { value }) => {
      if (value !== "HEADER" && value !== "AUTHORIZER") throw badRequest("Invalid API Key source specified");
      api.apiKeySource = value;
    },
  },
  {
    path: "/minimumCompressionSize",
    apply: (api, { value }) => {
      api.minimumCompressionSize = value === "" ? undefined : compressionSize(Number(value));
    },
  },
  flag("/disableExecuteApiEndpoint", "disableExecuteApiEndpoint"),
  {
    path: "/binaryMediaTypes/{}",
    ops: ["add", "replace", "remove"],
    apply: (api, { op, names, value }) => {
      const type = names[0]!;
      const others = (api.binaryMediaTypes ?? []).filter((known) => known !== type);
      const next = op === "remove" ? others : [...others, op === "replace" ? unescapePointer(value || type) : type];
      api.binaryMediaTypes = next.length ? next : undefined;
    },
  },
  {
    path: "/endpointConfiguration/types/{}",
    ops: ["add", "remove", "replace"],
    apply: (api, { value }) => {
      if (!endpointTypes.includes(value))
        throw badRequest("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE");
      api.endpointConfiguration = endpoint({ ...api.endpointConfiguration, types: [value as "EDGE"] });
    },
  },
  {
    path: "/endpointConfiguration/ipAddressType",
    apply: (api, { value }) => {
      if (!addressTypes.includes(value)) throw badRequest("ipAddressType must be either ipv4 or dualstack.");
      api.endpointConfiguration = endpoint({ ...api.endpointConfiguration, ipAddressType: value as "ipv4" });
    },
  },
  {
    path: "/endpointConfiguration/vpcEndpointIds",
    ops: ["add", "remove", "replace"],
    apply: (api, { op, value }) => {
      const ids = (api.endpointConfiguration?.vpcEndpointIds ?? []).filter((id) => id !== value);
      const vpcEndpointIds = op === "remove" ? ids : [...ids, value];
      api.endpointConfiguration = { ...api.endpointConfiguration, vpcEndpointIds };
    },
  },
];

/** RestApi: create, get, list, update, delete. */
export function restApis(store: Store, { clock }: Host): Part {
  return {
    CreateRestApi(input, context) {
      checkEnum(input.apiKeySource, "createRestApiInput.apiKeySource", ["HEADER", "AUTHORIZER"]);
      checkEndpoint(input.endpointConfiguration);
      if (!input.name) throw badRequest("Invalid API name specified");
      if (input.description === "") throw badRequest("Description cannot be an empty string");
      const state = store.of(context);
      const source = input.cloneFrom ? state.api(input.cloneFrom) : undefined;
      const id = newId(10);
      const rootResourceId = newId(10);
      const cloned = source && structuredClone(source.definition);
      const root = cloned?.resources.find(({ path }) => path === "/");
      const api: RestApi & { id: string; rootResourceId: string } = {
        id,
        name: input.name,
        description: input.description,
        createdDate: new Date(clock.now()),
        version: input.version,
        binaryMediaTypes: input.binaryMediaTypes?.length ? input.binaryMediaTypes : cloned?.api.binaryMediaTypes,
        minimumCompressionSize:
          input.minimumCompressionSize === undefined ? undefined : compressionSize(input.minimumCompressionSize),
        apiKeySource: input.apiKeySource ?? "HEADER",
        endpointConfiguration: endpoint(input.endpointConfiguration ?? {}),
        policy: input.policy ? policyText(input.policy) : undefined,
        tags: input.tags,
        disableExecuteApiEndpoint: input.disableExecuteApiEndpoint ?? false,
        rootResourceId: root?.id ?? rootResourceId,
      };
      state.apis.set(
        id,
        new Api(
          state.scope,
          cloned
            ? { ...cloned, api }
            : {
                api,
                resources: [{ id: rootResourceId, path: "/", resourceMethods: {} }],
                authorizers: [],
                models: defaultModels(),
                validators: [],
                gatewayResponses: {},
              },
        ),
      );
      return api;
    },
    GetRestApi: ({ restApiId }, context) => store.of(context).api(restApiId).definition.api,
    GetRestApis: (input, context) =>
      page(
        [...store.of(context).apis.values()].map(({ definition }) => definition.api),
        input,
      ),
    UpdateRestApi({ restApiId, patchOperations }, context) {
      const { definition } = store.of(context).api(restApiId);
      definition.api = patched(definition.api, patchOperations, rules as PatchRule<typeof definition.api>[], {
        input: "updateRestApiInput",
      });
      return { tags: {}, ...definition.api };
    },
    DeleteRestApi({ restApiId }, context) {
      const state = store.of(context);
      const api = state.api(restApiId);
      const mapped = [...state.domains.values()].some(({ mappings }) =>
        [...mappings.values()].some((mapping) => mapping.restApiId === api.id),
      );
      if (mapped)
        throw badRequest("Please remove all base path mappings related to the API from your domains and try again.");
      state.apis.delete(api.id);
      for (const plan of state.plans.values()) plan.apiStages = plan.apiStages?.filter(({ apiId }) => apiId !== api.id);
      return {};
    },
    FlushStageCache({ restApiId, stageName }, context) {
      if (
        !store
          .of(context)
          .api(restApiId)
          .stages.has(stageName ?? "")
      )
        throw notFound("stage");
      return {};
    },
  };
}

function checkEndpoint(configuration: EndpointConfiguration | undefined): void {
  const problems: string[] = [];
  const { types, ipAddressType } = configuration ?? {};
  if (types?.some((type) => !endpointTypes.includes(type)))
    problems.push(
      `Value '[${types.join(", ")}]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [${endpointTypes.join(", ")}]]`,
    );
  if (ipAddressType && !addressTypes.includes(ipAddressType))
    problems.push(
      `Value '${ipAddressType}' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [${addressTypes.join(", ")}]`,
    );
  if (problems.length) throw validationErrors(problems);
}

function endpoint({ types = ["EDGE"], ipAddressType, vpcEndpointIds }: EndpointConfiguration): EndpointConfiguration {
  if (types.length === 0) throw badRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.");
  if (types.length > 1) throw badRequest("Cannot create an api with multiple Endpoint Types.");
  const isPrivate = types[0] === "PRIVATE";
  if (isPrivate && ipAddressType === "ipv4")
    throw badRequest("Only dualstack ipAddressType is supported for Private APIs.");
  return { types, ipAddressType: ipAddressType ?? (isPrivate ? "dualstack" : "ipv4"), vpcEndpointIds };
}

function compressionSize(bytes: number): number {
  const { least, value: most } = limits.restApi.minimumCompressionSize;
  if (!(bytes >= least && bytes <= most))
    throw badRequest(`Invalid minimum compression size, must be between ${least} and ${most}`);
  return bytes;
}

/** The policy as it is kept; refused when it is no policy. */
export function policyText(policy: string): string {
  try {
    readResourcePolicy({ id: "api", policy });
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    throw badRequest("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.");
  }
  return policy;
}
