import type {
  AuthenticationResultType,
  AuthFlowType,
  InitiateAuthCommandOutput,
} from "@aws-sdk/client-cognito-identity-provider";
import { notEmulated } from "../../core/errors";
import type { Host, Operations } from "../../core/service";
import { attributeList, readAttributes, writeAttributes } from "./attributes";
import { randomText } from "./common";
import { invalidParameter, invalidSession, noSuchUser, notAuthorized, notConfirmed, wrongPassword } from "./errors";
import { checkPassword, hashPassword, isPassword } from "./passwords";
import { checkSecretHash } from "./secret-hash";
import { type Client, findUser, type Pool, type Pools, type User, userOf } from "./state";
import { rotate, signIn, userTokens } from "./tokens";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");
type AuthAnswer = Omit<InitiateAuthCommandOutput, "$metadata">;
type Parameters = Readonly<Record<string, string>>;

/** What a client may do when nobody said (API reference: ExplicitAuthFlows). */
const defaultFlows = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"];

function allows(client: Client, flow: string): boolean {
  const flows: readonly string[] = client.ExplicitAuthFlows?.length ? client.ExplicitAuthFlows : defaultFlows;
  const legacy = flows.some((one) => !one.startsWith("ALLOW_"));
  if (legacy && flow === "REFRESH_TOKEN_AUTH") return true;
  if (flow === "ADMIN_USER_PASSWORD_AUTH" && flows.includes("ADMIN_NO_SRP_AUTH")) return true;
  return flows.includes(legacy ? flow : `ALLOW_${flow}`);
}

function need(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw invalidParameter(`Missing required parameter ${name}`);
  return value;
}

/** Whoever asks for a user that is not there learns so only where the client lets them. */
const unknownUser = (client: Client) =>
  client.PreventUserExistenceErrors === "ENABLED" ? wrongPassword() : noSuchUser();

function challenge(host: Host, pool: Pool, client: Client, user: User): AuthAnswer {
  const session = randomText(200);
  const now = host.clock.now();
  for (const [id, { expires }] of pool.challenges) if (expires <= now - 3_600_000) pool.challenges.delete(id);
  pool.challenges.set(session, {
    name: "NEW_PASSWORD_REQUIRED",
    username: user.username,
    clientId: client.ClientId,
    expires: now + (client.AuthSessionValidity ?? 3) * 60_000,
  });
  const missing = [...pool.schema.values()].filter(
    ({ Name: name, Required: required }) => required && name !== "sub" && !user.attributes.has(name!),
  );
  const attributes = attributeList(user).filter(({ Name }) => Name !== "sub");
  return {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: session,
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: JSON.stringify(missing.map(({ Name }) => `userAttributes.${Name}`)),
      userAttributes: JSON.stringify(Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]))),
    },
  };
}

async function withPassword(host: Host, pool: Pool, client: Client, parameters: Parameters): Promise<AuthAnswer> {
  const name = need(parameters, "USERNAME");
  const password = need(parameters, "PASSWORD");
  checkSecretHash(client, name, parameters.SECRET_HASH);
  const user = findUser(pool, name);
  if (!user) throw unknownUser(client);
  if (!isPassword(user.password, password)) throw wrongPassword();
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "UNCONFIRMED") throw notConfirmed();
  if (pool.settings.MfaConfiguration === "ON") throw notEmulated("cognito-idp", "InitiateAuth", "MFA");
  if (user.status === "FORCE_CHANGE_PASSWORD") {
    const days = pool.settings.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays ?? 7;
    if (host.clock.now() >= (user.temporarySince ?? 0) + days * 86_400_000) {
      throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
    }
    return challenge(host, pool, client, user);
  }
  return { ChallengeParameters: {}, AuthenticationResult: await signIn(host, pool, client, user) };
}

/** New tokens for a refresh token. Where the client rotates, the old one soon ends and a new one comes along. */
async function refresh(
  host: Host,
  pool: Pool,
  client: Client,
  token: string,
  verifySecret: (user: User) => void,
): Promise<AuthenticationResultType> {
  const kept = pool.refreshTokens.get(token);
  if (!kept || kept.clientId !== client.ClientId) throw notAuthorized("Invalid Refresh Token");
  const user = userOf(pool, kept.username);
  verifySecret(user);
  if (pool.revoked.has(kept.originJti)) throw notAuthorized("Refresh Token has been revoked");
  if (kept.expires <= host.clock.now()) throw notAuthorized("Refresh Token has expired");
  if (!user.enabled) throw notAuthorized("User is disabled.");
  const tokens = await userTokens(host, pool, client, user, kept);
  if (client.RefreshTokenRotation?.Feature !== "ENABLED") return tokens;
  const next = rotate(host, pool, kept);
  const grace = (client.RefreshTokenRotation.RetryGracePeriodSeconds ?? 0) * 1000;
  kept.expires = Math.min(kept.expires, host.clock.now() + grace);
  return { ...tokens, RefreshToken: next };
}

