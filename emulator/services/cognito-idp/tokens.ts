import { generateKeyPair, type KeyObject, randomBytes, randomUUID, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import type { AuthenticationResultType } from "@aws-sdk/client-cognito-identity-provider";
import type { Host } from "../../core/service";
import { validity } from "./clients";
import { noSuchUser, notAuthorized } from "./errors";
import type { Client, Pool, Pools, RefreshToken, SigningKey, User } from "./state";

const makeKeyPair = promisify(generateKeyPair);

/** The scope of tokens that a sign-in through the API gives out: the user's own attributes, nothing of resource servers. */
export const ownScope = "aws.cognito.signin.user.admin";

/** The pool's key; the first call makes it, off the main thread. */
export function signingKey(pool: Pool): Promise<SigningKey> {
  pool.key ??= makeKeyPair("rsa", { modulusLength: 2048 }).then(
    ({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }) => {
      const kid = randomBytes(32).toString("base64");
      const { n, e } = publicKey.export({ format: "jwk" }) as { n: string; e: string };
      return { kid, privateKey, publicKey, jwk: { kid, kty: "RSA", alg: "RS256", use: "sig", n, e } };
    },
  );
  return pool.key;
}

/** The issuer in tokens: an address of this emulator, so that verifiers can really fetch the pool's keys. */
export const issuerOf = (host: Host, pool: Pool): string => `http://${host.publicHost()}/${pool.id}`;

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function makeJwt(pool: Pool, claims: object): Promise<string> {
  const { kid, privateKey } = await signingKey(pool);
  const text = `${encode({ kid, alg: "RS256" })}.${encode(claims)}`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
}

const seconds = (host: Host) => Math.floor(host.clock.now() / 1000);

/** An access token of the client itself: the OAuth 2.0 client credentials grant. */
export function clientToken(host: Host, pool: Pool, client: Client, scopes: readonly string[]): Promise<string> {
  const now = seconds(host);
  return makeJwt(pool, {
    sub: client.ClientId,
    token_use: "access",
    scope: scopes.join(" "),
    auth_time: now,
    iss: issuerOf(host, pool),
    exp: now + validity(client).access,
    iat: now,
    version: 2,
    jti: randomUUID(),
    client_id: client.ClientId,
  });
}

/** Groups and their roles as both tokens name them; the group with the lowest precedence gives the preferred role. */
function groupClaims(pool: Pool, user: User) {
  const groups = [...pool.groups.values()].filter(({ members }) => members.has(user.username));
  if (!groups.length) return { both: {}, id: {} };
  groups.sort((a, b) => (a.precedence ?? Number.POSITIVE_INFINITY) - (b.precedence ?? Number.POSITIVE_INFINITY) || 0);
  const roles = groups.flatMap(({ roleArn }) => roleArn ?? []);
  return {
    both: { "cognito:groups": groups.map(({ name }) => name) },
    id: roles.length ? { "cognito:roles": roles, "cognito:preferred_role": roles[0] } : {},
  };
}

/** Attributes that the client may read, with booleans as JSON has them. */
function attributeClaims(client: Client, user: User) {
  const readable = client.ReadAttributes?.length ? new Set(client.ReadAttributes) : undefined;
  const shown = [...user.attributes].filter(([name]) => !readable || readable.has(name));
  return Object.fromEntries(
    shown.map(([name, value]) => [name, name.endsWith("_verified") ? value === "true" : value]),
  );
}

/** Forgets refresh tokens that have run out, oldest first. */
function prune(pool: Pool, now: number): void {
  for (const [token, { expires }] of pool.refreshTokens) {
    if (expires > now) return;
    pool.refreshTokens.delete(token);
  }
}

function keepRefreshToken(host: Host, pool: Pool, token: RefreshToken): string {
  prune(pool, host.clock.now());
  const text = randomBytes(120).toString("base64url");
  pool.refreshTokens.set(text, token);
  return text;
}

/** The tokens of a sign-in, with a new refresh token. */
export async function signIn(host: Host, pool: Pool, client: Client, user: User): Promise<AuthenticationResultType> {
  const origin: RefreshToken = {
    username: user.username,
    clientId: client.ClientId,
    originJti: randomUUID(),
    authTime: seconds(host),
    expires: host.clock.now() + validity(client).refresh * 1000,
  };
  const tokens = await userTokens(host, pool, client, user, origin);
  return { ...tokens, RefreshToken: keepRefreshToken(host, pool, origin) };
}

/** A further refresh token of the same sign-in, which ends when the first would have. */
export const rotate = (host: Host, pool: Pool, token: RefreshToken): string =>
  keepRefreshToken(host, pool, { ...token });

/** Id and access token of a sign-in, new or refreshed. */
export async function userTokens(
  host: Host,
  pool: Pool,
  client: Client,
  user: User,
  { originJti, authTime }: RefreshToken,
): Promise<AuthenticationResultType> {
  const now = seconds(host);
  const life = validity(client);
  const groups = groupClaims(pool, user);
  const common = {
    sub: user.sub,
    ...groups.both,
    iss: issuerOf(host, pool),
    origin_jti: originJti,
    event_id: randomUUID(),
    auth_time: authTime,
    iat: now,
  };
  const [AccessToken, IdToken] = await Promise.all([
    makeJwt(pool, {
      ...common,
      client_id: client.ClientId,
      token_use: "access",
      scope: ownScope,
      exp: now + life.access,
      jti: randomUUID(),
      username: user.username,
    }),
    makeJwt(pool, {
      ...attributeClaims(client, user),
      ...common,
      ...groups.id,
      "cognito:username": user.username,
      aud: client.ClientId,
      token_use: "id",
      exp: now + life.id,
      jti: randomUUID(),
    }),
  ]);
  return { AccessToken, IdToken, ExpiresIn: life.access, TokenType: "Bearer" };
}

interface AccessClaims {
  readonly iss: string;
  readonly sub: string;
  readonly exp: number;
  readonly token_use: string;
  readonly scope?: string;
  readonly origin_jti?: string;
  readonly client_id: string;
}

function readClaims(token: string): { claims: AccessClaims; signed: string; signature: string } | undefined {
  const [head, body, signature] = token.split(".");
  if (!head || !body || !signature) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, "base64url").toString());
    if (typeof claims !== "object" || claims === null) return undefined;
    return { claims: claims as AccessClaims, signed: `${head}.${body}`, signature };
  } catch {
    return undefined;
  }
}

