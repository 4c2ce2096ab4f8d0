import { accountOf } from "../../core/access-key";
import { parseArn } from "../../core/arn";
import { defineService } from "../../core/service";
import { access } from "./access";
import { accessKeyOperations } from "./access-keys";
import { accountOperations } from "./account";
import { attachmentOperations } from "./attachments";
import { Changes } from "./changes";
import { groupOperations } from "./groups";
import { identityPorts } from "./identities";
import { inlinePolicyOperations } from "./inline-policies";
import { instanceProfileOperations } from "./instance-profiles";
import { managedPolicyOperations } from "./managed-policies";
import { roleOperations } from "./roles";
import { Accounts, type IamContext } from "./state";
import { userOperations } from "./users";

/**
 * AWS Identity and Access Management: roles, users, groups and their policies, one set for each account.
 * Documents are checked and kept parsed; the emulator asks them at each call (core/access/authorizer.ts).
 * https://docs.aws.amazon.com/IAM/latest/APIReference/
 */
export const definition = defineService<typeof import("@aws-sdk/client-iam")>({
  sdk: () => require("@aws-sdk/client-iam"),
  client: "IAMClient",
  create(host) {
    const accounts = new Accounts();
    const changes = new Changes();
    const userOfKey: IamContext["userOfKey"] = (accessKeyId) => {
      const account = accountOf(accessKeyId);
      if (!account) return undefined;
      for (const user of accounts.of({ account }).users.values()) if (user.keys.has(accessKeyId)) return user;
      return undefined;
    };
    const iam: IamContext = { accounts, userOfKey, now: () => new Date(Math.floor(host.clock.now() / 1000) * 1000) };
    return {
      operations: changes.counting<typeof import("@aws-sdk/client-iam")>({
        ...roleOperations(iam),
        ...inlinePolicyOperations(iam),
        ...managedPolicyOperations(iam),
        ...attachmentOperations(iam),
        ...instanceProfileOperations(iam),
        ...userOperations(iam),
        ...accessKeyOperations(iam),
        ...groupOperations(iam),
        ...accountOperations(iam),
      }),
      access: access(accounts, userOfKey),
      ports: {
        iam: {
          role: async (roleArn) => {
            const arn = parseArn(roleArn);
            if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) return undefined;
            const role = accounts.of(arn).roles.get(arn.resource.split("/").at(-1)!.toLowerCase());
            if (role?.arn !== roleArn) return undefined;
            return {
              arn: role.arn,
              id: role.id,
              name: role.name,
              trustPolicy: role.trust.text,
              maxSessionSeconds: role.maxSession,
            };
          },
          accessKey: async (accessKeyId) => {
            const user = userOfKey(accessKeyId);
            const key = user?.keys.get(accessKeyId);
            if (!user || !key) return undefined;
            return {
              secretAccessKey: key.secret,
              active: key.status === "Active",
              arn: user.arn,
              userId: user.id,
              userName: user.name,
            };
          },
          ...identityPorts(accounts),
          changes: () => changes.count,
          onChange: (listener) => changes.listen(listener),
        },
      },
      reset() {
        accounts.clear();
        changes.changed();
      },
    };
  },
});
