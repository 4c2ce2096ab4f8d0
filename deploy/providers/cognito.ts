import type {
  AttributeType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  UserPoolClientType,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  ResourceServer,
  ResourceServerArgs,
  User,
  UserArgs,
  UserGroup,
  UserGroupArgs,
  UserInGroup,
  UserInGroupArgs,
  UserPool,
  UserPoolArgs,
  UserPoolClient,
  UserPoolClientArgs,
  UserPoolDomain,
  UserPoolDomainArgs,
} from "@pulumi/aws/cognito";
import { tagMap } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

/** Cognito's members are named as Pulumi's properties, with a capital first letter; these are not. */
const renamed: Record<string, string> = {
  allowedOauthFlows: "AllowedOAuthFlows",
  allowedOauthScopes: "AllowedOAuthScopes",
  allowedOauthFlowsUserPoolClient: "AllowedOAuthFlowsUserPoolClient",
  callbackUrls: "CallbackURLs",
  logoutUrls: "LogoutURLs",
  defaultRedirectUri: "DefaultRedirectURI",
  smsMessage: "SMSMessage",
  kmsKeyId: "KMSKeyID",
};

function toCognito(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCognito);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      renamed[key] ?? key.charAt(0).toUpperCase() + key.slice(1),
      toCognito(member),
    ]),
  );
}

type PoolArgs = PlainArgs<UserPoolArgs>;

/** Settings that have the same shape in Cognito's API. */
const poolSettings = (args: PoolArgs) =>
  toCognito({
    adminCreateUserConfig: args.adminCreateUserConfig,
    autoVerifiedAttributes: args.autoVerifiedAttributes,
    deletionProtection: args.deletionProtection,
    deviceConfiguration: args.deviceConfiguration,
    emailVerificationMessage: args.emailVerificationMessage,
    emailVerificationSubject: args.emailVerificationSubject,
    lambdaConfig: args.lambdaConfig,
    smsAuthenticationMessage: args.smsAuthenticationMessage,
    smsVerificationMessage: args.smsVerificationMessage,
    userAttributeUpdateSettings: args.userAttributeUpdateSettings,
    userPoolAddOns: args.userPoolAddOns,
    userPoolTier: args.userPoolTier,
    verificationMessageTemplate: args.verificationMessageTemplate,
    accountRecoverySetting: args.accountRecoverySetting,
  }) as Partial<CreateUserPoolCommandInput>;

const policies = ({ passwordPolicy, signInPolicy }: PoolArgs): CreateUserPoolCommandInput["Policies"] => {
  if (!passwordPolicy && !signInPolicy) return undefined;
  return toCognito({ passwordPolicy, signInPolicy }) as CreateUserPoolCommandInput["Policies"];
};

const schemas = ({ schemas: list }: PoolArgs): CreateUserPoolCommandInput["Schema"] =>
  list?.map(({ numberAttributeConstraints, stringAttributeConstraints, ...rest }) => ({
    ...(toCognito(rest) as object),
    NumberAttributeConstraints: toCognito(numberAttributeConstraints) as object | undefined,
    StringAttributeConstraints: toCognito(stringAttributeConstraints) as object | undefined,
  }));

async function poolOutputs(id: string, { clients, region }: ProviderContext) {
  const found = await unlessGone(clients.cognito.describeUserPool({ UserPoolId: id }));
  const pool = found?.UserPool;
  return (
    pool && {
      name: pool.Name,
      arn: pool.Arn,
      endpoint: `cognito-idp.${region}.amazonaws.com/${id}`,
      creationDate: pool.CreationDate?.toISOString(),
      lastModifiedDate: pool.LastModifiedDate?.toISOString(),
      domain: pool.Domain ?? "",
      customDomain: pool.CustomDomain ?? "",
      estimatedNumberOfUsers: pool.EstimatedNumberOfUsers ?? 0,
    }
  );
}

const setMfa = (id: string, args: PoolArgs, { clients }: ProviderContext) =>
  clients.cognito.setUserPoolMfaConfig({
    UserPoolId: id,
    MfaConfiguration: (args.mfaConfiguration ?? "OFF") as "OFF",
    SoftwareTokenMfaConfiguration: args.softwareTokenMfaConfiguration && {
      Enabled: args.softwareTokenMfaConfiguration.enabled,
    },
  });