/** The user that an access token speaks for; refuses what Cognito refuses. */
export async function userOfToken(
  host: Host,
  pools: Pools,
  token = "",
): Promise<{ pool: Pool; user: User; clientId: string; originJti?: string }> {
  const invalid = () => notAuthorized("Invalid Access Token");
  const read = readClaims(token);
  const pool = read && pools.find(String(read.claims.iss).split("/").at(-1)!);
  if (!read || !pool) throw invalid();
  const { claims, signed, signature } = read;
  const { publicKey } = await signingKey(pool);
  if (!verify("RSA-SHA256", Buffer.from(signed), publicKey, Buffer.from(signature, "base64url"))) throw invalid();
  if (claims.token_use !== "access") throw invalid();
  if (claims.exp * 1000 <= host.clock.now()) throw notAuthorized("Access Token has expired");
  if (claims.origin_jti && pool.revoked.has(claims.origin_jti)) throw notAuthorized("Access Token has been revoked");
  if (!claims.scope?.split(" ").includes(ownScope)) throw notAuthorized("Access Token does not have required scopes");
  const user = [...pool.users.values()].find(({ sub }) => sub === claims.sub);
  if (!user) throw noSuchUser();
  if (!user.enabled) throw notAuthorized("User is disabled.");
  return { pool, user, clientId: claims.client_id, originJti: claims.origin_jti };
}

/** Ends every sign-in of a user: refresh tokens give no more, access tokens no longer serve the user's own calls. */
export function revokeUser(pool: Pool, user: User): void {
  for (const { username, originJti } of pool.refreshTokens.values()) {
    if (username === user.username) pool.revoked.add(originJti);
  }
}
