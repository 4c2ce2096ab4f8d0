import { createHmac, createPublicKey, type JsonWebKey as NodeJwk, verify } from "node:crypto";
import { request } from "node:http";
import {
  AdminAddUserToGroupCommand,
  AdminDisableUserCommand,
  AdminInitiateAuthCommand,
  ChangePasswordCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateResourceServerCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolDomainCommand,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RevokeTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { JwtRsaVerifier } from "aws-jwt-verify";
import type { Jwks } from "aws-jwt-verify/jwk";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";
import { makePool, makeUser, password } from "./harness/user-pool";

const emulator = useEmulator();
let cognito: CognitoIdentityProviderClient;
let pool: Awaited<ReturnType<typeof makePool>>;
beforeAll(async () => {
  cognito = new CognitoIdentityProviderClient(settings(emulator.current));
  pool = await makePool(cognito);
});

const signIn = (USERNAME: string, PASSWORD = password, ClientId = pool.ClientId) =>
  cognito.send(
    new InitiateAuthCommand({ ClientId, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: { USERNAME, PASSWORD } }),
  );
const refresh = (REFRESH_TOKEN: string | undefined, ClientId = pool.ClientId) =>
  cognito.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "REFRESH_TOKEN_AUTH",
      AuthParameters: { REFRESH_TOKEN: REFRESH_TOKEN ?? "" },
    }),
  );
const issuer = () => `http://localhost:${emulator.current.port}/${pool.UserPoolId}`;
const json = async <Body>(response: Response) => (await response.json()) as Body;
const keySet = async () => json<Jwks>(await fetch(`${issuer()}/.well-known/jwks.json`));
const claims = (token: string | undefined) => JSON.parse(Buffer.from(token!.split(".")[1]!, "base64url").toString());

