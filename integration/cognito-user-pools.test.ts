import {
  AdminConfirmSignUpCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  DeleteUserPoolCommand,
  DeleteUserPoolDomainCommand,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  DescribeUserPoolDomainCommand,
  GetUserPoolMfaConfigCommand,
  InitiateAuthCommand,
  ListUserPoolsCommand,
  ListUsersCommand,
  RespondToAuthChallengeCommand,
  SetUserPoolMfaConfigCommand,
  SignUpCommand,
  UpdateUserPoolClientCommand,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";
import { makePool, makeUser, password } from "./harness/user-pool";

const emulator = useEmulator();
let cognito: CognitoIdentityProviderClient;
beforeAll(() => {
  cognito = new CognitoIdentityProviderClient(settings(emulator.current));
});
const signIn = (ClientId: string, USERNAME: string, PASSWORD = password) =>
  cognito.send(
    new InitiateAuthCommand({ ClientId, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: { USERNAME, PASSWORD } }),
  );

describe("a user pool", () => {
  it("is described with what it was made with and AWS's defaults for the rest", async () => {
    const { UserPool: made } = await cognito.send(
      new CreateUserPoolCommand({
        PoolName: "people",
        AutoVerifiedAttributes: ["email"],
        Schema: [
          { Name: "email", AttributeDataType: "String", Required: true },
          { Name: "plant", AttributeDataType: "String" },
        ],
        UserPoolTags: { stage: "test" },
      }),
    );
    const { UserPool: pool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId: made?.Id }));
    expect(made?.Id).toMatch(/^eu-west-1_[0-9A-Za-z]{9}$/);
    expect(pool).toMatchObject({
      Arn: `arn:aws:cognito-idp:eu-west-1:000000000000:userpool/${made?.Id}`,
      Name: "people",
      AutoVerifiedAttributes: ["email"],
      MfaConfiguration: "OFF",
      DeletionProtection: "INACTIVE",
      UserPoolTags: { stage: "test" },
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: false },
      Policies: { PasswordPolicy: { MinimumLength: 8, RequireSymbols: true, TemporaryPasswordValidityDays: 7 } },
    });
    const names = pool?.SchemaAttributes?.map(({ Name }) => Name);
    expect(names).toEqual(expect.arrayContaining(["sub", "phone_number", "custom:plant"]));
    expect(pool?.SchemaAttributes?.find(({ Name }) => Name === "email")?.Required).toBe(true);
  });

  it("goes back to defaults for what an update leaves out", async () => {
    const { UserPoolId } = await makePool(cognito, {
      Policies: { PasswordPolicy: { MinimumLength: 20 } },
      EmailVerificationSubject: "Hello",
    });
    await cognito.send(new UpdateUserPoolCommand({ UserPoolId, DeletionProtection: "ACTIVE" }));
    const { UserPool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId }));
    expect(UserPool).toMatchObject({ DeletionProtection: "ACTIVE", Name: "people" });
    expect(UserPool?.Policies?.PasswordPolicy?.MinimumLength).toBe(8);
    expect(UserPool?.EmailVerificationSubject).toBeUndefined();
  });

  it("is deleted only without protection and without domain", async () => {
    const { UserPoolId } = await makePool(cognito, { DeletionProtection: "ACTIVE" });
    const remove = () => cognito.send(new DeleteUserPoolCommand({ UserPoolId }));
    expect((await refusal(remove()))[1]).toContain("deletion protection is activated");
    await cognito.send(new UpdateUserPoolCommand({ UserPoolId, DeletionProtection: "INACTIVE" }));
    await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: "leaving" }));
    expect((await refusal(remove()))[1]).toContain("has a domain configured");
    const described = await cognito.send(new DescribeUserPoolDomainCommand({ Domain: "leaving" }));
    expect(described.DomainDescription).toMatchObject({ UserPoolId, Status: "ACTIVE" });
    await cognito.send(new DeleteUserPoolDomainCommand({ UserPoolId, Domain: "leaving" }));
    await remove();
    expect(await refusal(cognito.send(new DescribeUserPoolCommand({ UserPoolId })))).toEqual([
      "ResourceNotFoundException",
      `User pool ${UserPoolId} does not exist.`,
      400,
    ]);
    const gone = await cognito.send(new DescribeUserPoolDomainCommand({ Domain: "leaving" }));
    expect(gone.DomainDescription).toEqual({});
  });

  it("shares its domain with no other pool", async () => {
    const [one, two] = [await makePool(cognito), await makePool(cognito)];
    await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId: one.UserPoolId, Domain: "taken" }));
    const again = new CreateUserPoolDomainCommand({ UserPoolId: two.UserPoolId, Domain: "taken" });
    expect(await refusal(cognito.send(again))).toEqual([
      "InvalidParameterException",
      "Domain already associated with another user pool.",
      400,
    ]);
  });

  it("lives in one account and one region", async () => {
    const { UserPoolId } = await makePool(cognito);
    const elsewhere = new CognitoIdentityProviderClient(settings(emulator.current, { region: "us-west-2" }));
    const other = new CognitoIdentityProviderClient(settings(emulator.current, { accessKeyId: "999988887777" }));
    for (const client of [elsewhere, other]) {
      expect((await client.send(new ListUserPoolsCommand({ MaxResults: 60 }))).UserPools).toEqual([]);
      expect((await refusal(client.send(new DescribeUserPoolCommand({ UserPoolId }))))[0]).toBe(
        "ResourceNotFoundException",
      );
    }
  });

  it("keeps its MFA settings, and refuses a sign-in that would need a second factor", async () => {
    const { UserPoolId, ClientId } = await makePool(cognito);
    await makeUser(cognito, UserPoolId, "mfa");
    expect((await cognito.send(new GetUserPoolMfaConfigCommand({ UserPoolId }))).MfaConfiguration).toBe("OFF");
    await cognito.send(
      new SetUserPoolMfaConfigCommand({
        UserPoolId,
        MfaConfiguration: "ON",
        SoftwareTokenMfaConfiguration: { Enabled: true },
      }),
    );
    expect(await cognito.send(new GetUserPoolMfaConfigCommand({ UserPoolId }))).toMatchObject({
      MfaConfiguration: "ON",
      SoftwareTokenMfaConfiguration: { Enabled: true },
    });
    expect((await refusal(signIn(ClientId, "mfa")))[2]).toBe(501);
  });

  it("with Lambda triggers is refused as not emulated, and nothing is made", async () => {
    const PreSignUp = "arn:aws:lambda:eu-west-1:000000000000:function:check";
    const call = cognito.send(new CreateUserPoolCommand({ PoolName: "triggered", LambdaConfig: { PreSignUp } }));
    expect((await refusal(call))[2]).toBe(501);
    const { UserPools } = await cognito.send(new ListUserPoolsCommand({ MaxResults: 60 }));
    expect(UserPools?.some(({ Name }) => Name === "triggered")).toBe(false);
  });
});

