import { randomUUID } from "node:crypto";
import type { UserType } from "@aws-sdk/client-cognito-identity-provider";
import { limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { attributeList, checkRequired, readAttributes, writeAttributes } from "./attributes";
import { check, page } from "./common";
import { aliasExists, invalidParameter, notAuthorized, signUpOff, unsupportedState, usernameExists } from "./errors";
import { checkPassword, hashPassword, makePassword } from "./passwords";
import { checkSecretHash } from "./secret-hash";
import { dropUser, findUser, keepUser, type Pool, type Pools, type User, userOf } from "./state";
import { revokeUser } from "./tokens";
import { matchesFilter } from "./user-filter";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

export const userShape = (user: User): UserType => ({
  Username: user.username,
  Attributes: attributeList(user),
  UserCreateDate: user.created,
  UserLastModifiedDate: user.modified,
  Enabled: user.enabled,
  UserStatus: user.status,
});

/** Makes a user record from what AdminCreateUser or SignUp were given. */
export function newUser(
  pool: Pool,
  name: string | undefined,
  attributes: Map<string, string>,
  taken: string,
  now: Date,
): User {
  check({
    username: [
      name,
      { required: true, length: [1, limits.cognito.userName.value], pattern: /^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u },
    ],
  });
  const sub = randomUUID();
  let username = name!;
  const byAttribute = pool.settings.UsernameAttributes ?? [];
  if (byAttribute.length) {
    const kind = username.includes("@") ? "email" : "phone_number";
    if (!byAttribute.includes(kind) || (kind === "phone_number" && !/^\+\d{1,15}$/.test(username))) {
      const wanted = byAttribute.map((one) => (one === "email" ? "an email" : "a phone number")).join(" or ");
      throw invalidParameter(`Username should be ${wanted}.`);
    }
    attributes.set(kind, attributes.get(kind) ?? username);
    username = sub;
  } else if (pool.settings.AliasAttributes?.includes("email") && username.includes("@")) {
    throw invalidParameter("Username cannot be of email format, since user pool is configured for email alias.");
  }
  checkRequired(pool, attributes);
  if (findUser(pool, name!)) throw usernameExists(taken);
  const alias = pool.settings.AliasAttributes?.includes("email") && attributes.get("email");
  if (alias && attributes.get("email_verified") === "true" && findUser(pool, alias)) throw aliasExists();
  const user: User = {
    username,
    sub,
    attributes: new Map(),
    created: now,
    modified: now,
    enabled: true,
    status: "UNCONFIRMED",
  };
  writeAttributes(user, attributes);
  return user;
}

export const userOperations = (pools: Pools, now: () => Date) =>
  ({
    // Not emulated: sending the invitation; tests set a password themselves.
    AdminCreateUser: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const intro = "Password did not conform with password policy";
      if (input.TemporaryPassword !== undefined) checkPassword(pool, input.TemporaryPassword, intro);
      const password = hashPassword(input.TemporaryPassword ?? makePassword(pool));
      if (input.MessageAction === "RESEND") {
        const user = userOf(pool, input.Username);
        if (user.status !== "FORCE_CHANGE_PASSWORD") {
          throw unsupportedState(`Resend not possible. ${user.username} status is not FORCE_CHANGE_PASSWORD`);
        }
        Object.assign(user, { password, temporarySince: now().getTime(), modified: now() });
        return { User: userShape(user) };
      }
      const attributes = readAttributes(pool, input.UserAttributes);
      const user = newUser(pool, input.Username, attributes, "User account already exists", now());
      Object.assign(user, { password, status: "FORCE_CHANGE_PASSWORD", temporarySince: now().getTime() });
      keepUser(pool, user);
      return { User: userShape(user) };
    },

    AdminGetUser: (input, context) => {
      const user = userOf(pools.get(context, input.UserPoolId), input.Username);
      const { Attributes: attributes, ...rest } = userShape(user);
      return { ...rest, Username: user.username, UserAttributes: attributes };
    },

    AdminSetUserPassword: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const user = userOf(pool, input.Username);
      check({ password: [input.Password, { required: true, length: [1, limits.cognito.password.value] }] });
      checkPassword(pool, input.Password!, "Password does not conform to policy");
      user.password = hashPassword(input.Password!);
      user.status = input.Permanent ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD";
      user.temporarySince = input.Permanent ? undefined : now().getTime();
      user.modified = now();
      return {};
    },

    AdminUpdateUserAttributes: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const user = userOf(pool, input.Username);
      writeAttributes(user, readAttributes(pool, input.UserAttributes, user));
      user.modified = now();
      return {};
    },

    AdminDeleteUserAttributes: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const user = userOf(pool, input.Username);
      const gone = (input.UserAttributeNames ?? []).map((Name) => ({ Name, Value: "" }));
      writeAttributes(user, readAttributes(pool, gone, user));
      user.modified = now();
      return {};
    },

    AdminEnableUser: (input, context) => {
      const user = userOf(pools.get(context, input.UserPoolId), input.Username);
      Object.assign(user, { enabled: true, modified: now() });
      return {};
    },

    AdminDisableUser: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const user = userOf(pool, input.Username);
      Object.assign(user, { enabled: false, modified: now() });
      // Disabling revokes every token (API reference: AdminDisableUser).
      revokeUser(pool, user);
      return {};
    },

    AdminDeleteUser: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      dropUser(pool, userOf(pool, input.Username));
      return {};
    },

    AdminUserGlobalSignOut: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      revokeUser(pool, userOf(pool, input.Username));
      return {};
    },

    ListUsers: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({ limit: [input.Limit, { range: [0, 60] }] });
      const wanted = matchesFilter(input.Filter);
      const { items, next } = page([...pool.users.values()].filter(wanted), input.Limit || 60, input.PaginationToken);
      const names = input.AttributesToGet && new Set(input.AttributesToGet);
      return {
        Users: items.map((user) => {
          const shape = userShape(user);
          if (!names) return shape;
          return { ...shape, Attributes: shape.Attributes?.filter(({ Name }) => names.has(Name!)) };
        }),
        PaginationToken: next,
      };
    },

    SignUp: (input) => {
      const { pool, client } = pools.clientOf(input.ClientId);
      checkSecretHash(client, input.Username, input.SecretHash);
      if (pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly) throw signUpOff();
      if (input.Password === undefined) throw invalidParameter("Password is required");
      checkPassword(pool, input.Password, "Password did not conform with policy");
      const user = newUser(
        pool,
        input.Username,
        readAttributes(pool, input.UserAttributes),
        "User already exists",
        now(),
      );
      user.password = hashPassword(input.Password);
      keepUser(pool, user);
      // Not emulated: sending a confirmation code; AdminConfirmSignUp takes its place.
      return { UserConfirmed: false, UserSub: user.sub };
    },

    AdminConfirmSignUp: (input, context) => {
      const user = userOf(pools.get(context, input.UserPoolId), input.Username);
      if (user.status !== "UNCONFIRMED") {
        throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
      }
      Object.assign(user, { status: "CONFIRMED", modified: now() });
      return {};
    },
  }) satisfies Operations<Sdk>;
