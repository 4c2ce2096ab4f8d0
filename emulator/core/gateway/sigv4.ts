import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";

/** One HTTP request, in the parts that a version 4 signature covers. */
export interface SignedParts {
  readonly method: string;
  /** Still percent-encoded, as on the wire. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}

export interface Scope {
  /** `20261120` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const sha256 = (data: string | Uint8Array) => hash("sha256", data, "hex");
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The canonical request (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 *
 * @param doubleEncode every service but S3 encodes the path a second time.
 */
export function canonicalRequest(parts: SignedParts, doubleEncode: boolean): string {
  const path = doubleEncode ? parts.path.split("/").map(encode).join("/") : parts.path;
  const query = parts.query
    .split("&")
    .filter((pair) => pair && !pair.startsWith("X-Amz-Signature="))
    .map((pair) => {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      return [recode(name), recode(value)] as const;
    })
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const headers = parts.signedHeaders.map(
    (name) =>
      `${name}:${String(parts.headers[name] ?? "")
        .trim()
        .replace(/\s+/g, " ")}\n`,
  );
  return [parts.method, path || "/", query, headers.join(""), parts.signedHeaders.join(";"), parts.payloadHash].join(
    "\n",
  );
}

function recode(text: string): string {
  try {
    return encode(decodeURIComponent(text));
  } catch {
    return encode(text);
  }
}

export const scopeText = ({ date, region, service }: Scope) => `${date}/${region}/${service}/aws4_request`;

export const stringToSign = (time: string, scope: Scope, canonical: string) =>
  ["AWS4-HMAC-SHA256", time, scopeText(scope), sha256(canonical)].join("\n");

/** The key of one day, region and service; as a KeyObject, with which an HMAC takes a sixth of the time. */
export const signingKey = (secret: string, { date, region, service }: Scope): KeyObject =>
  createSecretKey(hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request"));

export const signature = (key: KeyObject, text: string): string => createHmac("sha256", key).update(text).digest("hex");

export const sameSignature = (one: string, other: string) =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** Signs a request that the gateway sends itself, and gives the headers to add. */
export function sign(
  request: { method: string; url: URL; headers: Record<string, string>; body: Uint8Array },
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  { region, service, now }: { region: string; service: string; now: number },
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = { date: time.slice(0, 8), region, service };
  const payloadHash = sha256(request.body);
  const added: Record<string, string> = {
    "x-amz-date": time,
    "x-amz-content-sha256": payloadHash,
    ...(credentials.sessionToken ? { "x-amz-security-token": credentials.sessionToken } : {}),
  };
  const headers: Record<string, string> = { host: request.url.host, ...added };
  const signedHeaders = Object.keys(headers).sort();
  const parts = {
    method: request.method,
    path: request.url.pathname,
    query: request.url.search.slice(1),
    headers,
    signedHeaders,
    payloadHash,
  };
  const text = stringToSign(time, scope, canonicalRequest(parts, service !== "s3"));
  const value = signature(signingKey(credentials.secretAccessKey, scope), text);
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(";")}, Signature=${value}`,
  };
}