describe("an app client", () => {
  it("has a secret only where one was asked for, and keeps it when it is updated", async () => {
    const { UserPoolId, ClientId, secret } = await makePool(cognito, {}, { GenerateSecret: true });
    const open = await makePool(cognito);
    await cognito.send(new UpdateUserPoolClientCommand({ UserPoolId, ClientId, AccessTokenValidity: 2 }));
    const { UserPoolClient } = await cognito.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId }));
    expect(secret).toMatch(/^[0-9a-z]{51}$/);
    expect(UserPoolClient).toMatchObject({ ClientSecret: secret, ClientName: "app", AccessTokenValidity: 2 });
    expect(UserPoolClient?.ExplicitAuthFlows).toBeUndefined();
    expect(open.secret).toBeUndefined();
  });

  it("is refused when its OAuth settings do not fit together", async () => {
    const { UserPoolId } = await makePool(cognito);
    const create = (rest: object) =>
      refusal(cognito.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: "c", ...rest })));
    expect((await create({ AllowedOAuthFlowsUserPoolClient: true }))[1]).toContain("are required");
    expect((await create({ AllowedOAuthFlows: ["client_credentials"] }))[0]).toBe("InvalidOAuthFlowException");
    expect(await create({ AllowedOAuthScopes: ["api/none"] })).toEqual([
      "ScopeDoesNotExistException",
      "Invalid scope requested: api/none",
      400,
    ]);
    expect((await create({ AccessTokenValidity: 25 }))[1]).toBe("Invalid range for token validity.");
  });
});

