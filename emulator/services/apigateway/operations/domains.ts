import type { BasePathMapping, DomainName } from "@aws-sdk/client-api-gateway";
import { formatArn } from "../../../core/arn";
import type { Host } from "../../../core/service";
import { badRequest, conflict, notFoundMessage } from "../errors";
import { type PatchRule, patched, text } from "../patch";
import { newId, page, type State, type StoredDomain } from "../state";
import type { Part, Store } from "../store";

const none = "(none)";

const domainRules: PatchRule<DomainName>[] = [
  text("/certificateArn", "certificateArn"),
  text("/certificateName", "certificateName"),
  text("/regionalCertificateArn", "regionalCertificateArn"),
  text("/regionalCertificateName", "regionalCertificateName"),
  text("/ownershipVerificationCertificateArn", "ownershipVerificationCertificateArn"),
  text("/policy", "policy"),
  {
    path: "/securityPolicy",
    apply: (domain, { value }) => {
      domain.securityPolicy = value as DomainName["securityPolicy"];
    },
  },
  {
    path: "/endpointConfiguration/types/{}",
    apply: (domain, { value }) => {
      domain.endpointConfiguration = { ...domain.endpointConfiguration, types: [value as "EDGE"] };
    },
  },
];

const mappingRules: PatchRule<BasePathMapping>[] = [
  text("/stage", "stage"),
  text("/restapiId", "restApiId"),
  text("/restApiId", "restApiId"),
  {
    path: "/basePath",
    apply: (mapping, { value }) => {
      mapping.basePath = value || none;
    },
  },
];

/** DomainName and BasePathMapping: APIs under names of one's own. Certificates are kept, not checked. */
export function domains(store: Store, { clock }: Host): Part {
  return {
    CreateDomainName(input, context) {
      const state = store.of(context);
      const name = input.domainName ?? "";
      if (!/^(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]+$/i.test(name)) throw badRequest("Invalid domain name specified");
      if (store.findDomain(name)) throw conflict("The domain name you provided already exists.");
      const types = input.endpointConfiguration?.types ?? ["EDGE"];
      const regional = types[0] === "REGIONAL";
      if (
        !(regional
          ? (input.regionalCertificateArn ?? input.regionalCertificateName)
          : (input.certificateArn ?? input.certificateName ?? input.certificateBody))
      )
        throw badRequest("A certificate must be provided for the domain name");
      const id = newId(10);
      const domain: StoredDomain = {
        domainName: name,
        domainNameArn: formatArn("apigateway", state.scope.region, "", `/domainnames/${name}`),
        certificateName: input.certificateName,
        certificateArn: input.certificateArn,
        certificateUploadDate: new Date(clock.now()),
        regionalCertificateArn: input.regionalCertificateArn,
        regionalCertificateName: input.regionalCertificateName,
        ...(regional
          ? {
              regionalDomainName: `d-${id}.execute-api.${state.scope.region}.amazonaws.com`,
              regionalHostedZoneId: "ZLY8HYME6SFDD",
            }
          : { distributionDomainName: `${id}.cloudfront.net`, distributionHostedZoneId: "Z2FDTNDATAQYW2" }),
        endpointConfiguration: { types, ipAddressType: input.endpointConfiguration?.ipAddressType ?? "ipv4" },
        domainNameStatus: "AVAILABLE",
        securityPolicy: input.securityPolicy ?? "TLS_1_2",
        mutualTlsAuthentication: input.mutualTlsAuthentication,
        ownershipVerificationCertificateArn: input.ownershipVerificationCertificateArn,
        policy: input.policy,
        tags: input.tags,
        mappings: new Map(),
      };
      state.domains.set(name, domain);
      return show(domain);
    },
    GetDomainName: ({ domainName }, context) => show(find(store.of(context), domainName)),
    GetDomainNames(input, context) {
      const { items, position } = page([...store.of(context).domains.values()], input);
      return { items: items.map(show), position };
    },
    UpdateDomainName({ domainName, patchOperations }, context) {
      const domain = find(store.of(context), domainName);
      Object.assign(domain, patched(show(domain), patchOperations, domainRules, { input: "updateDomainNameInput" }));
      return show(domain);
    },
    DeleteDomainName({ domainName }, context) {
      const state = store.of(context);
      state.domains.delete(find(state, domainName).domainName);
      return {};
    },

    CreateBasePathMapping({ domainName, basePath, restApiId, stage }, context) {
      const state = store.of(context);
      const { mappings } = find(state, domainName);
      const mapping = { basePath: basePath || none, restApiId, stage };
      if (mappings.has(mapping.basePath)) throw conflict("Base path already exists for this domain name");
      check(state, mapping);
      mappings.set(mapping.basePath, mapping);
      return mapping;
    },
    GetBasePathMapping: ({ domainName, basePath }, context) => findMapping(store.of(context), domainName, basePath),
    GetBasePathMappings: ({ domainName, ...paging }, context) =>
      page([...find(store.of(context), domainName).mappings.values()], paging),
    UpdateBasePathMapping({ domainName, basePath, patchOperations }, context) {
      const state = store.of(context);
      const { mappings } = find(state, domainName);
      const mapping = findMapping(state, domainName, basePath);
      const updated = patched(mapping, patchOperations, mappingRules, { input: "updateBasePathMappingInput" });
      check(state, updated);
      if (updated.basePath !== mapping.basePath && mappings.has(updated.basePath!))
        throw conflict("Base path already exists for this domain name");
      mappings.delete(mapping.basePath!);
      mappings.set(updated.basePath!, updated);
      return updated;
    },
    DeleteBasePathMapping({ domainName, basePath }, context) {
      const state = store.of(context);
      const mapping = findMapping(state, domainName, basePath);
      find(state, domainName).mappings.delete(mapping.basePath!);
      return {};
    },
  };
}

function find(state: State, name: string | undefined): StoredDomain {
  const domain = state.domains.get(name ?? "");
  if (!domain) throw notFoundMessage("Invalid domain name identifier specified");
  return domain;
}

function findMapping(state: State, name: string | undefined, basePath: string | undefined): BasePathMapping {
  const mapping = find(state, name).mappings.get(basePath || none);
  if (!mapping) throw notFoundMessage("Invalid base path mapping identifier specified");
  return mapping;
}

const show = ({ mappings: _, ...domain }: StoredDomain): DomainName => domain;

function check(state: State, { basePath = none, restApiId, stage }: BasePathMapping): void {
  if (basePath !== none && !/^[A-Za-z0-9$_.+!*'()-]+$/.test(basePath))
    throw badRequest(
      "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.",
    );
  const api = state.apis.get(restApiId ?? "");
  if (!api) throw badRequest("Invalid REST API identifier specified");
  if (stage && !api.stages.has(stage)) throw badRequest("Invalid stage identifier specified");
}
