import type {
  CreateUserPoolCommandInput,
  PasswordPolicyType,
  UserPoolType,
} from "@aws-sdk/client-cognito-identity-provider";
import { formatArn } from "../../core/arn";
import { notEmulated } from "../../core/errors";
import { endsOf, limits } from "../../core/limits";
import type { Operations } from "../../core/service";
import { customAttribute, makeSchema } from "./attributes";
import { check, page, randomText } from "./common";
import { invalidParameter, noSuchPool } from "./errors";
import type { Pool, PoolSettings, Pools } from "./state";

type Sdk = typeof import("@aws-sdk/client-cognito-identity-provider");

const defaultPassword: PasswordPolicyType = {
  MinimumLength: 8,
  RequireUppercase: true,
  RequireLowercase: true,
  RequireNumbers: true,
  RequireSymbols: true,
  TemporaryPasswordValidityDays: 7,
};

/** Checks what a pool is given and fills in what AWS shows for the rest. */
function readSettings(input: Partial<CreateUserPoolCommandInput>): PoolSettings {
  const password = input.Policies?.PasswordPolicy;
  const mfa = input.MfaConfiguration ?? "OFF";
  check({
    "policies.passwordPolicy.minimumLength": [
      password?.MinimumLength,
      { range: endsOf(limits.cognito.minimumPassword) },
    ],
    "policies.passwordPolicy.temporaryPasswordValidityDays": [
      password?.TemporaryPasswordValidityDays,
      { range: [0, 365] },
    ],
    mfaConfiguration: [mfa, { oneOf: ["OPTIONAL", "OFF", "ON"] }],
  });
  if (input.UsernameAttributes?.length && input.AliasAttributes?.length) {
    throw invalidParameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.");
  }
  if (Object.values(input.LambdaConfig ?? {}).some((trigger) => trigger !== undefined)) {
    throw notEmulated("cognito-idp", "LambdaConfig", "triggers of user pools");
  }
  return {
    Policies: {
      PasswordPolicy: password
        ? {
            MinimumLength: password.MinimumLength ?? 8,
            RequireUppercase: password.RequireUppercase ?? false,
            RequireLowercase: password.RequireLowercase ?? false,
            RequireNumbers: password.RequireNumbers ?? false,
            RequireSymbols: password.RequireSymbols ?? false,
            PasswordHistorySize: password.PasswordHistorySize,
            TemporaryPasswordValidityDays: password.TemporaryPasswordValidityDays ?? 7,
          }
        : defaultPassword,
      SignInPolicy: input.Policies?.SignInPolicy ?? { AllowedFirstAuthFactors: ["PASSWORD"] },
    },
    DeletionProtection: input.DeletionProtection ?? "INACTIVE",
    LambdaConfig: {},
    AutoVerifiedAttributes: input.AutoVerifiedAttributes,
    AliasAttributes: input.AliasAttributes,
    UsernameAttributes: input.UsernameAttributes,
    SmsVerificationMessage: input.SmsVerificationMessage,
    EmailVerificationMessage: input.EmailVerificationMessage,
    EmailVerificationSubject: input.EmailVerificationSubject,
    VerificationMessageTemplate: {
      ...input.VerificationMessageTemplate,
      DefaultEmailOption: input.VerificationMessageTemplate?.DefaultEmailOption ?? "CONFIRM_WITH_CODE",
    },
    SmsAuthenticationMessage: input.SmsAuthenticationMessage,
    MfaConfiguration: mfa,
    UserAttributeUpdateSettings: input.UserAttributeUpdateSettings ?? {
      AttributesRequireVerificationBeforeUpdate: [],
    },
    DeviceConfiguration: input.DeviceConfiguration,
    EmailConfiguration: input.EmailConfiguration ?? { EmailSendingAccount: "COGNITO_DEFAULT" },
    SmsConfiguration: input.SmsConfiguration,
    AdminCreateUserConfig: {
      ...input.AdminCreateUserConfig,
      AllowAdminCreateUserOnly: input.AdminCreateUserConfig?.AllowAdminCreateUserOnly ?? false,
      UnusedAccountValidityDays: input.AdminCreateUserConfig?.UnusedAccountValidityDays ?? 7,
    },
    UserPoolAddOns: input.UserPoolAddOns,
    UsernameConfiguration: input.UsernameConfiguration,
    AccountRecoverySetting: input.AccountRecoverySetting,
    UserPoolTier: input.UserPoolTier ?? "ESSENTIALS",
  };
}

const describe = (pool: Pool): UserPoolType => ({
  ...pool.settings,
  Id: pool.id,
  Name: pool.name,
  Arn: pool.arn,
  CreationDate: pool.created,
  LastModifiedDate: pool.modified,
  SchemaAttributes: [...pool.schema.values()],
  UserPoolTags: Object.fromEntries(pool.tags),
  EstimatedNumberOfUsers: pool.users.size,
  Domain: pool.domain && !pool.domain.custom ? pool.domain.name : undefined,
  CustomDomain: pool.domain?.custom ? pool.domain.name : undefined,
});

