import { createHash, createHmac } from "node:crypto";
import type { Emulator } from "../../emulator";
import type { Credentials } from "./access";

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The URL of MQTT over WebSocket as AWS's guide tells to sign it: the session token comes behind the signature. */
export function signedMqttUrl(
  emulator: Pick<Emulator, "endpoint">,
  credentials: Credentials,
  { region = "eu-west-1", time = new Date() } = {},
): string {
  const host = new URL(emulator.endpoint).host;
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
