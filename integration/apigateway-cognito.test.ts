import { APIGatewayClient, CreateAuthorizerCommand } from "@aws-sdk/client-api-gateway";
import { CognitoIdentityProviderClient, InitiateAuthCommand } from "@aws-sdk/client-cognito-identity-provider";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { beforeAll, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { makeFunction } from "./harness/functions";
import { outcome, proxyTo, RestApiBuilder } from "./harness/rest-api";
import { makePool, makeUser, password } from "./harness/user-pool";

const emulator = useEmulator();
let url: string;
let pool: Awaited<ReturnType<typeof makePool>>;
let cognito: CognitoIdentityProviderClient;
beforeAll(async () => {
  const client = new APIGatewayClient(settings(emulator.current));
  cognito = new CognitoIdentityProviderClient(settings(emulator.current));
  pool = await makePool(cognito);
  await makeUser(cognito, pool.UserPoolId, "ann", { email: "ann@example.com" });
  const echo = await makeFunction(
    new LambdaClient(settings(emulator.current)),
    "echo",
    "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer) });",
  );
  const api = await RestApiBuilder.create(client, emulator.current);
  const { id: authorizerId } = await client.send(
    new CreateAuthorizerCommand({
      restApiId: api.id,
      name: "pool",
      type: "COGNITO_USER_POOLS",
      providerARNs: [pool.arn],
      identitySource: "method.request.header.Authorization",
    }),
  );
  const method = { authorizationType: "COGNITO_USER_POOLS", authorizerId };
  await api.add("GET /id", { method, integration: proxyTo(echo) });
  const scoped = { ...method, authorizationScopes: ["aws.cognito.signin.user.admin"] };
  await api.add("GET /access", { method: scoped, integration: proxyTo(echo) });
  const other = { ...method, authorizationScopes: ["orders/write"] };
  await api.add("GET /write", { method: other, integration: proxyTo(echo) });
  url = await api.deploy();
});

const signIn = async (of = pool) => {
  const { AuthenticationResult } = await cognito.send(
    new InitiateAuthCommand({
      ClientId: of.ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ann", PASSWORD: password },
    }),
  );
  return { id: AuthenticationResult!.IdToken!, access: AuthenticationResult!.AccessToken! };
};
const get = (path: string, token?: string) =>
  fetch(`${url}${path}`, { headers: token === undefined ? {} : { authorization: token } });
const unauthorized = { status: 401, body: '{"message":"Unauthorized"}', errorType: "UnauthorizedException" };

test("an identity token of the pool is let in, with or without Bearer, and its claims reach the function as text", async () => {
  const { id } = await signIn();
  for (const token of [id, `Bearer ${id}`]) {
    const response = await get("/id", token);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      claims: expect.objectContaining({
        email: "ann@example.com",
        "cognito:username": "ann",
        token_use: "id",
        aud: pool.ClientId,
        exp: expect.stringMatching(/^\d+$/),
      }),
    });
  }
});

test("a method with scopes takes access tokens that have one of them", async () => {
  const { id, access } = await signIn();
  expect((await get("/access", access)).status).toBe(200);
  expect(await outcome(get("/access", id))).toEqual(unauthorized);
  expect(await outcome(get("/write", access))).toEqual({
    status: 403,
    body: '{"message":"Access Denied"}',
    errorType: "AccessDeniedException",
  });
});

test("no token, an unreadable one, a changed one and an access token without scopes give 401", async () => {
  const { id, access } = await signIn();
  const [header, , signature] = id.split(".");
  const claims = JSON.parse(Buffer.from(id.split(".")[1]!, "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...claims, email: "eve@example.com" })).toString("base64url");
  for (const token of [undefined, "abc", `${header}.${changed}.${signature}`, access])
    expect(await outcome(get("/id", token))).toEqual(unauthorized);
});

test("a token of another pool gives 401", async () => {
  const other = await makePool(cognito);
  await makeUser(cognito, other.UserPoolId, "ann");
  expect(await outcome(get("/id", (await signIn(other)).id))).toEqual(unauthorized);
});

test("a token that has expired gives 401", async () => {
  const { id } = await signIn();
  await emulator.current.clock.advance("61 minutes");
  expect(await outcome(get("/id", id))).toEqual({
    status: 401,
    body: '{"message":"The incoming token has expired"}',
    errorType: "UnauthorizedException",
  });
});
