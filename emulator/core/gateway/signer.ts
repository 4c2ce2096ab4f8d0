import type { KeyObject } from "node:crypto";
import { type Identity, rootOf } from "../access/identity";
import { accountOf } from "../access-key";
import type { SigningIdentity } from "../bus";
import type { Clock } from "../clock";
import { limits } from "../limits";
import type { Host } from "../service";
import {
  canonicalRequest,
  type Scope,
  sameSignature,
  scopeText,
  sha256,
  signature,
  signingKey,
  stringToSign,
} from "./sigv4";

/**
 * Why a signature is not taken: there is none, it is wrong, it is too old or too new, what it signs is not the body, its
 * header is unreadable, or its key is unknown.
 */
export type SignatureFault = "missing" | "invalid" | "skewed" | "content" | "incomplete" | "unknown";

/** A request that nobody known signed; the message is AWS's. */
export class SignatureProblem extends Error {
  constructor(
    readonly fault: SignatureFault,
    message: string,
  ) {
    super(message);
  }
}

/** The signed parts of a request to a gateway. */
export interface SignedRequest {
  readonly method: string;
  /** As on the wire, without the query string. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** Who signed; named as `$context.identity` names it. */
export interface Signer extends Named {
  /** Whose policies decide what the signer may do. */
  readonly identity: Identity;
}

interface Named {
  readonly accessKey: string;
  readonly accountId: string;
  readonly caller: string;
  readonly user: string;
  readonly userArn: string;
}

interface Signed {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly time: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly sessionToken?: string;
  /** Seconds for which a query-string signature holds. */
  readonly expires?: number;
}

/** SigV4 signatures hold for five minutes around the clock of the service; with S3 for fifteen. */
const skewMs = 300_000;
const s3SkewMs = 900_000;

/** What a service's signatures have of their own. */
export interface SignatureRules {
  /** The service in the credential scope. @default "execute-api" */
  readonly service?: string;
  /** A session token in the query string may have been added after signing, as AWS IoT wants it. @default false */
  readonly isTokenUnsigned?: boolean;
  /** The path is encoded once only, and the header says how the body is signed, as S3 has it. @default false */
  readonly isS3?: boolean;
}

/** Verifies version 4 signatures, in the header or in the query string, and says who signed. */
export class SignatureVerifier {
  /** Derived keys by secret and scope: making one costs more than all else in a small request. */
  private readonly keys = new Map<string, KeyObject>();

  private readonly rules: SignatureRules & { readonly service: string };

  constructor(
    private readonly host: Pick<Host, "bus" | "clock" | "verifySignatures">,
    rules: SignatureRules = {},
  ) {
    this.rules = { service: "execute-api", ...rules };
  }

  /**
   * AWS_IAM: who signed the request; where the emulator checks no signatures, who the request says that it is from.
   * What the signer may do is for {@link Host.access} to say.
   *
   * @param owner the account of what is called: without checks, its root is whoever names no known key.
   * @throws SignatureProblem
   */
  async verify(request: SignedRequest, owner: string): Promise<Signer> {
    if (!this.host.verifySignatures) return this.claimed(request, owner);
    const { accessKeyId, identity } = await this.authenticate(request);
    return described(accessKeyId, identity);
  }

