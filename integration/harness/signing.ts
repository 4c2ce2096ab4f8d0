import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The hash that the SDK's signer wants, on node:crypto. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", Buffer.from(secret as Uint8Array));
  }
  update(data: Uint8Array | string): void {
    this.hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.hash.digest()));
  }
  reset(): void {}
}

/** The headers that sign a request without a body for an API of API Gateway. */
export async function signedHeaders(url: string, credentials: Keys, method = "GET"): Promise<Record<string, string>> {
  const { protocol, hostname, port, pathname, host } = new URL(url);
  const signer = new SignatureV4({ service: "execute-api", region: "eu-west-1", credentials, sha256: Sha256 });
  const request = { method, protocol, hostname, port: Number(port), path: pathname, query: {}, headers: { host } };
  const { host: _, ...headers } = (await signer.sign(request)).headers;
  return headers;
}
