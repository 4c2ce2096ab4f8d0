import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  type CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  type CreateUserPoolClientCommandInput,
  CreateUserPoolCommand,
  type CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";

/** A password that the default policy accepts. */
export const password = "Correct-Horse-1";

/** A user pool with an app client that signs in with passwords. */
export async function makePool(
  cognito: CognitoIdentityProviderClient,
  pool: Partial<CreateUserPoolCommandInput> = {},
  client: Partial<CreateUserPoolClientCommandInput> = {},
) {
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: "people", ...pool }));
  const UserPoolId = UserPool!.Id!;
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: "app",
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
      ...client,
    }),
  );
  return { UserPoolId, arn: UserPool!.Arn!, ClientId: UserPoolClient!.ClientId!, secret: UserPoolClient!.ClientSecret };
}

/** A user that can sign in with {@link password}. */
export async function makeUser(
  cognito: CognitoIdentityProviderClient,
  UserPoolId: string,
  Username: string,
  attributes: Record<string, string> = {},
) {
  const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
  const { User } = await cognito.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes }));
  await cognito.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: password, Permanent: true }));
  return User!;
}