  /**
   * Who signed the request.
   *
   * @throws SignatureProblem
   */
  async authenticate(request: SignedRequest): Promise<{ accessKeyId: string; identity: SigningIdentity }> {
    const { service, isS3 = false, isTokenUnsigned = false } = this.rules;
    const signed = fromHeader(request, service) ?? fromQuery(request, service);
    if (!signed) throw new SignatureProblem("missing", "Missing Authentication Token");
    const signer = await signerOf(signed.accessKeyId, this.host.bus);
    if (!signer || (signer.sessionToken !== undefined && signer.sessionToken !== signed.sessionToken))
      throw new SignatureProblem("unknown", "The security token included in the request is invalid.");
    checkTime(signed, this.host.clock, isS3 ? s3SkewMs : skewMs);

    const payloadHash = payloadHashOf(request, isS3, signed.expires !== undefined);
    const { method, path, query, headers } = request;
    const parts = { method, path, query, headers, signedHeaders: signed.signedHeaders, payloadHash };
    const key = this.key(signer.secretAccessKey, signed.scope);
    const toSign = (canonical: string) => stringToSign(signed.time, signed.scope, canonical);
    const agrees = (canonical: string) => sameSignature(signature(key, toSign(canonical)), signed.signature);
    const withoutToken = query.replace(/(^|&)X-Amz-Security-Token=[^&]*/, "");
    const canonical = canonicalRequest(
      isTokenUnsigned && agrees(canonicalRequest({ ...parts, query: withoutToken }, true))
        ? { ...parts, query: withoutToken }
        : parts,
      !isS3,
    );
    // Some clients encode the path once only, as for S3; both are one request.
    if (!agrees(canonical) && !agrees(canonicalRequest(parts, isS3)))
      throw new SignatureProblem(
        "invalid",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
          `The Canonical String for this request should have been\n'${canonical}'\n\nThe String-to-Sign should have been\n'${toSign(canonical)}'\n`,
      );
    return { accessKeyId: signed.accessKeyId, identity: signer };
  }

  private async claimed(request: SignedRequest, owner: string): Promise<Signer> {
    const credential =
      /Credential=([^/,\s]+)/.exec(header(request, "authorization") ?? "")?.[1] ??
      new URLSearchParams(request.query).get("X-Amz-Credential")?.split("/")[0];
    const known = credential === undefined ? undefined : await signerOf(credential, this.host.bus);
    return described(credential ?? "", known ?? rootOf(owner));
  }

  clear(): void {
    this.keys.clear();
  }