async function initiate(
  host: Host,
  { pool, client }: { pool: Pool; client: Client },
  flow: AuthFlowType | undefined,
  parameters: Parameters,
  passwordFlow: "USER_PASSWORD_AUTH" | "ADMIN_USER_PASSWORD_AUTH",
): Promise<AuthAnswer> {
  switch (flow) {
    case "USER_PASSWORD_AUTH":
    case "ADMIN_USER_PASSWORD_AUTH":
    case "ADMIN_NO_SRP_AUTH":
      if ((flow === "USER_PASSWORD_AUTH") !== (passwordFlow === "USER_PASSWORD_AUTH")) {
        throw invalidParameter("Initiate Auth method not supported.");
      }
      if (!allows(client, passwordFlow)) {
        throw invalidParameter(
          passwordFlow === "USER_PASSWORD_AUTH"
            ? "USER_PASSWORD_AUTH flow not enabled for this client"
            : "Auth flow not enabled for this client",
        );
      }
      return withPassword(host, pool, client, parameters);
    case "REFRESH_TOKEN_AUTH":
    case "REFRESH_TOKEN": {
      if (!allows(client, "REFRESH_TOKEN_AUTH") || client.RefreshTokenRotation?.Feature === "ENABLED") {
        throw invalidParameter("Auth flow not enabled for this client");
      }
      const token = need(parameters, "REFRESH_TOKEN");
      const result = await refresh(host, pool, client, token, (user) =>
        checkSecretHash(client, [user.username, user.sub], parameters.SECRET_HASH),
      );
      return { ChallengeParameters: {}, AuthenticationResult: result };
    }
    case "USER_SRP_AUTH":
    case "CUSTOM_AUTH":
    case "USER_AUTH":
      throw notEmulated("cognito-idp", "InitiateAuth", flow);
    default:
      throw invalidParameter("Initiate Auth method not supported.");
  }
}

interface ChallengeAnswer {
  readonly ChallengeName?: string;
  readonly Session?: string;
  readonly ChallengeResponses?: Parameters;
}

async function respond(
  host: Host,
  { pool, client }: { pool: Pool; client: Client },
  { ChallengeName: name, Session: session, ChallengeResponses: answers = {} }: ChallengeAnswer,
): Promise<AuthAnswer> {
  if (name !== "NEW_PASSWORD_REQUIRED") throw notEmulated("cognito-idp", "RespondToAuthChallenge", name);
  if (session === undefined) throw invalidParameter("Missing required parameter Session");
  const username = need(answers, "USERNAME");
  const password = need(answers, "NEW_PASSWORD");
  checkSecretHash(client, username, answers.SECRET_HASH);
  const kept = pool.challenges.get(session);
  const user = findUser(pool, username);
  if (!kept || kept.clientId !== client.ClientId || kept.username !== user?.username) throw invalidSession();
  if (kept.expires <= host.clock.now()) {
    throw notAuthorized("Invalid session for the user, session is expired.");
  }
  checkPassword(pool, password, "Password does not conform to policy");
  const given = Object.entries(answers).flatMap(([key, value]) =>
    key.startsWith("userAttributes.") ? [{ Name: key.slice("userAttributes.".length), Value: value }] : [],
  );
  const attributes = readAttributes(pool, given, user);
  pool.challenges.delete(session);
  writeAttributes(user, attributes);
  user.password = hashPassword(password);
  user.status = "CONFIRMED";
  user.temporarySince = undefined;
  user.modified = new Date(host.clock.now());
  return { ChallengeParameters: {}, AuthenticationResult: await signIn(host, pool, client, user) };
}

/** Signing in with passwords and refresh tokens. Not emulated: SRP, custom challenges, passkeys, MFA. */
export const authOperations = (host: Host, pools: Pools) =>
  ({
    InitiateAuth: async (input) =>
      initiate(host, pools.clientOf(input.ClientId), input.AuthFlow, input.AuthParameters ?? {}, "USER_PASSWORD_AUTH"),

    AdminInitiateAuth: async (input, context) =>
      initiate(
        host,
        pools.client(context, input.UserPoolId, input.ClientId),
        input.AuthFlow,
        input.AuthParameters ?? {},
        "ADMIN_USER_PASSWORD_AUTH",
      ),

    RespondToAuthChallenge: async (input) => respond(host, pools.clientOf(input.ClientId), input),

    AdminRespondToAuthChallenge: async (input, context) =>
      respond(host, pools.client(context, input.UserPoolId, input.ClientId), input),

    GetTokensFromRefreshToken: async (input) => {
      const { pool, client } = pools.clientOf(input.ClientId);
      const result = await refresh(host, pool, client, input.RefreshToken ?? "", () => {
        if (client.ClientSecret !== input.ClientSecret) {
          throw notAuthorized(`Unable to verify secret for client ${client.ClientId}`);
        }
      });
      return { AuthenticationResult: result };
    },
  }) satisfies Operations<Sdk>;
