import { randomBytes } from "node:crypto";
import { makeAccessKeyId } from "../../core/access-key";
import { checkConstraints } from "../../core/constraint";
import { limits } from "../../core/limits";
import type { Context, Operations } from "../../core/service";
import { page } from "./common";
import { nameNeeded, noSuchEntity, quotaExceeded } from "./errors";
import type { AccessKey, IamContext, User } from "./state";

type Sdk = typeof import("@aws-sdk/client-iam");

export const accessKeyOperations = ({ accounts, now, userOfKey }: IamContext) => {
  /** The named user, else the one whose key signed the request. */
  function userOf(name: string | undefined, context: Context): User {
    if (name !== undefined) return accounts.of(context).user(name);
    const user = userOfKey(context.caller.accessKeyId);
    // Not emulated: access keys of the root user.
    if (!user) throw nameNeeded();
    return user;
  }

  function keyOf(user: User, id: string | undefined): AccessKey {
    const key = user.keys.get(id ?? "");
    if (!key) throw noSuchEntity(`The Access Key with id ${id} cannot be found.`);
    return key;
  }

  return {
    CreateAccessKey: (input, context) => {
      const user = userOf(input.UserName, context);
      const { value: most } = limits.iam.accessKeys;
      if (user.keys.size >= most) throw quotaExceeded("AccessKeysPerUser", most);
      let id = makeAccessKeyId("AKIA", context.account);
      while (userOfKey(id)) id = makeAccessKeyId("AKIA", context.account);
      const key: AccessKey = {
        id,
        secret: randomBytes(30).toString("base64"),
        userName: user.name,
        status: "Active",
        created: now(),
      };
      user.keys.set(id, key);
      return {
        AccessKey: {
          UserName: user.name,
          AccessKeyId: id,
          Status: key.status,
          SecretAccessKey: key.secret,
          CreateDate: key.created,
        },
      };
    },

    ListAccessKeys: (input, context) => {
      const user = userOf(input.UserName, context);
      const { items, ...rest } = page([...user.keys.values()], input);
      return {
        AccessKeyMetadata: items.map((key) => ({
          UserName: user.name,
          AccessKeyId: key.id,
          Status: key.status,
          CreateDate: key.created,
        })),
        ...rest,
      };
    },

    UpdateAccessKey: (input, context) => {
      checkConstraints("ValidationError", {
        status: [input.Status, { required: true, oneOf: ["Active", "Inactive"] }],
      });
      keyOf(userOf(input.UserName, context), input.AccessKeyId).status = input.Status as AccessKey["status"];
      return {};
    },

    DeleteAccessKey: (input, context) => {
      const user = userOf(input.UserName, context);
      user.keys.delete(keyOf(user, input.AccessKeyId).id);
      return {};
    },

    // Not emulated: following the use of keys, so each looks like one that was never used.
    GetAccessKeyLastUsed: (input) => {
      const user = userOfKey(input.AccessKeyId ?? "");
      if (!user) throw noSuchEntity(`The Access Key with id ${input.AccessKeyId} cannot be found.`);
      return { UserName: user.name, AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" } };
    },
  } satisfies Operations<Sdk>;
};