  private key(secret: string, scope: Scope): KeyObject {
    const name = `${scopeText(scope)}\n${secret}`;
    let key = this.keys.get(name);
    if (!key) {
      // Sessions come and go; starting over now and then is cheaper than telling old keys from new.
      if (this.keys.size >= 1_000) this.keys.clear();
      key = signingKey(secret, scope);
      this.keys.set(name, key);
    }
    return key;
  }
}

/** The keys that need no set-up: `test`, or a bare account id, with the secret "test". */
export const isBuiltIn = (accessKeyId: string): boolean => accessKeyId === "test" || /^\d{12}$/.test(accessKeyId);

async function signerOf(accessKeyId: string, bus: Host["bus"]): Promise<SigningIdentity | undefined> {
  const known = await (bus.ready("sts") ?? (await bus.to("sts"))).identify(accessKeyId);
  if (known) return known;
  if (!isBuiltIn(accessKeyId)) return undefined;
  return { secretAccessKey: "test", ...rootOf(accountOf(accessKeyId) ?? "000000000000") };
}

const described = (accessKey: string, identity: Identity): Signer => {
  const { account, arn, userId } = identity;
  return { accessKey, accountId: account, caller: userId, user: userId, userArn: arn, identity };
};

/**
 * What stands for the body in the signature: its hash, unless the header says that it is unsigned or signed in parts
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html). The signatures of parts
 * are not checked.
 */
function payloadHashOf(request: SignedRequest, isS3: boolean, isInQuery: boolean): string {
  const said = header(request, "x-amz-content-sha256");
  if (said === "UNSIGNED-PAYLOAD" || (isS3 && (said?.startsWith("STREAMING-") || (!said && isInQuery))))
    return said ?? "UNSIGNED-PAYLOAD";
  const real = sha256(request.body);
  if (isS3 && said !== undefined && said !== real)
    throw new SignatureProblem(
      "content",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  return real;
}

function header({ headers }: SignedRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

const incomplete = (message: string) => new SignatureProblem("incomplete", message);

function fromHeader(request: SignedRequest, service: string): Signed | undefined {
  const text = header(request, "authorization");
  if (!text) return undefined;
  if (!text.startsWith("AWS4-HMAC-SHA256")) {
    // API Gateway reads any other scheme as a broken signature and repeats it.
    throw incomplete(
      `Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=${text}`,
    );
  }
  const part = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(text)?.[1];
  const [credential, signedHeaders, value] = [part("Credential"), part("SignedHeaders"), part("Signature")];
  const time = header(request, "x-amz-date") ?? compactDate(header(request, "date"));
  const missing = [
    credential ? "" : "Authorization header requires 'Credential' parameter. ",
    value ? "" : "Authorization header requires 'Signature' parameter. ",
    signedHeaders ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
    time ? "" : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
  ].join("");
  if (missing) throw incomplete(`${missing}Authorization=${text}`);
  return {
    ...readCredential(credential!, service),
    time: time!,
    signedHeaders: signedHeaders!.toLowerCase().split(";"),
    signature: value!,
    sessionToken: header(request, "x-amz-security-token"),
  };
}

function fromQuery({ query }: SignedRequest, service: string): Signed | undefined {
  if (!query.includes("X-Amz-Signature=")) return undefined;
  const values = new URLSearchParams(query);
  const [credential, value] = [values.get("X-Amz-Credential"), values.get("X-Amz-Signature")];
  if (!credential || !value) return undefined;
  return {
    ...readCredential(credential, service),
    time: values.get("X-Amz-Date") ?? "",
    signedHeaders: (values.get("X-Amz-SignedHeaders") ?? "host").toLowerCase().split(";"),
    signature: value,
    sessionToken: values.get("X-Amz-Security-Token") ?? undefined,
    expires: Number(values.get("X-Amz-Expires") ?? 300),
  };
}

function readCredential(text: string, wanted: string): { accessKeyId: string; scope: Scope } {
  const [accessKeyId = "", date = "", region = "", service = "", end] = text.split("/");
  if (end !== "aws4_request")
    throw incomplete(
      "Credential must have five slash-separated elements, for example ACCESS_KEY/DATE/REGION/SERVICE/aws4_request",
    );
  if (service !== wanted)
    throw new SignatureProblem("invalid", `Credential should be scoped to correct service: '${wanted}'. `);
  return { accessKeyId, scope: { date, region, service } };
}

/** Reads a time as signatures have it: `20260131T120000Z`. */
export const parseCompactDate = (time: string): number =>
  Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

/**
 * A caller signs a header by the time of this machine, also after a test has moved the emulator's clock: either time
 * will do. A signature in the query string says itself when it ends, and ends by the emulator's clock.
 */
function checkTime({ time, scope, expires }: Signed, clock: Clock, skewMs: number): void {
  const invalid = (message: string) => new SignatureProblem("invalid", message);
  const skewed = (message: string) => new SignatureProblem("skewed", message);
  const signedAt = parseCompactDate(time);
  if (!Number.isFinite(signedAt) || !time.startsWith(scope.date))
    throw invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  const now = expires === undefined ? clock.asSeenBy(signedAt) : clock.now();
  const text = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
  // Seconds, seven days at most (IAM user guide, "Authenticating requests: using query parameters").
  if (expires !== undefined && !(expires >= 1 && expires <= limits.s3.presigned.value))
    throw invalid("X-Amz-Expires must be a number between 1 and 604800 seconds");
  const life = expires === undefined ? skewMs : expires * 1000;
  const told = (direction: 1 | -1, ms: number) =>
    `${text(now + direction * ms)} (${text(now)} ${direction < 0 ? "-" : "+"} ${ms / 60_000} min.)`;
  if (now > signedAt + life) throw skewed(`Signature expired: ${time} is now earlier than ${told(-1, life)}`);
  if (signedAt > now + skewMs)
    throw skewed(`Signature not yet current: ${time} is still later than ${told(1, skewMs)}`);
}

const compactDate = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(time) ? new Date(time).toISOString().replace(/[-:]|\.\d+/g, "") : undefined;
};
