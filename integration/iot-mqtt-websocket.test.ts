import { createHash, createHmac } from "node:crypto";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { IClientOptions } from "mqtt";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Devices, inbox } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { trustOf } from "./harness/policies";
import { openSocket } from "./harness/sockets";

const emulator = useEmulator();
let devices: Devices;
beforeAll(() => {
  devices = new Devices(emulator.current);
});
afterAll(() => devices.close());

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}
const known: Credentials = { accessKeyId: "test", secretAccessKey: "test" };

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The URL as AWS's guide tells to sign it: the session token comes behind the signature. */
function signedUrl(credentials: Credentials, { region = "eu-west-1", time = new Date() } = {}): string {
  const host = new URL(emulator.current.endpoint).host;
  const stamp = time.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = stamp.slice(0, 8);
  const scope = `${day}/${region}/iotdevicegateway/aws4_request`;
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${stamp}`,
    "X-Amz-Expires=300",
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = ["GET", "/mqtt", query, `host:${host}\n`, "host", sha256("")].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const parts = [day, region, "iotdevicegateway", "aws4_request"];
  const key = parts.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`);
  const token = credentials.sessionToken ? `&X-Amz-Security-Token=${encodeURIComponent(credentials.sessionToken)}` : "";
  return `ws://${host}/mqtt?${query}&X-Amz-Signature=${hmac(key, toSign).toString("hex")}${token}`;
}

const connect = (url: string, options: IClientOptions = {}) => devices.open(url, options);

test("hands messages between a device with a certificate and a client that signs", async () => {
  const device = await devices.connect(await devices.certificate(), { clientId: "device" });
  const browser = await connect(signedUrl(known), { clientId: "browser" });
  const [toDevice, toBrowser] = [inbox(device), inbox(browser)];
  await device.subscribeAsync("down/#");
  await browser.subscribeAsync("up/#");
  await device.publishAsync("up/1", "hello", { qos: 1 });
  await browser.publishAsync("down/1", "hi", { qos: 1 });
  await vi.waitFor(() => expect([toDevice, toBrowser]).toEqual([[["down/1", "hi"]], [["up/1", "hello"]]]));
});

test("lets a role's session in, whose token is not part of the signature", async () => {
  const iam = new IAMClient(settings(emulator.current));
  const sts = new STSClient(settings(emulator.current));
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: "page", AssumeRolePolicyDocument: trustOf({ AWS: "*" }) }),
  );
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "page" }));
  const session = {
    accessKeyId: made!.AccessKeyId!,
    secretAccessKey: made!.SecretAccessKey!,
    sessionToken: made!.SessionToken!,
  };
  await connect(signedUrl(session), { clientId: "session" });
  await expect(openSocket(signedUrl({ ...session, sessionToken: "other" }), ["mqtt"])).rejects.toThrow("403");
});

test("answers 403 to a wrong secret, an unknown key, an old signature and none", async () => {
  const old = new Date(Date.now() - 3_600_000);
  for (const url of [
    signedUrl({ ...known, secretAccessKey: "wrong" }),
    signedUrl({ ...known, accessKeyId: "AKIAUNKNOWN" }),
    signedUrl(known, { time: old }),
    signedUrl(known).replace(/\?.*/, ""),
  ]) {
    await expect(openSocket(url, ["mqtt"])).rejects.toThrow("403");
  }
});

test("keeps accounts and regions apart", async () => {
  const here = await connect(signedUrl(known), { clientId: "here" });
  const elsewhere = await connect(signedUrl(known, { region: "us-west-2" }), { clientId: "here" });
  const foreign = await connect(signedUrl({ ...known, accessKeyId: "111122223333" }), { clientId: "here" });
  const boxes = [here, elsewhere, foreign].map((client) => inbox(client));
  for (const client of [here, elsewhere, foreign]) await client.subscribeAsync("#");
  for (const client of [here, elsewhere, foreign]) await client.publishAsync("a", "1", { qos: 1 });
  await vi.waitFor(() => expect(boxes.map(({ length }) => length)).toEqual([1, 1, 1]));
});
