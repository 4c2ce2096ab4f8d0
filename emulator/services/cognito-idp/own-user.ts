import { limits } from "../../core/limits";
import type { Host, Operations } from "../../core/service";
import { attributeList, readAttributes, writeAttributes } from "./attributes";
import { check } from "./common";
import { foreignToken, revocationOff, wrongPassword } from "./errors";
import { checkPassword, hashPassword, isPassword } from "./passwords";
import { dropUser, type Pools } from "./state";
import { revokeUser, userOfToken } from "./tokens";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

/** What users do for themselves, with an access token in place of AWS credentials. */
export const ownUserOperations = (host: Host, pools: Pools) =>
  ({
    GetUser: async (input) => {
      const { user } = await userOfToken(host, pools, input.AccessToken);
      return { Username: user.username, UserAttributes: attributeList(user) };
    },

    UpdateUserAttributes: async (input) => {
      const { pool, user } = await userOfToken(host, pools, input.AccessToken);
      // Only administrators may say that an address is verified.
      const given = (input.UserAttributes ?? []).filter(({ Name }) => !Name?.endsWith("_verified"));
      writeAttributes(user, readAttributes(pool, given, user));
      user.modified = new Date(host.clock.now());
      return { CodeDeliveryDetailsList: [] };
    },

    DeleteUser: async (input) => {
      const { pool, user } = await userOfToken(host, pools, input.AccessToken);
      dropUser(pool, user);
      return {};
    },

    ChangePassword: async (input) => {
      const { pool, user } = await userOfToken(host, pools, input.AccessToken);
      check({
        proposedPassword: [input.ProposedPassword, { required: true, length: [1, limits.cognito.password.value] }],
      });
      if (!isPassword(user.password, input.PreviousPassword ?? "")) throw wrongPassword();
      checkPassword(pool, input.ProposedPassword!, "Password does not conform to policy");
      user.password = hashPassword(input.ProposedPassword!);
      user.modified = new Date(host.clock.now());
      return {};
    },

    GlobalSignOut: async (input) => {
      const { pool, user } = await userOfToken(host, pools, input.AccessToken);
      revokeUser(pool, user);
      return {};
    },

    RevokeToken: (input) => {
      const { pool, client } = pools.clientOf(input.ClientId);
      if (client.ClientSecret !== input.ClientSecret) throw foreignToken();
      if (!client.EnableTokenRevocation) throw revocationOff();
      const token = pool.refreshTokens.get(input.Token ?? "");
      // An unknown token is no error (RFC 7009, section 2.2).
      if (!token) return {};
      if (token.clientId !== client.ClientId) throw foreignToken();
      pool.revoked.add(token.originJti);
      return {};
    },
  }) satisfies Operations<Sdk>;
