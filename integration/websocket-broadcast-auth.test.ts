import { createHash, createHmac } from "node:crypto";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AdminCreateUserCommand,
  AdminInitiateAuthCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
} from "@aws-sdk/client-cognito-identity-provider";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, test, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { handshake, openSocket } from "./harness/sockets";

interface Outputs {
  callbackUrl: string;
  callbackQueueUrl: string;
  fixedUrl: string;
  fixedToken: string;
  iamUrl: string;
  invokeArn: string;
  jwtUrl: string;
  userPoolId: string;
  clientId: string;
  logs: string[];
}

const deployed = useDeployed<Outputs>("websocket-doors", ({ endpoint }) => ({
  issuers: endpoint.replace("127.0.0.1", "localhost"),
}));
const MARKER = "sensorcast.v1";

describe("a callback", () => {
  test("refuses a wrong token before the socket opens, and who has none", async () => {
    const { callbackUrl } = deployed.current.outputs;
    expect(await handshake(callbackUrl, [MARKER, "wrong-token"])).toBe(403);
    expect(await handshake(callbackUrl, [MARKER])).toBe(401);
    expect(await handshake(callbackUrl)).toBe(401);
    expect(await handshake(callbackUrl, [MARKER, "broken"])).toBe(500);
  });

  test("lets in Node's own WebSocket, which writes the header in lower case", async () => {
    const socket = new WebSocket(deployed.current.outputs.callbackUrl, [MARKER, "a-token-of-the-house"]);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("it did not open"));
    });
    expect(socket.protocol).toBe(MARKER);
    socket.close();
  });

  test("lets in who has a right one, and the answer does not hold it", async () => {
    const client = await openSocket(deployed.current.outputs.callbackUrl, [MARKER, "a-token-of-the-house"]);
    expect(client.socket.protocol).toBe(MARKER);
    await client.close();
  });

  test("takes the token alone where that is asked for, as older clients send it, and nowhere else", async () => {
    const { callbackUrl, fixedUrl, fixedToken } = deployed.current.outputs;
    const client = await openSocket(callbackUrl, ["a-token-of-the-house"]);
    expect(await client.ask({ action: "ping" })).toEqual({ type: "pong" });
    await client.close();
    expect(await handshake(fixedUrl, [fixedToken])).toBe(401);
  });

  test("limits a client to its devices, whatever it asks for", async () => {
    const { callbackUrl, callbackQueueUrl } = deployed.current.outputs;
    const limited = await openSocket(`${callbackUrl}?devices=TSPR1,TSPR2`, [MARKER, "limited-token"]);
    expect(await limited.ask({ action: "subscribe", devices: ["*"] })).toEqual({
      type: "subscribed",
      devices: ["TSPR1"],
    });
    expect(await limited.ask({ action: "subscribe", devices: ["TSPR2"] })).toMatchObject({ type: "error" });
    const house = await openSocket(callbackUrl, [MARKER, "a-token-of-the-house"]);
    await house.ask({ action: "subscribe", devices: ["*"] });
    await house.ask({ action: "message", data: "not for visitors" });
    const sqs = new SQSClient(settings(deployed.current.emulator));
    const records = [{ deviceId: "TSPR2" }, { temp: 1 }, { deviceId: "TSPR1" }];
    await sqs.send(new SendMessageCommand({ QueueUrl: callbackQueueUrl, MessageBody: JSON.stringify(records) }));
    sqs.destroy();
    await vi.waitFor(() => expect(house.records).toHaveLength(3), { timeout: 15_000 });
    await vi.waitFor(() => expect(limited.records.map(({ data }) => data)).toEqual([{ deviceId: "TSPR1" }]));
    await Promise.all([limited.close(), house.close()]);
  });
});

test("a token that was chosen lets in, and is a secret of the outputs", async () => {
  const { fixedUrl, fixedToken } = deployed.current.outputs;
  expect(fixedToken).toBe("a-token-that-was-chosen");
  expect(deployed.current.stack.outputs.fixedToken!.secret).toBe(true);
  expect(await handshake(fixedUrl, [MARKER, fixedToken])).toBe(101);
  expect(await handshake(fixedUrl, [MARKER, "a-token-that-was-guessed"])).toBe(403);
});

describe("a JSON Web Token", () => {
  const signIn = async (): Promise<string> => {
    const { emulator, outputs } = deployed.current;
    const cognito = new CognitoIdentityProviderClient(settings(emulator));
    const { userPoolId: UserPoolId, clientId: ClientId } = outputs;
    const [Username, Password] = ["viewer", "Correct-Horse-1"];
    await cognito.send(new AdminCreateUserCommand({ UserPoolId, Username }));
    await cognito.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }));
    const { AuthenticationResult } = await cognito.send(
      new AdminInitiateAuthCommand({
        ...{ UserPoolId, ClientId, AuthFlow: "ADMIN_USER_PASSWORD_AUTH" },
        AuthParameters: { USERNAME: Username, PASSWORD: Password },
      }),
    );
    cognito.destroy();
    return AuthenticationResult!.IdToken!;
  };

  test("lets in while it is valid and unchanged, and for this audience", async () => {
    const { jwtUrl } = deployed.current.outputs;
    const token = await signIn();
    expect(await handshake(jwtUrl, [MARKER, token])).toBe(101);
    const [head, claims, signature] = token.split(".") as [string, string, string];
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), sub: "x" }));
    expect(await handshake(jwtUrl, [MARKER, `${head}.${other.toString("base64url")}.${signature}`])).toBe(401);
    expect(await handshake(jwtUrl, [MARKER, "no-jwt"])).toBe(401);
  });
});

describe("IAM", () => {
  const signed = async (url: string, secretAccessKey: string) => {
    const { hostname, port, pathname, host } = new URL(url);
    const signer = new SignatureV4({
      ...{ service: "execute-api", region: "eu-west-1", sha256: Sha256 },
      credentials: { accessKeyId: "test", secretAccessKey },
      applyChecksum: false,
    });
    const { query = {} } = await signer.presign(
      { method: "GET", protocol: "http:", hostname, port: Number(port), path: pathname, headers: { host }, query: {} },
      { signingDate: new Date(deployed.current.emulator.clock.now()), expiresIn: 60 },
    );
    return `${url}?${new URLSearchParams(query as Record<string, string>)}`;
  };

  test("lets in who signs the URL, and nobody else", async () => {
    const { iamUrl } = deployed.current.outputs;
    expect(await handshake(await signed(iamUrl, "test"))).toBe(101);
    expect(await handshake(iamUrl)).toBe(403);
    expect(await handshake(await signed(iamUrl, "wrong"))).toBe(403);
    expect(deployed.current.outputs.invokeArn).toMatch(/^arn:aws:execute-api:eu-west-1:0{12}:\w+\/live\/\$connect$/);
  });
});

test("no log holds a token", async () => {
  const { logs } = deployed.current.outputs;
  const client = new CloudWatchLogsClient(settings(deployed.current.emulator));
  const read = async () => {
    const found = await Promise.all(
      logs.map((logGroupName) => client.send(new FilterLogEventsCommand({ logGroupName }))),
    );
    return found.flatMap(({ events = [] }) => events.map(({ message }) => message)).join("\n");
  };
  // The handshakes are there, refused and not.
  await expect.poll(read).toContain('"routeKey":"$connect"');
  const text = await read();
  expect(text).not.toMatch(/a-token|wrong-token|limited-token|no-jwt|eyJ/);
  client.destroy();
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
