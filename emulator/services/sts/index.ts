import { accountOf } from "../../core/access-key";
import { checkConstraints } from "../../core/constraint";
import { defineService } from "../../core/service";
import { assumeRole, roleSession } from "./assume-role";
import { accessDenied, noSessionTokens, validationError } from "./errors";
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
        GetCallerIdentity: async (_input, context) => {
          const { userId, account, arn } = await sessions.identify(context.caller);
          return { UserId: userId, Account: account, Arn: arn };
        },

        AssumeRole: (input, context) => assumeRole(host, sessions, input, context),

        GetSessionToken: async (input, context) => {
          checkConstraints("ValidationError", { durationSeconds: [input.DurationSeconds, { range: [900, 129_600] }] });
          if (sessions.find(context.caller.accessKeyId)) throw noSessionTokens();
          const caller = await sessions.identify(context.caller);
          const session = sessions.make(caller, input.DurationSeconds ?? 43_200);
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
      ports: {
        sts: {
          roleCredentials: async (roleArn, sessionName, durationSeconds = 3600) => {
            const role = await (await host.bus.to("iam")).role(roleArn);
            if (!role) throw accessDenied(sessionName, "sts:AssumeRole", roleArn);
            return sessions.make(roleSession(role, sessionName), durationSeconds);
          },
          secretFor: async (accessKeyId) => {
            const session = sessions.find(accessKeyId);
            if (session) return session;
            const account = accountOf(accessKeyId);
            if (!account) return undefined;
            const key = await (await host.bus.to("iam")).accessKey(accessKeyId);
            return key?.active ? { ...key, account } : undefined;
          },
        },
      },
      reset: () => sessions.clear(),
    };
  },
});
