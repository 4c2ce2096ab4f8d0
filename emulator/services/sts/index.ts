import { accountOf } from "../../core/access-key";
import { checkConstraints } from "../../core/constraint";
import { endsOf, limits } from "../../core/limits";
import { defineService } from "../../core/service";
import { access } from "./access";
import { assumeRole, roleSession } from "./assume-role";
import { accessDenied, missingToken, noSessionTokens, validationError } from "./errors";
import { Sessions } from "./sessions";

/**
 * AWS Security Token Service: who calls, and temporary credentials for roles. Credentials are remembered, so that later
 * requests signed with them belong to the role and its account.
 * https://docs.aws.amazon.com/STS/latest/APIReference/
 */
export const definition = defineService<typeof import("@aws-sdk/client-sts")>({
  sdk: () => require("@aws-sdk/client-sts"),
  client: "STSClient",
  create(host) {
    const sessions = new Sessions(host);
    return {
      operations: {
        GetCallerIdentity: (_input, { identity }) => {
          if (identity.type === "Anonymous") throw missingToken();
          return { UserId: identity.userId, Account: identity.account, Arn: identity.arn };
        },

        AssumeRole: (input, context) => assumeRole(host, sessions, input, context),

        GetSessionToken: (input, context) => {
          if (context.identity.type === "Anonymous") throw missingToken();
          checkConstraints("ValidationError", {
            durationSeconds: [input.DurationSeconds, { range: endsOf(limits.sts.session) }],
          });
          if (sessions.find(context.caller.accessKeyId)) throw noSessionTokens();
          const session = sessions.make(context.identity, input.DurationSeconds ?? 43_200);
          return {
            Credentials: {
              AccessKeyId: session.accessKeyId,
              SecretAccessKey: session.secretAccessKey,
              SessionToken: session.sessionToken,
              Expiration: new Date(session.expiration),
            },
          };
        },

        GetAccessKeyInfo: (input) => {
          checkConstraints("ValidationError", {
            accessKeyId: [input.AccessKeyId, { required: true, length: [16, 128], pattern: /^\w*$/ }],
          });
          const account = accountOf(input.AccessKeyId!);
          if (!account) throw validationError(`Invalid AccessKeyId: ${input.AccessKeyId}`);
          return { Account: account };
        },
      },
      access: access(host),
      ports: {
        sts: {
          roleCredentials: async (acting, durationSeconds = 3600) => {
            const { roleArn, sessionName, service } = acting;
            const role = await (await host.bus.to("iam")).role(roleArn);
            if (host.bus.access.checkTrust(acting) || !role) throw accessDenied(service, "sts:AssumeRole", roleArn);
            return sessions.make(roleSession(role, sessionName), durationSeconds);
          },
          credentialsFor: (identity, durationSeconds = 3600) => sessions.make(identity, durationSeconds),
          identify: async (accessKeyId) => {
            const session = sessions.find(accessKeyId);
            if (session) return session;
            const account = accountOf(accessKeyId);
            if (!account) return undefined;
            const key = await (await host.bus.to("iam")).accessKey(accessKeyId);
            return key?.active ? { ...key, type: "User", account } : undefined;
          },
        },
      },
      reset: () => sessions.clear(),
    };
  },
});
