import type {
  DomainDescriptionType,
  ResourceServerScopeType,
  ResourceServerType,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Operations } from "../../core/service";
import { check, page } from "./common";
import { invalidParameter, noSuchResourceServer } from "./errors";
import type { Domain, Pool, Pools, ResourceServer } from "./state";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

const serverShape = (pool: Pool, server: ResourceServer): ResourceServerType => ({
  UserPoolId: pool.id,
  Identifier: server.identifier,
  Name: server.name,
  Scopes: [...server.scopes].map(([ScopeName, ScopeDescription]) => ({ ScopeName, ScopeDescription })),
});

const domainShape = (pool: Pool, domain: Domain): DomainDescriptionType => ({
  UserPoolId: pool.id,
  AWSAccountId: pool.account,
  Domain: domain.name,
  S3Bucket: `aws-cognito-prod-${pool.region}-assets`,
  CloudFrontDistribution: `${domain.name}.cloudfront.net`,
  Version: "20200101000000",
  Status: "ACTIVE",
  CustomDomainConfig: domain.custom,
  ManagedLoginVersion: domain.managedLoginVersion,
});

function readScopes(scopes: readonly ResourceServerScopeType[] = []): Map<string, string> {
  check({ scopes: [scopes, { length: [0, 100] }] });
  return new Map(
    scopes.map(({ ScopeName: name, ScopeDescription: description }, index) => {
      check({
        [`scopes.${index + 1}.member.scopeName`]: [
          name,
          { required: true, length: [1, 256], pattern: /^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+$/ },
        ],
        [`scopes.${index + 1}.member.scopeDescription`]: [description, { required: true, length: [1, 256] }],
      });
      return [name!, description!];
    }),
  );
}

function serverOf(pool: Pool, identifier = ""): ResourceServer {
  const server = pool.resourceServers.get(identifier);
  if (!server) throw noSuchResourceServer(identifier);
  return server;
}

export const domainOperations = (pools: Pools) =>
  ({
    CreateUserPoolDomain: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const custom = input.CustomDomainConfig;
      check({
        domain: [input.Domain, { required: true, length: [1, 63], pattern: /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/ }],
      });
      const name = input.Domain!;
      const reserved = ["amazon", "aws", "cognito"].find((word) => !custom && name.includes(word));
      if (reserved) throw invalidParameter(`Domain cannot contain reserved word: ${reserved}`);
      if (pool.domain) throw invalidParameter("User pool already has a domain configured.");
      if (pools.find(name)) throw invalidParameter("Domain already associated with another user pool.");
      const managedLoginVersion = input.ManagedLoginVersion ?? 1;
      pool.domain = { name, managedLoginVersion, custom: custom && { CertificateArn: custom.CertificateArn } };
      return {
        ManagedLoginVersion: managedLoginVersion,
        CloudFrontDomain: custom ? `${name}.cloudfront.net` : undefined,
      };
    },

    // A domain that nobody has is described as empty, not as an error.
    DescribeUserPoolDomain: (input) => {
      const pool = pools.find(input.Domain ?? "");
      if (!pool?.domain || pool.domain.name !== input.Domain) return { DomainDescription: {} };
      return { DomainDescription: domainShape(pool, pool.domain) };
    },

    UpdateUserPoolDomain: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      if (!pool.domain || pool.domain.name !== input.Domain)
        throw invalidParameter("No such domain or user pool exists.");
      pool.domain = {
        name: pool.domain.name,
        managedLoginVersion: input.ManagedLoginVersion ?? pool.domain.managedLoginVersion,
        custom: input.CustomDomainConfig
          ? { CertificateArn: input.CustomDomainConfig.CertificateArn }
          : pool.domain.custom,
      };
      return { ManagedLoginVersion: pool.domain.managedLoginVersion };
    },

    DeleteUserPoolDomain: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      if (!pool.domain || pool.domain.name !== input.Domain)
        throw invalidParameter("No such domain or user pool exists.");
      pool.domain = undefined;
      return {};
    },

    CreateResourceServer: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({
        identifier: [input.Identifier, { required: true, length: [1, 256], pattern: /^[\x21\x23-\x5B\x5D-\x7E]+$/ }],
        name: [input.Name, { required: true, length: [1, 256] }],
      });
      const identifier = input.Identifier!;
      if (pool.resourceServers.has(identifier)) {
        throw invalidParameter(`${identifier} already exists in user pool ${pool.id}.`);
      }
      const server = { identifier, name: input.Name!, scopes: readScopes(input.Scopes) };
      pool.resourceServers.set(identifier, server);
      return { ResourceServer: serverShape(pool, server) };
    },

    DescribeResourceServer: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      return { ResourceServer: serverShape(pool, serverOf(pool, input.Identifier)) };
    },

    UpdateResourceServer: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const server = serverOf(pool, input.Identifier);
      check({ name: [input.Name, { required: true, length: [1, 256] }] });
      const scopes = readScopes(input.Scopes);
      server.name = input.Name!;
      server.scopes = scopes;
      return { ResourceServer: serverShape(pool, server) };
    },

    DeleteResourceServer: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      pool.resourceServers.delete(serverOf(pool, input.Identifier).identifier);
      return {};
    },

    ListResourceServers: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({ maxResults: [input.MaxResults, { range: [1, 50] }] });
      const { items, next } = page([...pool.resourceServers.values()], input.MaxResults ?? 50, input.NextToken);
      return { ResourceServers: items.map((server) => serverShape(pool, server)), NextToken: next };
    },

    // Not emulated: the hosted pages, so there is nothing to customize; tools read this after they made a client.
    GetUICustomization: (input, context) => {
      pools.get(context, input.UserPoolId);
      return { UICustomization: {} };
    },
  }) satisfies Operations<Sdk>;