describe("a sign-in with a password", () => {
  it("gives tokens that aws-jwt-verify accepts with the keys that their issuer serves", async () => {
    await makeUser(cognito, pool.UserPoolId, "ann", { email: "ann@example.com", email_verified: "true" });
    const { AuthenticationResult: result } = await signIn("ann");
    const discovery = await json<{ jwks_uri: string }>(await fetch(`${issuer()}/.well-known/openid-configuration`));
    expect(discovery).toMatchObject({ issuer: issuer(), jwks_uri: `${issuer()}/.well-known/jwks.json` });

    const verifier = JwtRsaVerifier.create({ issuer: issuer(), jwksUri: discovery.jwks_uri, audience: null });
    verifier.cacheJwks(await keySet());
    const id = await verifier.verify(result!.IdToken!);
    const access = await verifier.verify(result!.AccessToken!);
    expect(id).toMatchObject({
      aud: pool.ClientId,
      token_use: "id",
      "cognito:username": "ann",
      email: "ann@example.com",
      email_verified: true,
    });
    expect(access).toMatchObject({
      client_id: pool.ClientId,
      token_use: "access",
      username: "ann",
      scope: "aws.cognito.signin.user.admin",
    });
    expect(access.sub).toBe(id.sub);
    expect(access.origin_jti).toBe(id.origin_jti);
    expect(access.exp! - access.iat!).toBe(3600);
    expect(result).toMatchObject({ ExpiresIn: 3600, TokenType: "Bearer" });
  });

  it("is signed with RS256 by the key that its header names; a changed token does not verify", async () => {
    await makeUser(cognito, pool.UserPoolId, "rsa");
    const token = (await signIn("rsa")).AuthenticationResult!.IdToken!;
    const [head, body, signature] = token.split(".") as [string, string, string];
    const { kid, alg } = JSON.parse(Buffer.from(head, "base64url").toString());
    const jwk = (await keySet()).keys.find((key) => key.kid === kid) as NodeJwk;
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const check = (text: string) =>
      verify("RSA-SHA256", Buffer.from(`${head}.${text}`), key, Buffer.from(signature, "base64url"));
    expect([alg, key.asymmetricKeyDetails?.modulusLength]).toEqual(["RS256", 2048]);
    expect(check(body)).toBe(true);
    expect(check(Buffer.from(JSON.stringify({ ...claims(token), sub: "x" })).toString("base64url"))).toBe(false);
  });

  it("names the user's groups, the one with the lowest precedence first, and its role", async () => {
    const { UserPoolId } = pool;
    const RoleArn = "arn:aws:iam::000000000000:role/editors";
    await makeUser(cognito, UserPoolId, "grouped");
    await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName: "readers", Precedence: 5 }));
    await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName: "editors", Precedence: 1, RoleArn }));
    for (const GroupName of ["readers", "editors"]) {
      await cognito.send(new AdminAddUserToGroupCommand({ UserPoolId, GroupName, Username: "grouped" }));
    }
    const { AuthenticationResult: result } = await signIn("grouped");
    expect(claims(result?.AccessToken)["cognito:groups"]).toEqual(["editors", "readers"]);
    expect(claims(result?.IdToken)).toMatchObject({
      "cognito:groups": ["editors", "readers"],
      "cognito:preferred_role": RoleArn,
    });
  });

  it("is refused for a wrong password, and an unknown user looks the same where the client hides who exists", async () => {
    await makeUser(cognito, pool.UserPoolId, "careful");
    const hiding = await cognito.send(
      new CreateUserPoolClientCommand({
        UserPoolId: pool.UserPoolId,
        ClientName: "hiding",
        ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
        PreventUserExistenceErrors: "ENABLED",
      }),
    );
    const wrong = ["NotAuthorizedException", "Incorrect username or password.", 400];
    expect(await refusal(signIn("careful", "Wrong-Horse-1"))).toEqual(wrong);
    expect(await refusal(signIn("nobody"))).toEqual(["UserNotFoundException", "User does not exist.", 400]);
    expect(await refusal(signIn("nobody", password, hiding.UserPoolClient?.ClientId))).toEqual(wrong);
  });

  it("works only in the flows that the client allows", async () => {
    const admin = await makePool(cognito, {}, { ExplicitAuthFlows: ["ALLOW_ADMIN_USER_PASSWORD_AUTH"] });
    await makeUser(cognito, admin.UserPoolId, "root");
    const AuthParameters = { USERNAME: "root", PASSWORD: password };
    expect(await refusal(signIn("root", password, admin.ClientId))).toEqual([
      "InvalidParameterException",
      "USER_PASSWORD_AUTH flow not enabled for this client",
      400,
    ]);
    const { AuthenticationResult } = await cognito.send(
      new AdminInitiateAuthCommand({ ...admin, AuthFlow: "ADMIN_USER_PASSWORD_AUTH", AuthParameters }),
    );
    expect(AuthenticationResult?.AccessToken).toBeTruthy();
    const srp = new InitiateAuthCommand({ ClientId: pool.ClientId, AuthFlow: "USER_SRP_AUTH", AuthParameters });
    expect((await refusal(cognito.send(srp)))[2]).toBe(501);
  });

  it("through a client with a secret needs the right secret hash", async () => {
    const secretive = await makePool(cognito, {}, { GenerateSecret: true });
    await makeUser(cognito, secretive.UserPoolId, "eve");
    const withHash = (SECRET_HASH?: string) =>
      cognito.send(
        new InitiateAuthCommand({
          ClientId: secretive.ClientId,
          AuthFlow: "USER_PASSWORD_AUTH",
          AuthParameters: { USERNAME: "eve", PASSWORD: password, ...(SECRET_HASH ? { SECRET_HASH } : {}) },
        }),
      );
    expect((await refusal(withHash()))[1]).toContain("SECRET_HASH was not received");
    expect((await refusal(withHash("bm8=")))[1]).toBe(`Unable to verify secret hash for client ${secretive.ClientId}`);
    const hash = createHmac("sha256", secretive.secret!).update(`eve${secretive.ClientId}`).digest("base64");
    await expect(withHash(hash)).resolves.toHaveProperty("AuthenticationResult.IdToken");
  });
});

