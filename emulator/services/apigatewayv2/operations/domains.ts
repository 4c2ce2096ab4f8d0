import type { ApiMapping, DomainNameConfiguration } from "@aws-sdk/client-apigatewayv2";
import type { Host } from "../../../core/service";
import { badRequest, checkOneOf, conflict, notFoundMessage, required } from "../errors";
import { given, newId, page, type State, type StoredDomain } from "../state";
import type { Part, Store } from "../store";

/** DomainName and ApiMapping: APIs under names of one's own. Certificates are kept, not checked. */
export function domains(store: Store, { clock }: Host): Part {
  const configured = (configurations: DomainNameConfiguration[] | undefined, region: string) => {
    if (configurations?.length !== 1) throw badRequest("A domain name must have exactly one domain name configuration");
    return configurations.map((configuration): DomainNameConfiguration => {
      if (!configuration.CertificateArn) throw badRequest("Invalid certificate ARN: must not be null");
      // WebSocket and HTTP APIs have no edge-optimized names (developer guide, custom domain names for WebSocket APIs).
      checkOneOf("endpoint type", configuration.EndpointType, ["REGIONAL"]);
      return {
        EndpointType: "REGIONAL",
        SecurityPolicy: "TLS_1_2",
        IpAddressType: "ipv4",
        ...configuration,
        ApiGatewayDomainName: `d-${newId(10)}.execute-api.${region}.amazonaws.com`,
        HostedZoneId: "ZLY8HYME6SFDD",
        CertificateUploadDate: new Date(clock.now()),
        DomainNameStatus: "AVAILABLE",
      };
    });
  };

  return {
    CreateDomainName(input, context) {
      const state = store.of(context);
      const name = input.DomainName?.toLowerCase();
      if (!name) throw required("domainName");
      if (!/^(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]+$/i.test(name)) throw badRequest("Invalid domain name specified");
      if (store.findDomain(name)) throw conflict("The domain name resource already exists.");
      const domain: StoredDomain = {
        ...input,
        DomainName: name,
        DomainNameArn: state.arn(`/domainnames/${name}`),
        ApiMappingSelectionExpression: "$request.basepath",
        RoutingMode: input.RoutingMode ?? "API_MAPPING_ONLY",
        DomainNameConfigurations: configured(input.DomainNameConfigurations, state.scope.region),
        Tags: input.Tags ?? {},
        mappings: new Map(),
      };
      state.domains.set(name, domain);
      return domain;
    },
    GetDomainName: ({ DomainName }, context) => find(store.of(context), DomainName),
    GetDomainNames: (input, context) => page(store.of(context).domains.values(), input),
    UpdateDomainName({ DomainName, ...input }, context) {
      const state = store.of(context);
      const domain = find(state, DomainName);
      const configurations =
        input.DomainNameConfigurations && configured(input.DomainNameConfigurations, state.scope.region);
      return Object.assign(
        domain,
        given(input),
        configurations && { DomainNameConfigurations: configurations },
      ) as StoredDomain;
    },
    DeleteDomainName({ DomainName }, context) {
      const state = store.of(context);
      state.domains.delete(find(state, DomainName).DomainName);
      return {};
    },

    CreateApiMapping({ DomainName, ApiId, Stage, ApiMappingKey = "" }, context) {
      const state = store.of(context);
      const { mappings } = find(state, DomainName);
      const mapping = { ApiId: ApiId ?? "", Stage: Stage ?? "", ApiMappingKey, ApiMappingId: newId(6) };
      check(state, mapping);
      if ([...mappings.values()].some((other) => other.ApiMappingKey === ApiMappingKey))
        throw conflict("ApiMapping key already exists for this domain name");
      mappings.set(mapping.ApiMappingId, mapping);
      return mapping;
    },
    GetApiMapping: ({ DomainName, ApiMappingId }, context) =>
      findMapping(find(store.of(context), DomainName), ApiMappingId),
    GetApiMappings: ({ DomainName, ...paging }, context) =>
      page(find(store.of(context), DomainName).mappings.values(), paging),
    UpdateApiMapping({ DomainName, ApiMappingId, ...input }, context) {
      const state = store.of(context);
      const domain = find(state, DomainName);
      const mapping = { ...findMapping(domain, ApiMappingId), ...given(input) } as ApiMapping & {
        ApiMappingId: string;
      };
      check(state, mapping);
      for (const other of domain.mappings.values())
        if (other.ApiMappingId !== mapping.ApiMappingId && other.ApiMappingKey === mapping.ApiMappingKey)
          throw conflict("ApiMapping key already exists for this domain name");
      domain.mappings.set(mapping.ApiMappingId, mapping);
      return mapping;
    },
    DeleteApiMapping({ DomainName, ApiMappingId }, context) {
      const { mappings } = find(store.of(context), DomainName);
      mappings.delete(findMapping({ mappings }, ApiMappingId).ApiMappingId);
      return {};
    },
  };
}

function find(state: State, name: string | undefined): StoredDomain {
  const domain = state.domains.get((name ?? "").toLowerCase());
  if (!domain) throw notFoundMessage("The domain name resource specified in the request was not found.");
  return domain;
}

function findMapping({ mappings }: Pick<StoredDomain, "mappings">, id: string | undefined) {
  const mapping = mappings.get(id ?? "");
  if (!mapping) throw notFoundMessage("The api mapping resource specified in the request was not found.");
  return mapping;
}

function check(state: State, { ApiId, Stage, ApiMappingKey = "" }: ApiMapping): void {
  if (!/^[A-Za-z0-9$_.+!*'()/-]*$/.test(ApiMappingKey) || /^\/|\/\/|\/$/.test(ApiMappingKey))
    throw badRequest("API mapping key should not start with a '/' or have consecutive '/'s.");
  const api = state.apis.get(ApiId ?? "");
  if (!api) throw badRequest(`Invalid API identifier specified ${state.scope.account}:${ApiId}`);
  if (!api.stages.has(Stage ?? "")) throw badRequest("Invalid stage identifier specified");
  // One level for WebSocket APIs (developer guide, "Use API mappings to connect API stages").
  if (api.isWebSocket && ApiMappingKey.includes("/"))
    throw badRequest("ApiMapping key for WebSocket APIs must not contain a '/'");
}
