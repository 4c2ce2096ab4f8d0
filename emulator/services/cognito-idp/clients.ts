import type { TimeUnitsType, UpdateUserPoolClientCommandInput } from "@aws-sdk/client-cognito-identity-provider";
import { limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { check, page, randomText } from "./common";
import { invalidOAuthFlow, invalidParameter, noSuchScope } from "./errors";
import type { Client, Pool, Pools } from "./state";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

const unitSeconds: Record<TimeUnitsType, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/** How long a client's tokens are good for, in seconds. Unset or 0 means AWS's default: an hour, and 30 days. */
export function validity(client: Client): { access: number; id: number; refresh: number } {
  const units = client.TokenValidityUnits ?? {};
  return {
    access:
      (client.AccessTokenValidity || 1) *
      (client.AccessTokenValidity ? unitSeconds[units.AccessToken ?? "hours"] : 3600),
    id: (client.IdTokenValidity || 1) * (client.IdTokenValidity ? unitSeconds[units.IdToken ?? "hours"] : 3600),
    refresh:
      (client.RefreshTokenValidity || 30) *
      (client.RefreshTokenValidity ? unitSeconds[units.RefreshToken ?? "days"] : 86_400),
  };
}

const oidcScopes = ["phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"];

/** The scopes of a pool's resource servers, as tokens and clients name them. */
export const customScopes = (pool: Pool): string[] =>
  [...pool.resourceServers.values()].flatMap(({ identifier, scopes }) =>
    [...scopes.keys()].map((scope) => `${identifier}/${scope}`),
  );

function checkOAuth(pool: Pool, client: Client): void {
  const { AllowedOAuthFlows: flows = [], AllowedOAuthScopes: scopes = [] } = client;
  if (client.AllowedOAuthFlowsUserPoolClient && !(flows.length && scopes.length)) {
    throw invalidParameter(
      "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
    );
  }
  if (flows.includes("client_credentials")) {
    if (flows.length > 1) {
      throw invalidOAuthFlow("client_credentials flow can not be selected along with code flow or implicit flow");
    }
    if (!client.ClientSecret) {
      throw invalidOAuthFlow("client_credentials flow can not be selected if client does not have a client secret.");
    }
  }
  const known = new Set([...oidcScopes, ...customScopes(pool)]);
  const unknown = scopes.filter((scope) => !known.has(scope));
  if (unknown.length) throw noSuchScope(unknown);
  if (client.DefaultRedirectURI && !client.CallbackURLs?.includes(client.DefaultRedirectURI)) {
    throw invalidParameter("Default redirect uri must be in the list of callback uris.");
  }
}

function checkFlows(flows: readonly string[] = []): void {
  const legacy = flows.filter((flow) => !flow.startsWith("ALLOW_"));
  if (legacy.length && legacy.length < flows.length) {
    throw invalidParameter(
      "ExplicitAuthFlows: values with and without the prefix ALLOW_ cannot be used together in one user pool client.",
    );
  }
}

function checkValidity(client: Client): void {
  const { access, id, refresh } = validity(client);
  const { token, refreshToken } = limits.cognito;
  const short = [access, id].every((seconds) => seconds >= token.least && seconds <= token.value);
  if (!short || refresh < refreshToken.least || refresh > refreshToken.value)
    throw invalidParameter("Invalid range for token validity.");
}

type Settings = Omit<UpdateUserPoolClientCommandInput, "UserPoolId" | "ClientId" | "ClientName">;

/** What a client is given, with AWS's defaults. An update replaces all of it. */
function readClient(
  pool: Pool,
  input: Settings,
  fixed: Pick<Client, "UserPoolId" | "ClientId" | "ClientName" | "ClientSecret" | "CreationDate" | "LastModifiedDate">,
): Client {
  const client: Client = {
    ...fixed,
    RefreshTokenValidity: input.RefreshTokenValidity || 30,
    AccessTokenValidity: input.AccessTokenValidity,
    IdTokenValidity: input.IdTokenValidity,
    TokenValidityUnits: input.TokenValidityUnits,
    ReadAttributes: input.ReadAttributes,
    WriteAttributes: input.WriteAttributes,
    ExplicitAuthFlows: input.ExplicitAuthFlows,
    SupportedIdentityProviders: input.SupportedIdentityProviders,
    CallbackURLs: input.CallbackURLs,
    LogoutURLs: input.LogoutURLs,
    DefaultRedirectURI: input.DefaultRedirectURI,
    AllowedOAuthFlows: input.AllowedOAuthFlows,
    AllowedOAuthScopes: input.AllowedOAuthScopes,
    AllowedOAuthFlowsUserPoolClient: input.AllowedOAuthFlowsUserPoolClient ?? false,
    AnalyticsConfiguration: input.AnalyticsConfiguration,
    PreventUserExistenceErrors: input.PreventUserExistenceErrors,
    EnableTokenRevocation: input.EnableTokenRevocation ?? true,
    EnablePropagateAdditionalUserContextData: input.EnablePropagateAdditionalUserContextData ?? false,
    AuthSessionValidity: input.AuthSessionValidity ?? 3,
    RefreshTokenRotation: input.RefreshTokenRotation,
  };
  check({
    authSessionValidity: [client.AuthSessionValidity, { range: [3, 15] }],
    "refreshTokenRotation.retryGracePeriodSeconds": [
      client.RefreshTokenRotation?.RetryGracePeriodSeconds,
      { range: [0, 60] },
    ],
  });
  checkFlows(client.ExplicitAuthFlows);
  checkValidity(client);
  checkOAuth(pool, client);
  return client;
}

export const clientOperations = (pools: Pools, now: () => Date) =>
  ({
    CreateUserPoolClient: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({
        clientName: [
          input.ClientName,
          { required: true, length: [1, limits.cognito.clientName.value], pattern: /^[\w\s+=,.@-]+$/ },
        ],
        clientSecret: [input.ClientSecret, { length: [24, 64] }],
      });
      const created = now();
      const client = readClient(pool, input, {
        UserPoolId: pool.id,
        ClientId: randomText(26, true),
        ClientName: input.ClientName,
        ClientSecret: input.ClientSecret ?? (input.GenerateSecret ? randomText(51, true) : undefined),
        CreationDate: created,
        LastModifiedDate: created,
      });
      pool.clients.set(client.ClientId, client);
      return { UserPoolClient: client };
    },

    DescribeUserPoolClient: (input, context) => ({
      UserPoolClient: pools.client(context, input.UserPoolId, input.ClientId).client,
    }),

    UpdateUserPoolClient: (input, context) => {
      const { pool, client } = pools.client(context, input.UserPoolId, input.ClientId);
      const updated = readClient(pool, input, {
        ...client,
        ClientName: input.ClientName ?? client.ClientName,
        LastModifiedDate: now(),
      });
      pool.clients.set(client.ClientId, updated);
      return { UserPoolClient: updated };
    },

    DeleteUserPoolClient: (input, context) => {
      const { pool, client } = pools.client(context, input.UserPoolId, input.ClientId);
      pool.clients.delete(client.ClientId);
      return {};
    },

    ListUserPoolClients: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({ maxResults: [input.MaxResults, { range: [1, 60] }] });
      const { items, next } = page([...pool.clients.values()], input.MaxResults, input.NextToken);
      return {
        UserPoolClients: items.map(({ ClientId, UserPoolId, ClientName }) => ({ ClientId, UserPoolId, ClientName })),
        NextToken: next,
      };
    },
  }) satisfies Operations<Sdk>;