describe("an access token", () => {
  it("speaks for its user until it expires", async () => {
    await makeUser(cognito, pool.UserPoolId, "self", { email: "self@example.com" });
    const AccessToken = (await signIn("self")).AuthenticationResult?.AccessToken;
    const { Username, UserAttributes } = await cognito.send(new GetUserCommand({ AccessToken }));
    expect(Username).toBe("self");
    expect(UserAttributes).toContainEqual({ Name: "email", Value: "self@example.com" });
    await emulator.current.clock.advance("61 minutes");
    expect(await refusal(cognito.send(new GetUserCommand({ AccessToken })))).toEqual([
      "NotAuthorizedException",
      "Access Token has expired",
      400,
    ]);
  });

  it("that was forged, or is an id token, is invalid", async () => {
    await makeUser(cognito, pool.UserPoolId, "forged");
    const { AccessToken, IdToken } = (await signIn("forged")).AuthenticationResult!;
    const [head, body] = AccessToken!.split(".");
    for (const token of [`${head}.${body}.AAAA`, IdToken, "nonsense", "a.b.c"]) {
      const [name, message] = await refusal(cognito.send(new GetUserCommand({ AccessToken: token })));
      expect([name, message]).toEqual(["NotAuthorizedException", "Invalid Access Token"]);
    }
  });

  it("lets its user change the password, knowing the old one", async () => {
    await makeUser(cognito, pool.UserPoolId, "changer");
    const AccessToken = (await signIn("changer")).AuthenticationResult?.AccessToken;
    const change = (PreviousPassword: string, ProposedPassword: string) =>
      cognito.send(new ChangePasswordCommand({ AccessToken, PreviousPassword, ProposedPassword }));
    expect((await refusal(change("Wrong-Horse-1", "New-Horse-22")))[0]).toBe("NotAuthorizedException");
    expect((await refusal(change(password, "short")))[0]).toBe("InvalidPasswordException");
    await change(password, "New-Horse-22");
    await expect(signIn("changer", "New-Horse-22")).resolves.toHaveProperty("AuthenticationResult");
    expect((await refusal(signIn("changer")))[0]).toBe("NotAuthorizedException");
  });
});

describe("a refresh token", () => {
  it("gives new tokens of the same sign-in, and no new refresh token", async () => {
    await makeUser(cognito, pool.UserPoolId, "long");
    const first = (await signIn("long")).AuthenticationResult!;
    await emulator.current.clock.advance("2 hours");
    const again = (await refresh(first.RefreshToken)).AuthenticationResult!;
    expect(again.RefreshToken).toBeUndefined();
    const [before, after] = [claims(first.AccessToken), claims(again.AccessToken)];
    expect(after).toMatchObject({ sub: before.sub, origin_jti: before.origin_jti, auth_time: before.auth_time });
    expect(after.iat).toBeGreaterThanOrEqual(before.iat + 7200);
    await emulator.current.clock.advance("30 days");
    expect((await refusal(refresh(first.RefreshToken)))[1]).toMatch(
      /^(Refresh Token has expired|Invalid Refresh Token)$/,
    );
  });

  it("ends with RevokeToken, together with the access tokens that came from it", async () => {
    await makeUser(cognito, pool.UserPoolId, "revoked");
    const { AccessToken, RefreshToken } = (await signIn("revoked")).AuthenticationResult!;
    const other = (await signIn("revoked")).AuthenticationResult!;
    await cognito.send(new RevokeTokenCommand({ ClientId: pool.ClientId, Token: RefreshToken }));
    expect((await refusal(refresh(RefreshToken)))[1]).toBe("Refresh Token has been revoked");
    expect((await refusal(cognito.send(new GetUserCommand({ AccessToken }))))[1]).toBe("Access Token has been revoked");
    await expect(refresh(other.RefreshToken)).resolves.toHaveProperty("AuthenticationResult.AccessToken");
  });

  it("ends for every sign-in with GlobalSignOut, and when the user is disabled", async () => {
    await makeUser(cognito, pool.UserPoolId, "everywhere");
    const one = (await signIn("everywhere")).AuthenticationResult!;
    const two = (await signIn("everywhere")).AuthenticationResult!;
    await cognito.send(new GlobalSignOutCommand({ AccessToken: one.AccessToken }));
    expect((await refusal(refresh(two.RefreshToken)))[0]).toBe("NotAuthorizedException");
    const three = (await signIn("everywhere")).AuthenticationResult!;
    await cognito.send(new AdminDisableUserCommand({ UserPoolId: pool.UserPoolId, Username: "everywhere" }));
    expect((await refusal(refresh(three.RefreshToken)))[0]).toBe("NotAuthorizedException");
    expect((await refusal(signIn("everywhere")))[1]).toBe("User is disabled.");
  });

  it("is replaced at each use where the client rotates", async () => {
    const rotating = await makePool(
      cognito,
      {},
      {
        ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
        RefreshTokenRotation: { Feature: "ENABLED", RetryGracePeriodSeconds: 0 },
      },
    );
    const { ClientId } = rotating;
    await makeUser(cognito, rotating.UserPoolId, "round");
    const first = (await signIn("round", password, ClientId)).AuthenticationResult!.RefreshToken;
    const use = (RefreshToken: string | undefined) =>
      cognito.send(new GetTokensFromRefreshTokenCommand({ ClientId, RefreshToken }));
    const second = (await use(first)).AuthenticationResult!.RefreshToken;
    expect(second).not.toBe(first);
    expect((await refusal(use(first)))[0]).toBe("NotAuthorizedException");
    await expect(use(second)).resolves.toHaveProperty("AuthenticationResult.AccessToken");
  });
});

