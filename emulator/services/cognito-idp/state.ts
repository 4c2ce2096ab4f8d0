import type { KeyObject } from "node:crypto";
import type {
  CreateUserPoolCommandInput,
  GetUserPoolMfaConfigCommandOutput,
  SchemaAttributeType,
  UserPoolClientType,
  UserStatusType,
} from "@aws-sdk/client-cognito-identity-provider";
import { parseArn } from "../../core/arn";
import type { JsonWebKey } from "../../core/bus";
import { type Scope, Scoped } from "../../core/service";
import { noSuchClient, noSuchGroup, noSuchPool, noSuchUser } from "./errors";
import type { PasswordHash } from "./passwords";

export interface User {
  /** What the pool calls the user: the name it signed up with, or its sub where people sign in by e-mail or phone. */
  readonly username: string;
  readonly sub: string;
  /** Without sub. */
  readonly attributes: Map<string, string>;
  readonly created: Date;
  modified: Date;
  enabled: boolean;
  status: UserStatusType;
  password?: PasswordHash;
  /** When a temporary password was given, in milliseconds. */
  temporarySince?: number;
}

export interface Group {
  readonly name: string;
  description?: string;
  roleArn?: string;
  precedence?: number;
  readonly created: Date;
  modified: Date;
  /** User names. */
  readonly members: Set<string>;
}

/** A pool's app client: what the caller set, and the lists that AWS shows. */
export type Client = UserPoolClientType & { ClientId: string; UserPoolId: string };

export interface ResourceServer {
  readonly identifier: string;
  name: string;
  /** Description by scope name. */
  scopes: Map<string, string>;
}

export interface Domain {
  readonly name: string;
  readonly custom?: { CertificateArn: string | undefined };
  readonly managedLoginVersion: number;
}

/** A refresh token that a sign-in gave out. */
export interface RefreshToken {
  readonly username: string;
  readonly clientId: string;
  /** Names the sign-in in all tokens that come from it. */
  readonly originJti: string;
  /** Seconds since the epoch. */
  readonly authTime: number;
  /** Milliseconds since the epoch. */
  expires: number;
}

/** A sign-in that waits for the answer to a challenge. */
export interface Challenge {
  readonly name: "NEW_PASSWORD_REQUIRED";
  readonly username: string;
  readonly clientId: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey;
}

/** What a pool is configured with; names as in CreateUserPool. */
export type PoolSettings = Omit<CreateUserPoolCommandInput, "PoolName" | "Schema" | "UserPoolTags">;

export interface Pool extends Scope {
  readonly id: string;
  readonly arn: string;
  name: string;
  settings: PoolSettings;
  readonly schema: Map<string, SchemaAttributeType>;
  readonly tags: Map<string, string>;
  readonly created: Date;
  modified: Date;
  mfa: Omit<GetUserPoolMfaConfigCommandOutput, "$metadata">;
  domain?: Domain;
  readonly clients: Map<string, Client>;
  /** By name, in small letters where the pool's names have no case. */
  readonly users: Map<string, User>;
  readonly groups: Map<string, Group>;
  readonly resourceServers: Map<string, ResourceServer>;
  readonly refreshTokens: Map<string, RefreshToken>;
  readonly challenges: Map<string, Challenge>;
  /** Sign-ins whose access tokens count no more, by `origin_jti`. */
  readonly revoked: Set<string>;
  /** Made when first asked for: a 2048-bit key takes a moment. */
  key?: Promise<SigningKey>;
}

/** All user pools of one emulator. */
export class Pools {
  private readonly regions = new Scoped(() => new Map<string, Pool>());

  of(context: Scope): Map<string, Pool> {
    return this.regions.of(context);
  }

  get(context: Scope, id = ""): Pool {
    const pool = this.of(context).get(id);
    if (!pool) throw noSuchPool(id);
    return pool;
  }

  client(context: Scope, poolId = "", clientId = ""): { pool: Pool; client: Client } {
    const pool = this.get(context, poolId);
    const client = pool.clients.get(clientId);
    if (!client) throw noSuchClient(clientId);
    return { pool, client };
  }

  /** Sign-in calls carry no AWS credentials, so neither account nor region: only the client's id, which is unique. */
  clientOf(clientId = ""): { pool: Pool; client: Client } {
    for (const pool of this.all()) {
      const client = pool.clients.get(clientId);
      if (client) return { pool, client };
    }
    throw noSuchClient(clientId);
  }

  byArn(arn: string): Pool | undefined {
    const { account, region, resource } = parseArn(arn) ?? {};
    if (!account || !region) return undefined;
    return this.of({ account, region }).get(resource?.replace(/^userpool\//, "") ?? "");
  }

  /** By pool id or by domain, over all accounts: both are unique. */
  find(idOrDomain: string): Pool | undefined {
    for (const pool of this.all()) if (pool.id === idOrDomain || pool.domain?.name === idOrDomain) return pool;
    return undefined;
  }

  *all(): Iterable<Pool> {
    for (const region of this.regions.all()) yield* region.values();
  }

  clear(): void {
    this.regions.clear();
  }
}

const nameKey = (pool: Pool, name: string) =>
  pool.settings.UsernameConfiguration?.CaseSensitive === false || pool.settings.UsernameAttributes?.length
    ? name.toLowerCase()
    : name;

/** By user name, sub, or what the pool lets people sign in with. */
export function findUser(pool: Pool, name: string): User | undefined {
  const key = nameKey(pool, name);
  const named = pool.users.get(key);
  if (named) return named;
  const aliases = [...(pool.settings.UsernameAttributes ?? []), ...(pool.settings.AliasAttributes ?? [])];
  for (const user of pool.users.values()) {
    if (user.sub === name) return user;
    for (const alias of aliases) {
      // An alias signs in only when it is verified; a user name attribute does in any case (developer guide).
      const usable =
        pool.settings.UsernameAttributes?.length ||
        alias === "preferred_username" ||
        user.attributes.get(`${alias}_verified`) === "true";
      if (usable && nameKey(pool, user.attributes.get(alias) ?? "") === key) return user;
    }
  }
  return undefined;
}

export function userOf(pool: Pool, name = ""): User {
  const user = findUser(pool, name);
  if (!user) throw noSuchUser();
  return user;
}

export const keepUser = (pool: Pool, user: User): void => {
  pool.users.set(nameKey(pool, user.username), user);
};

export const dropUser = (pool: Pool, user: User): void => {
  pool.users.delete(nameKey(pool, user.username));
  for (const group of pool.groups.values()) group.members.delete(user.username);
  for (const [token, { username }] of pool.refreshTokens)
    if (username === user.username) pool.refreshTokens.delete(token);
};

export function groupOf(pool: Pool, name = ""): Group {
  const group = pool.groups.get(name);
  if (!group) throw noSuchGroup();
  return group;
}
