import { createHash, createHmac } from "node:crypto";
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, test } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";

interface Outputs {
  keysUrl: string;
  apiKeys: Record<"slow" | "daily" | "free", string>;
  iamUrl: string;
  cognitoUrl: string;
  userPoolId: string;
  clientId: string;
  lambdaUrl: string;
  openUrl: string;
}

const deployed = useDeployed<Outputs>("thingsee-doors");
const body = JSON.stringify([{ tsmId: 12100, tsmEv: 10, tsmTs: 1520416221, tsmTuid: "TSPR04E2O90201558", temp: 21.3 }]);
const stored = { status: 200, body: { status: "ok", accepted: 1, rejected: 0 } };

async function post(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe("API keys", () => {
  const withKey = (key: string) => post(deployed.current.outputs.keysUrl, { "x-api-key": key });

  test("let in who sends one, and nobody else", async () => {
    const { apiKeys, keysUrl } = deployed.current.outputs;
    expect(await withKey(apiKeys.free)).toEqual(stored);
    const forbidden = { status: 403, body: { message: "Forbidden" } };
    expect(await post(keysUrl)).toEqual(forbidden);
    expect(await withKey("not-a-key-of-this-api")).toEqual(forbidden);
  });

  test("are secrets in the outputs, and have the value that was asked for", async () => {
    const { stack, outputs } = deployed.current;
    expect(stack.outputs.apiKeys!.secret).toBe(true);
    expect(outputs.apiKeys.slow).toBe("a-key-of-the-slow-caller");
    expect(outputs.apiKeys.free).toMatch(/^\S{20,128}$/);
  });

  test("slow down their own caller past the throttle, until time has passed, and no other", async () => {
    const { outputs, emulator } = deployed.current;
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await withKey(outputs.apiKeys.slow)).status);
    expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
    expect(statuses.at(-1)).toBe(429);
    expect((await withKey(outputs.apiKeys.free)).status).toBe(200);
    await emulator.clock.advance("5 seconds");
    expect((await withKey(outputs.apiKeys.slow)).status).toBe(200);
  });

  test("stop their caller when the day's quota is spent, until the next day", async () => {
    const { outputs, emulator } = deployed.current;
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await withKey(outputs.apiKeys.daily)).status);
    expect(statuses).toEqual([200, 200, 429]);
    await emulator.clock.advance("1 day");
    expect((await withKey(outputs.apiKeys.daily)).status).toBe(200);
  });
});

describe("IAM", () => {
  const signed = async (url: string, secretAccessKey: string) => {
    const { hostname, port, pathname, host } = new URL(url);
    const signer = new SignatureV4({
      service: "execute-api",
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey },
      applyChecksum: false,
      sha256: Sha256,
    });
    const headers = { host, "content-type": "application/json" };
    const options = { signingDate: new Date(deployed.current.emulator.clock.now()) };
    const request = { method: "POST", protocol: "http:", hostname, port: Number(port), path: pathname, headers, body };
    const { headers: all } = await signer.sign({ ...request, query: {} }, options);
    return post(url, Object.fromEntries(Object.entries(all).filter(([name]) => name !== "host")));
  };

  test("lets in who signs the request", async () => {
    expect(await signed(deployed.current.outputs.iamUrl, "test")).toEqual(stored);
  });

  test("refuses who does not sign, and who signs with another secret", async () => {
    const { iamUrl } = deployed.current.outputs;
    expect(await post(iamUrl)).toEqual({ status: 403, body: { message: "Missing Authentication Token" } });
    expect((await signed(iamUrl, "wrong")).status).toBe(403);
  });
});

describe("Cognito", () => {
  test("lets in who has a token of the pool, and nobody else", async () => {
    const { emulator, outputs } = deployed.current;
    const { userPoolId: UserPoolId, clientId: ClientId, cognitoUrl } = outputs;
    const cognito = new CognitoIdentityProviderClient(settings(emulator));
    const [Username, Password] = ["haltian", "Correct-Horse-1"];
    await cognito.send(new AdminCreateUserCommand({ UserPoolId, Username }));
    await cognito.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }));
    const { AuthenticationResult } = await cognito.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: Username, PASSWORD: Password },
      }),
    );
    cognito.destroy();
    const token = AuthenticationResult!.IdToken!;
    expect(await post(cognitoUrl, { authorization: token })).toEqual(stored);
    const unauthorized = { status: 401, body: { message: "Unauthorized" } };
    expect(await post(cognitoUrl)).toEqual(unauthorized);
    expect(await post(cognitoUrl, { authorization: `${token.slice(0, -8)}AAAAAAAA` })).toEqual(unauthorized);
  });
});

describe("a callback that authorizes", () => {
  const withToken = (token: string) => post(deployed.current.outputs.lambdaUrl, { "x-token": token });

  test("lets in whom it returns a principal for", async () => {
    expect(await withToken("open thingsee")).toEqual(stored);
  });

  test("refuses with 403 whom it returns nothing for", async () => {
    expect((await withToken("let me in")).status).toBe(403);
  });

  test("refuses with 401 who has no token, and whom it throws Unauthorized for", async () => {
    const unauthorized = { status: 401, body: { message: "Unauthorized" } };
    expect(await post(deployed.current.outputs.lambdaUrl)).toEqual(unauthorized);
    expect(await withToken("unknown")).toEqual(unauthorized);
  });

  test("lets nobody in when it fails, or answers what is no principal", async () => {
    expect((await withToken("broken")).status).toBe(500);
    expect((await withToken("yes")).status).toBe(500);
  });
});

test("everyone may post where auth is said to be none, at the path and stage that were asked for", async () => {
  const { openUrl } = deployed.current.outputs;
  expect(openUrl).toMatch(/\/live\/iot\/thingsee$/);
  expect(await post(openUrl)).toEqual(stored);
});

test("other methods and paths are refused as API Gateway does", async () => {
  const { openUrl } = deployed.current.outputs;
  const missing = { message: "Missing Authentication Token" };
  for (const answer of [await fetch(openUrl), await fetch(`${openUrl}/more`, { method: "POST", body })]) {
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual(missing);
  }
});

/** SHA-256, plain or keyed, in the form that the SDK's signer takes. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.hash = createHash("sha256");
    else this.hash = createHmac("sha256", typeof secret === "string" ? secret : Buffer.from(secret as Uint8Array));
  }
  update(data: string | Uint8Array) {
    this.hash.update(data);
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.hash.digest()));
  }
  reset() {}
}