const userPool = resourceType<UserPoolArgs, UserPool>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["aliasAttributes", "usernameAttributes", "usernameConfiguration", "schemas"],
  async create(args, context) {
    const { UserPool: made } = await context.clients.cognito.createUserPool({
      ...poolSettings(args),
      PoolName: args.name,
      Policies: policies(args),
      AliasAttributes: args.aliasAttributes as CreateUserPoolCommandInput["AliasAttributes"],
      UsernameAttributes: args.usernameAttributes as CreateUserPoolCommandInput["UsernameAttributes"],
      UsernameConfiguration: args.usernameConfiguration && {
        CaseSensitive: args.usernameConfiguration.caseSensitive ?? false,
      },
      Schema: schemas(args),
      UserPoolTags: tagMap(context.tags(args.tags)),
    });
    const id = made?.Id ?? "";
    if (args.mfaConfiguration && args.mfaConfiguration !== "OFF") await setMfa(id, args, context);
    return { id };
  },
  read: poolOutputs,
  async update(id, args, old, context) {
    await context.clients.cognito.updateUserPool({
      ...poolSettings(args),
      UserPoolId: id,
      PoolName: args.name,
      Policies: policies(args),
      UserPoolTags: context.tags(args.tags),
    });
    if (old.changed("mfaConfiguration", "softwareTokenMfaConfiguration")) await setMfa(id, args, context);
  },
  async delete(id, _known, { clients }) {
    await clients.cognito.deleteUserPool({ UserPoolId: id });
  },
});

const clientSettings = ({
  name,
  userPoolId,
  generateSecret: _only,
  region: _here,
  ...settings
}: PlainArgs<UserPoolClientArgs>) =>
  ({
    ...(toCognito(settings) as object),
    ClientName: name,
    UserPoolId: userPoolId,
  }) as CreateUserPoolClientCommandInput;

const clientOutputs = (client: UserPoolClientType | undefined) => ({
  name: client?.ClientName,
  clientSecret: client?.ClientSecret ?? "",
  explicitAuthFlows: client?.ExplicitAuthFlows ?? [],
  refreshTokenValidity: client?.RefreshTokenValidity,
  enableTokenRevocation: client?.EnableTokenRevocation,
});

const userPoolClient = resourceType<UserPoolClientArgs, UserPoolClient>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["userPoolId", "generateSecret"],
  secretOutputs: ["clientSecret"],
  async create(args, { clients }) {
    const { UserPoolClient: made } = await clients.cognito.createUserPoolClient({
      ...clientSettings(args),
      GenerateSecret: args.generateSecret,
    });
    return { id: made?.ClientId ?? "", outputs: clientOutputs(made) };
  },
  async read(id, { clients }, known) {
    const UserPoolId = known?.inputs.userPoolId;
    const found = await unlessGone(clients.cognito.describeUserPoolClient({ UserPoolId, ClientId: id }));
    return found && clientOutputs(found.UserPoolClient);
  },
  async update(id, args, _old, { clients }) {
    const changed = await clients.cognito.updateUserPoolClient({ ...clientSettings(args), ClientId: id });
    return clientOutputs(changed.UserPoolClient);
  },
  async delete(id, { inputs }, { clients }) {
    await clients.cognito.deleteUserPoolClient({ UserPoolId: inputs.userPoolId, ClientId: id });
  },
});

const userPoolDomain = resourceType<UserPoolDomainArgs, UserPoolDomain>({
  deleteBeforeReplace: true,
  async create(args, { clients, account }) {
    const made = await clients.cognito.createUserPoolDomain({
      Domain: args.domain,
      UserPoolId: args.userPoolId,
      ManagedLoginVersion: args.managedLoginVersion,
      CustomDomainConfig: args.certificateArn ? { CertificateArn: args.certificateArn } : undefined,
    });
    const cloudfrontDistribution = made.CloudFrontDomain ?? "";
    return { id: args.domain, outputs: { awsAccountId: await account(), cloudfrontDistribution } };
  },
  async delete(id, { inputs }, { clients }) {
    await clients.cognito.deleteUserPoolDomain({ Domain: id, UserPoolId: inputs.userPoolId });
  },
});

const serverFields = (args: PlainArgs<ResourceServerArgs>) => ({
  UserPoolId: args.userPoolId,
  Identifier: args.identifier,
  Name: args.name,
  Scopes: args.scopes?.map(({ scopeName, scopeDescription }) => ({
    ScopeName: scopeName,
    ScopeDescription: scopeDescription,
  })),
});

const serverOutputs = (args: PlainArgs<ResourceServerArgs>) => ({
  scopeIdentifiers: (args.scopes ?? []).map(({ scopeName }) => `${args.identifier}/${scopeName}`),
});

