import { defineService } from "../../core/service";
import { access } from "./access";
import { authOperations } from "./auth";
import { clientOperations } from "./clients";
import { serve } from "./data-plane";
import { domainOperations } from "./domains";
import { groupOperations } from "./groups";
import { ownUserOperations } from "./own-user";
import { poolOperations } from "./pools";
import { Pools } from "./state";
import { issuerOf, signingKey } from "./tokens";
import { userOperations } from "./users";

/**
 * Amazon Cognito user pools: users, groups, app clients, password sign-in and RS256 tokens whose issuer is this emulator.
 * Not emulated: SRP, MFA, triggers, the hosted pages, messages by e-mail and SMS, identity providers.
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/
 */
export const definition = defineService<typeof import("@aws-sdk/client-cognito-identity-provider")>({
  sdk: () => require("@aws-sdk/client-cognito-identity-provider"),
  client: "CognitoIdentityProviderClient",
  create(host) {
    const pools = new Pools();
    const now = () => new Date(host.clock.now());
    return {
      operations: {
        ...poolOperations(pools, now),
        ...clientOperations(pools, now),
        ...domainOperations(pools),
        ...userOperations(pools, now),
        ...groupOperations(pools, now),
        ...authOperations(host, pools),
        ...ownUserOperations(host, pools),
      },
      access: access(pools),
      ports: {
        cognito: {
          keySet: async (userPoolArn) => {
            const pool = pools.byArn(userPoolArn);
            if (!pool) return undefined;
            const { jwk } = await signingKey(pool);
            const aws = `https://cognito-idp.${pool.region}.amazonaws.com/${pool.id}`;
            return { issuers: [issuerOf(host, pool), aws], keys: [jwk] };
          },
        },
      },
      serve: (request) => serve(host, pools, request),
      reset: () => pools.clear(),
    };
  },
});