describe("the token endpoint of a pool's domain", () => {
  async function machine() {
    const { UserPoolId } = await makePool(cognito);
    const Domain = `machines-${UserPoolId.slice(-9).toLowerCase()}`;
    await cognito.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain }));
    await cognito.send(
      new CreateResourceServerCommand({
        UserPoolId,
        Identifier: "https://ingest",
        Name: "ingest",
        Scopes: [
          { ScopeName: "write", ScopeDescription: "write" },
          { ScopeName: "read", ScopeDescription: "read" },
        ],
      }),
    );
    const { UserPoolClient } = await cognito.send(
      new CreateUserPoolClientCommand({
        UserPoolId,
        ClientName: "sensor",
        GenerateSecret: true,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ["client_credentials"],
        AllowedOAuthScopes: ["https://ingest/write"],
      }),
    );
    const { ClientId: id = "", ClientSecret: secret = "" } = UserPoolClient!;
    const url = `${emulator.current.endpoint}/_aws/cognito-idp/${Domain}/oauth2/token`;
    const ask = async (form: Record<string, string>, headers: Record<string, string> = {}) => {
      const response = await fetch(url, { method: "POST", body: new URLSearchParams(form), headers });
      return { status: response.status, body: await json<{ access_token?: string; error?: string }>(response) };
    };
    return { UserPoolId, Domain, id, secret, ask };
  }
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
  });

  it("gives a machine an access token with the client's scopes, by Basic or form credentials", async () => {
    const { UserPoolId, id, secret, ask } = await machine();
    const byHeader = await ask({ grant_type: "client_credentials" }, basic(id, secret));
    const byForm = await ask({
      grant_type: "client_credentials",
      client_id: id,
      client_secret: secret,
      scope: "https://ingest/write",
    });
    for (const { status, body } of [byHeader, byForm]) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ expires_in: 3600, token_type: "Bearer" });
      expect(claims(body.access_token)).toMatchObject({
        sub: id,
        client_id: id,
        token_use: "access",
        scope: "https://ingest/write",
        iss: `http://localhost:${emulator.current.port}/${UserPoolId}`,
      });
    }
  });

  it("answers under the domain's own host name too", async () => {
    const { Domain, id, secret } = await machine();
    const headers = {
      ...basic(id, secret),
      host: `${Domain}.auth.localhost:${emulator.current.port}`,
      "content-type": "application/x-www-form-urlencoded",
    };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${emulator.current.endpoint}/oauth2/token`, { method: "POST", headers }, (response) =>
        resolve(response.resume().statusCode),
      );
      call.on("error", reject).end("grant_type=client_credentials");
    });
    expect(status).toBe(200);
  });

  it("answers mistakes as OAuth 2.0 words them", async () => {
    const { id, secret, ask } = await machine();
    const grant = { grant_type: "client_credentials" };
    const error = async (...request: Parameters<typeof ask>) => {
      const { status, body } = await ask(...request);
      return [status, body.error];
    };
    expect(await error(grant, basic(id, "wrong"))).toEqual([400, "invalid_client"]);
    expect(await error({ ...grant, scope: "https://ingest/read" }, basic(id, secret))).toEqual([400, "invalid_scope"]);
    expect(await error({}, basic(id, secret))).toEqual([400, "invalid_request"]);
    expect(await error({ grant_type: "password" }, basic(id, secret))).toEqual([400, "unsupported_grant_type"]);
    expect(await error({ grant_type: "authorization_code" }, basic(id, secret))).toEqual([
      501,
      "unsupported_grant_type",
    ]);
  });
});