describe("a user", () => {
  it("that an administrator made must choose a password at the first sign-in", async () => {
    const { UserPoolId, ClientId } = await makePool(cognito);
    const { User } = await cognito.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username: "newcomer",
        TemporaryPassword: "Temporary-1",
        UserAttributes: [{ Name: "email", Value: "new@example.com" }],
      }),
    );
    expect(User?.UserStatus).toBe("FORCE_CHANGE_PASSWORD");
    const challenge = await signIn(ClientId, "newcomer", "Temporary-1");
    expect(challenge.AuthenticationResult).toBeUndefined();
    expect(challenge.ChallengeName).toBe("NEW_PASSWORD_REQUIRED");
    expect(JSON.parse(challenge.ChallengeParameters?.userAttributes ?? "")).toEqual({ email: "new@example.com" });
    const respond = (NEW_PASSWORD: string) =>
      cognito.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: challenge.Session,
          ChallengeResponses: { USERNAME: "newcomer", NEW_PASSWORD, "userAttributes.name": "New Comer" },
        }),
      );
    expect((await refusal(respond("weak")))[0]).toBe("InvalidPasswordException");
    const { AuthenticationResult } = await respond(password);
    expect(AuthenticationResult?.IdToken).toBeTruthy();
    expect((await refusal(respond(password)))[1]).toBe("Invalid session for the user.");
    const shown = await cognito.send(new AdminGetUserCommand({ UserPoolId, Username: "newcomer" }));
    expect(shown).toMatchObject({ UserStatus: "CONFIRMED", Enabled: true });
    expect(shown.UserAttributes).toContainEqual({ Name: "name", Value: "New Comer" });
    expect((await refusal(signIn(ClientId, "newcomer", "Temporary-1")))[0]).toBe("NotAuthorizedException");
  });

  it("cannot use a temporary password after its days, nor a challenge after its minutes", async () => {
    const { UserPoolId, ClientId } = await makePool(cognito);
    const create = new AdminCreateUserCommand({ UserPoolId, Username: "late", TemporaryPassword: "Temporary-1" });
    await cognito.send(create);
    const { Session } = await signIn(ClientId, "late", "Temporary-1");
    await emulator.current.clock.advance("3 minutes");
    const answer = new RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName: "NEW_PASSWORD_REQUIRED",
      Session,
      ChallengeResponses: { USERNAME: "late", NEW_PASSWORD: password },
    });
    expect((await refusal(cognito.send(answer)))[1]).toBe("Invalid session for the user, session is expired.");
    await emulator.current.clock.advance("7 days");
    expect((await refusal(signIn(ClientId, "late", "Temporary-1")))[1]).toBe(
      "Temporary password has expired and must be reset by an administrator.",
    );
  });

  it("needs a password that follows the pool's policy", async () => {
    const { UserPoolId } = await makePool(cognito, {
      Policies: { PasswordPolicy: { MinimumLength: 10, RequireNumbers: true, RequireUppercase: true } },
    });
    await makeUser(cognito, UserPoolId, "picky");
    const set = (Password: string) =>
      cognito.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: "picky", Password, Permanent: true }));
    const why = async (text: string) => (await refusal(set(text)))[1].split(": ")[1];
    expect(await why("Short1")).toBe("Password not long enough");
    expect(await why("longenough1")).toBe("Password must have uppercase characters");
    expect(await why("LONGENOUGH")).toBe("Password must have numeric characters");
    await set("LONGENOUGH1");
  });

  it("signs up by itself, is confirmed, and then signs in", async () => {
    const { UserPoolId, ClientId } = await makePool(cognito);
    const signUp = () => cognito.send(new SignUpCommand({ ClientId, Username: "self", Password: password }));
    const { UserSub, UserConfirmed } = await signUp();
    expect(UserConfirmed).toBe(false);
    expect((await refusal(signUp()))[0]).toBe("UsernameExistsException");
    expect((await refusal(signIn(ClientId, "self")))[0]).toBe("UserNotConfirmedException");
    await cognito.send(new AdminConfirmSignUpCommand({ UserPoolId, Username: "self" }));
    const { AuthenticationResult } = await signIn(ClientId, "self");
    const [, body = ""] = AuthenticationResult?.IdToken?.split(".") ?? [];
    expect(JSON.parse(Buffer.from(body, "base64url").toString()).sub).toBe(UserSub);
  });

  it("signs in with the e-mail address, in any letter case, where the pool says so", async () => {
    const { UserPoolId, ClientId } = await makePool(cognito, { UsernameAttributes: ["email"] });
    const user = await makeUser(cognito, UserPoolId, "Ann@Example.com");
    expect(user.Username).toBe(user.Attributes?.find(({ Name }) => Name === "sub")?.Value);
    await expect(signIn(ClientId, "ann@example.com")).resolves.toHaveProperty("AuthenticationResult.IdToken");
    const create = (Username: string) => cognito.send(new AdminCreateUserCommand({ UserPoolId, Username }));
    expect((await refusal(create("ann@example.com")))[0]).toBe("UsernameExistsException");
    expect((await refusal(create("ann")))[1]).toBe("Username should be an email.");
  });

  it("has only attributes of the pool's schema, and all required ones", async () => {
    const { UserPoolId } = await makePool(cognito, {
      Schema: [
        { Name: "email", AttributeDataType: "String", Required: true },
        { Name: "fixed", AttributeDataType: "String", Mutable: false },
      ],
    });
    const create = (...UserAttributes: { Name: string; Value: string }[]) =>
      cognito.send(new AdminCreateUserCommand({ UserPoolId, Username: "strict", UserAttributes }));
    const email = { Name: "email", Value: "s@example.com" };
    expect((await refusal(create()))[1]).toContain("email: The attribute is required");
    expect((await refusal(create(email, { Name: "custom:none", Value: "1" })))[1]).toContain(
      "custom:none: Attribute does not exist in the schema.",
    );
    await create(email, { Name: "custom:fixed", Value: "1" });
    const change = new AdminUpdateUserAttributesCommand({
      UserPoolId,
      Username: "strict",
      UserAttributes: [{ Name: "custom:fixed", Value: "2" }],
    });
    expect((await refusal(cognito.send(change)))[0]).toBe("InvalidParameterException");
  });

  it("is found by filters and pages, and no more once deleted", async () => {
    const { UserPoolId } = await makePool(cognito);
    for (const name of ["Anna", "Anton", "Berta"]) {
      await makeUser(cognito, UserPoolId, name.toLowerCase(), { given_name: name, email: `${name}@example.com` });
    }
    const find = async (Filter?: string) =>
      (await cognito.send(new ListUsersCommand({ UserPoolId, Filter }))).Users?.map(({ Username }) => Username);
    expect(await find('given_name ^= "an"')).toEqual(["anna", "anton"]);
    expect(await find('email = "berta@example.com"')).toEqual(["berta"]);
    expect(await find('cognito:user_status = "CONFIRMED"')).toHaveLength(3);
    expect((await refusal(find("shoe = 1")))[0]).toBe("InvalidParameterException");
    const first = await cognito.send(new ListUsersCommand({ UserPoolId, Limit: 2 }));
    const rest = await cognito.send(
      new ListUsersCommand({ UserPoolId, Limit: 2, PaginationToken: first.PaginationToken }),
    );
    expect([first.Users?.length, rest.Users?.length, rest.PaginationToken]).toEqual([2, 1, undefined]);
    await cognito.send(new AdminDeleteUserCommand({ UserPoolId, Username: "anna" }));
    expect(await find()).toEqual(["anton", "berta"]);
    expect((await refusal(cognito.send(new AdminGetUserCommand({ UserPoolId, Username: "anna" }))))[0]).toBe(
      "UserNotFoundException",
    );
  });
});