export function poolOperations(pools: Pools, now: () => Date) {
  const byArn = (arn = "") => {
    const pool = pools.byArn(arn);
    if (!pool) throw noSuchPool(arn.split("/").at(-1)!);
    return pool;
  };

  return {
    CreateUserPool: (input, context) => {
      check({
        poolName: [
          input.PoolName,
          { required: true, length: [1, limits.cognito.clientName.value], pattern: /^[\w\s+=,.@-]+$/ },
        ],
      });
      const settings = readSettings(input);
      const schema = makeSchema(input.Schema);
      const { account, region } = context;
      const id = `${region}_${randomText(9)}`;
      const created = now();
      const pool: Pool = {
        account,
        region,
        id,
        arn: formatArn("cognito-idp", region, account, `userpool/${id}`),
        name: input.PoolName!,
        settings,
        schema,
        tags: new Map(Object.entries(input.UserPoolTags ?? {})),
        created,
        modified: created,
        mfa: { MfaConfiguration: settings.MfaConfiguration },
        clients: new Map(),
        users: new Map(),
        groups: new Map(),
        resourceServers: new Map(),
        refreshTokens: new Map(),
        challenges: new Map(),
        revoked: new Set(),
      };
      pools.of(context).set(id, pool);
      return { UserPool: describe(pool) };
    },

    DescribeUserPool: (input, context) => ({ UserPool: describe(pools.get(context, input.UserPoolId)) }),

    UpdateUserPool: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const { AliasAttributes, UsernameAttributes, UsernameConfiguration } = pool.settings;
      // What an update leaves out goes back to its default (API reference); the sign-in names can never change.
      pool.settings = readSettings({ ...input, AliasAttributes, UsernameAttributes, UsernameConfiguration });
      pool.mfa = { ...pool.mfa, MfaConfiguration: pool.settings.MfaConfiguration };
      if (input.PoolName) pool.name = input.PoolName;
      if (input.UserPoolTags) {
        pool.tags.clear();
        for (const [key, value] of Object.entries(input.UserPoolTags)) pool.tags.set(key, value);
      }
      pool.modified = now();
      return {};
    },

    DeleteUserPool: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      if (pool.settings.DeletionProtection === "ACTIVE") {
        throw invalidParameter(
          "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
        );
      }
      if (pool.domain) {
        throw invalidParameter("User pool cannot be deleted. It has a domain configured that should be deleted first.");
      }
      pools.of(context).delete(pool.id);
      return {};
    },

    ListUserPools: (input, context) => {
      check({ maxResults: [input.MaxResults, { required: true, range: [1, 60] }] });
      const { items, next } = page([...pools.of(context).values()], input.MaxResults, input.NextToken);
      return {
        UserPools: items.map((pool) => ({
          Id: pool.id,
          Name: pool.name,
          LambdaConfig: pool.settings.LambdaConfig,
          CreationDate: pool.created,
          LastModifiedDate: pool.modified,
        })),
        NextToken: next,
      };
    },

    AddCustomAttributes: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      const added = (input.CustomAttributes ?? []).map(customAttribute);
      for (const { Name: name } of added) {
        if (pool.schema.has(name!)) throw invalidParameter(`${name}: Existing attribute already has name ${name}.`);
      }
      for (const attribute of added) pool.schema.set(attribute.Name!, attribute);
      return {};
    },

    // Kept and shown; signing in to a pool that demands MFA is refused as not emulated.
    SetUserPoolMfaConfig: (input, context) => {
      const pool = pools.get(context, input.UserPoolId);
      check({ mfaConfiguration: [input.MfaConfiguration, { oneOf: ["OPTIONAL", "OFF", "ON"] }] });
      const { UserPoolId: _, ...config } = input;
      pool.mfa = { ...config, MfaConfiguration: config.MfaConfiguration ?? "OFF" };
      pool.settings = { ...pool.settings, MfaConfiguration: pool.mfa.MfaConfiguration };
      return pool.mfa;
    },
    GetUserPoolMfaConfig: (input, context) => pools.get(context, input.UserPoolId).mfa,

    TagResource: (input) => {
      const pool = byArn(input.ResourceArn);
      for (const [key, value] of Object.entries(input.Tags ?? {})) pool.tags.set(key, value);
      return {};
    },
    UntagResource: (input) => {
      const pool = byArn(input.ResourceArn);
      for (const key of input.TagKeys ?? []) pool.tags.delete(key);
      return {};
    },
    ListTagsForResource: (input) => ({ Tags: Object.fromEntries(byArn(input.ResourceArn).tags) }),
  } satisfies Operations<Sdk>;
}