const resourceServer = resourceType<ResourceServerArgs, ResourceServer>({
  autoname: { property: "name", max: 256 },
  replaceOn: ["identifier", "userPoolId"],
  deleteBeforeReplace: true,
  async create(args, { clients }) {
    await clients.cognito.createResourceServer(serverFields(args));
    return { id: `${args.userPoolId}|${args.identifier}`, outputs: serverOutputs(args) };
  },
  async update(_id, args, _old, { clients }) {
    await clients.cognito.updateResourceServer(serverFields(args));
    return serverOutputs(args);
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.cognito.deleteResourceServer({ UserPoolId: inputs.userPoolId, Identifier: inputs.identifier });
  },
});

const attributes = (values: Record<string, string> = {}): AttributeType[] =>
  Object.entries(values).map(([Name, Value]) => ({ Name, Value }));

const user = resourceType<UserArgs, User>({
  replaceOn: ["userPoolId", "username"],
  deleteBeforeReplace: true,
  secretOutputs: ["password", "temporaryPassword"],
  async create(args, { clients }) {
    const key = { UserPoolId: args.userPoolId, Username: args.username };
    const { User: made } = await clients.cognito.adminCreateUser({
      ...key,
      UserAttributes: attributes(args.attributes),
      TemporaryPassword: args.temporaryPassword,
      MessageAction: args.messageAction as "SUPPRESS",
      DesiredDeliveryMediums: args.desiredDeliveryMediums as "EMAIL"[],
      ForceAliasCreation: args.forceAliasCreation,
    });
    if (args.password) {
      await clients.cognito.adminSetUserPassword({ ...key, Password: args.password, Permanent: true });
    }
    if (args.enabled === false) await clients.cognito.adminDisableUser(key);
    return {
      id: `${args.userPoolId}/${args.username}`,
      outputs: {
        sub: made?.Attributes?.find(({ Name }) => Name === "sub")?.Value ?? "",
        status: args.password ? "CONFIRMED" : made?.UserStatus,
        creationDate: made?.UserCreateDate?.toISOString(),
      },
    };
  },
  async update(_id, args, old, { clients }) {
    const key = { UserPoolId: args.userPoolId, Username: args.username };
    if (old.changed("attributes")) {
      const gone = Object.keys(old.inputs.attributes ?? {}).filter((name) => !(name in (args.attributes ?? {})));
      if (gone.length > 0) await clients.cognito.adminDeleteUserAttributes({ ...key, UserAttributeNames: gone });
      await clients.cognito.adminUpdateUserAttributes({ ...key, UserAttributes: attributes(args.attributes) });
    }
    if (old.changed("password") && args.password) {
      await clients.cognito.adminSetUserPassword({ ...key, Password: args.password, Permanent: true });
    }
    if (old.changed("enabled")) {
      if (args.enabled === false) await clients.cognito.adminDisableUser(key);
      else await clients.cognito.adminEnableUser(key);
    }
    return { ...old.outputs, attributes: args.attributes };
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.cognito.adminDeleteUser({ UserPoolId: inputs.userPoolId, Username: inputs.username });
  },
});

const userGroup = resourceType<UserGroupArgs, UserGroup>({
  autoname: { property: "name", max: 128 },
  async create(args, { clients }) {
    await clients.cognito.createGroup({
      GroupName: args.name,
      UserPoolId: args.userPoolId,
      Description: args.description,
      Precedence: args.precedence,
      RoleArn: args.roleArn,
    });
    return { id: `${args.userPoolId}/${args.name}`, outputs: {} };
  },
  async delete(_id, { inputs }, { clients }) {
    await clients.cognito.deleteGroup({ GroupName: inputs.name, UserPoolId: inputs.userPoolId });
  },
});

const userInGroup = resourceType<UserInGroupArgs, UserInGroup>({
  deleteBeforeReplace: true,
  async create({ userPoolId: UserPoolId, username: Username, groupName: GroupName }, { clients }) {
    await clients.cognito.adminAddUserToGroup({ UserPoolId, Username, GroupName });
    return { id: `${UserPoolId}/${GroupName}/${Username}`, outputs: {} };
  },
  async delete(_id, { inputs }, { clients }) {
    const { userPoolId: UserPoolId, username: Username, groupName: GroupName } = inputs;
    await clients.cognito.adminRemoveUserFromGroup({ UserPoolId, Username, GroupName });
  },
});

export const types = {
  "aws:cognito/userPool:UserPool": userPool,
  "aws:cognito/userPoolClient:UserPoolClient": userPoolClient,
  "aws:cognito/userPoolDomain:UserPoolDomain": userPoolDomain,
  "aws:cognito/resourceServer:ResourceServer": resourceServer,
  "aws:cognito/user:User": user,
  "aws:cognito/userGroup:UserGroup": userGroup,
  "aws:cognito/userInGroup:UserInGroup": userInGroup,
};
