import type { KeyObject } from "node:crypto";
import { accountOf } from "../access-key";
import type { Bus } from "../bus";
import type { Clock } from "../clock";
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

/** Why a signature is not taken: there is none, it is wrong, its header is unreadable, or its key is unknown. */
export type SignatureFault = "missing" | "invalid" | "incomplete" | "unknown";

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
export interface Signer {
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

/** SigV4 signatures hold for five minutes around the clock of the service. */
const skewMs = 300_000;

/** What a service's signatures have of their own. */
export interface SignatureRules {
  /** The service in the credential scope. @default "execute-api" */
  readonly service?: string;
  /** A session token in the query string may have been added after signing, as AWS IoT wants it. @default false */
  readonly isTokenUnsigned?: boolean;
}

/** Verifies version 4 signatures, in the header or in the query string, and says who signed. */
export class SignatureVerifier {
  /** Derived keys by secret and scope: making one costs more than all else in a small request. */
  private readonly keys = new Map<string, KeyObject>();

  private readonly service: string;
  private readonly isTokenUnsigned: boolean;

  constructor(
    private readonly host: Pick<Host, "bus" | "clock" | "verifySignatures">,
    { service = "execute-api", isTokenUnsigned = false }: SignatureRules = {},
  ) {
    this.service = service;
    this.isTokenUnsigned = isTokenUnsigned;
  }

  /**
   * AWS_IAM: who signed the request; where the emulator checks no signatures, who the request says that it is from.
   *
   * Not emulated: whether the signer's own policies allow the call. Every known signer is let in.
   *
   * @param owner the account of what is called: without checks, its root is whoever names no known key.
   * @throws SignatureProblem
   */
  async verify(request: SignedRequest, owner: string): Promise<Signer> {
    if (!this.host.verifySignatures) return this.claimed(request, owner);
    const signed = fromHeader(request, this.service) ?? fromQuery(request, this.service);
    if (!signed) throw new SignatureProblem("missing", "Missing Authentication Token");
    const signer = await secretOf(signed.accessKeyId, this.host.bus);
    if (!signer || (signer.sessionToken !== undefined && signer.sessionToken !== signed.sessionToken))
      throw new SignatureProblem("unknown", "The security token included in the request is invalid.");
    checkTime(signed, this.host.clock);

    const payload = header(request, "x-amz-content-sha256");
    const payloadHash = payload === "UNSIGNED-PAYLOAD" ? payload : sha256(request.body);
    if (payload !== undefined && payload !== payloadHash)
      throw new SignatureProblem(
        "invalid",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    const { method, path, query, headers } = request;
    const parts = { method, path, query, headers, signedHeaders: signed.signedHeaders, payloadHash };
    const key = this.key(signer.secretAccessKey, signed.scope);
    const toSign = (canonical: string) => stringToSign(signed.time, signed.scope, canonical);
    const agrees = (canonical: string) => sameSignature(signature(key, toSign(canonical)), signed.signature);
    const withoutToken = query.replace(/(^|&)X-Amz-Security-Token=[^&]*/, "");
    const canonical = canonicalRequest(
      this.isTokenUnsigned && agrees(canonicalRequest({ ...parts, query: withoutToken }, true))
        ? { ...parts, query: withoutToken }
        : parts,
      true,
    );
    // Some clients encode the path once only, as for S3; both are one request.
    if (!agrees(canonical) && !agrees(canonicalRequest(parts, false)))
      throw new SignatureProblem(
        "invalid",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
          `The Canonical String for this request should have been\n'${canonical}'\n\nThe String-to-Sign should have been\n'${toSign(canonical)}'\n`,
      );
    return described(signed.accessKeyId, signer);
  }

  private async claimed(request: SignedRequest, owner: string): Promise<Signer> {
    const credential =
      /Credential=([^/,\s]+)/.exec(header(request, "authorization") ?? "")?.[1] ??
      new URLSearchParams(request.query).get("X-Amz-Credential")?.split("/")[0];
    const known = credential === undefined ? undefined : await secretOf(credential, this.host.bus);
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

async function secretOf(accessKeyId: string, bus: Bus) {
  const known = await (bus.ready("sts") ?? (await bus.to("sts"))).secretFor(accessKeyId);
  if (known) return known;
  // The keys that need no set-up: `test`, or a bare account id, with the secret "test".
  if (accessKeyId !== "test" && !/^\d{12}$/.test(accessKeyId)) return undefined;
  return { secretAccessKey: "test", sessionToken: undefined, ...rootOf(accountOf(accessKeyId) ?? "000000000000") };
}

const rootOf = (account: string) => ({ account, arn: `arn:aws:iam::${account}:root`, userId: account });

const described = (
  accessKey: string,
  { account, arn, userId }: { account: string; arn: string; userId: string },
): Signer => ({ accessKey, accountId: account, caller: userId, user: userId, userArn: arn });

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

/**
 * A caller signs a header by the time of this machine, also after a test has moved the emulator's clock: either time
 * will do. A signature in the query string says itself when it ends, and ends by the emulator's clock.
 */
function checkTime({ time, scope, expires }: Signed, clock: Clock): void {
  const invalid = (message: string) => new SignatureProblem("invalid", message);
  const signedAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!Number.isFinite(signedAt) || !time.startsWith(scope.date))
    throw invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  const nearest =
    Math.abs(clock.callersNow() - signedAt) < Math.abs(clock.now() - signedAt) ? clock.callersNow() : clock.now();
  const now = expires === undefined ? nearest : clock.now();
  const nowText = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  // Seconds, seven days at most (IAM user guide, "Authenticating requests: using query parameters").
  if (expires !== undefined && !(expires >= 1 && expires <= 604_800))
    throw invalid("X-Amz-Expires must be a number between 1 and 604800 seconds");
  const until = signedAt + (expires === undefined ? skewMs : expires * 1000);
  if (now > until) throw invalid(`Signature expired: ${time} is now earlier than ${nowText}`);
  if (signedAt > now + skewMs) throw invalid(`Signature not yet current: ${time} is still later than ${nowText}`);
}

const compactDate = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(time) ? new Date(time).toISOString().replace(/[-:]|\.\d+/g, "") : undefined;
};
