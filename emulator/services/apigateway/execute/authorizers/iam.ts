import { accountOf } from "../../../../core/access-key";
import type { Host } from "../../../../core/service";
import type { Call, Identity } from "../call";
import { expiredCredentials, incompleteSignature, invalidSignature, missingToken, unknownAccessKey } from "../failures";
import { canonicalRequest, type Scope, sameSignature, sha256, signature, stringToSign } from "../sigv4";

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

/**
 * AWS_IAM: verifies the request's version 4 signature, in the header or in the query string, and says who signed.
 *
 * Not emulated: whether the signer's own policies allow `execute-api:Invoke`. Every known signer is let in.
 */
export async function verifySigner(call: Call, host: Host): Promise<Identity> {
  const signed = fromHeader(call) ?? fromQuery(call);
  if (!signed) throw missingToken();
  const signer = await secretOf(signed.accessKeyId, host);
  if (!signer) throw unknownAccessKey();
  if (signer.sessionToken !== undefined && signer.sessionToken !== signed.sessionToken) throw unknownAccessKey();
  if (signer.expired) throw expiredCredentials();
  checkTime(signed, host.clock.now());

  const { message, query, method } = call.request;
  const payload = call.header("x-amz-content-sha256");
  const bodyHash = sha256(call.body);
  if (payload !== undefined && payload !== bodyHash && payload !== "UNSIGNED-PAYLOAD")
    throw invalidSignature("The provided 'x-amz-content-sha256' header does not match what was computed.");
  const parts = {
    method,
    path: (message.url ?? "/").split("?", 1)[0]!,
    query,
    headers: message.headers as Record<string, string | undefined>,
    signedHeaders: signed.signedHeaders,
    payloadHash: payload ?? bodyHash,
  };
  const canonical = canonicalRequest(parts, true);
  const text = stringToSign(signed.time, signed.scope, canonical);
  // Some clients encode the path once only, as for S3; both are one request.
  const right = [text, stringToSign(signed.time, signed.scope, canonicalRequest(parts, false))].some((candidate) =>
    sameSignature(signature(signer.secretAccessKey, signed.scope, candidate), signed.signature),
  );
  if (!right)
    throw invalidSignature(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
        `The Canonical String for this request should have been\n'${canonical}'\n\nThe String-to-Sign should have been\n'${text}'\n`,
    );
  return {
    accessKey: signed.accessKeyId,
    accountId: signer.account,
    caller: signer.userId,
    user: signer.userId,
    userArn: signer.arn,
  };
}

async function secretOf(accessKeyId: string, host: Host) {
  const known = await (await host.bus.to("sts")).secretFor(accessKeyId);
  if (known) return { ...known, expired: false };
  // The keys that need no set-up: `test`, or a bare account id, with the secret "test".
  if (accessKeyId !== "test" && !/^\d{12}$/.test(accessKeyId)) return undefined;
  const account = accountOf(accessKeyId) ?? "000000000000";
  return {
    secretAccessKey: "test",
    sessionToken: undefined,
    account,
    arn: `arn:aws:iam::${account}:root`,
    userId: account,
    expired: false,
  };
}

function fromHeader(call: Call): Signed | undefined {
  const header = call.header("authorization");
  if (!header) return undefined;
  if (!header.startsWith("AWS4-HMAC-SHA256")) {
    // API Gateway reads any other scheme as a broken signature and repeats it.
    throw incompleteSignature(
      `Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=${header}`,
    );
  }
  const part = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(header)?.[1];
  const [credential, signedHeaders, value] = [part("Credential"), part("SignedHeaders"), part("Signature")];
  const time = call.header("x-amz-date") ?? compactDate(call.header("date"));
  const missing = [
    credential ? "" : "Authorization header requires 'Credential' parameter. ",
    value ? "" : "Authorization header requires 'Signature' parameter. ",
    signedHeaders ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
    time ? "" : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
  ].join("");
  if (missing) throw incompleteSignature(`${missing}Authorization=${header}`);
  return {
    ...readCredential(credential!),
    time: time!,
    signedHeaders: signedHeaders!.toLowerCase().split(";"),
    signature: value!,
    sessionToken: call.header("x-amz-security-token"),
  };
}

function fromQuery(call: Call): Signed | undefined {
  const query = call.queryParameters?.single ?? {};
  const credential = query["X-Amz-Credential"];
  if (!credential || !query["X-Amz-Signature"]) return undefined;
  return {
    ...readCredential(credential),
    time: query["X-Amz-Date"] ?? "",
    signedHeaders: (query["X-Amz-SignedHeaders"] ?? "host").toLowerCase().split(";"),
    signature: query["X-Amz-Signature"],
    sessionToken: query["X-Amz-Security-Token"],
    expires: Number(query["X-Amz-Expires"] ?? 300),
  };
}

function readCredential(text: string): { accessKeyId: string; scope: Scope } {
  const [accessKeyId = "", date = "", region = "", service = "", end] = text.split("/");
  if (end !== "aws4_request")
    throw incompleteSignature(
      "Credential must have five slash-separated elements, for example ACCESS_KEY/DATE/REGION/SERVICE/aws4_request",
    );
  if (service !== "execute-api")
    throw invalidSignature(`Credential should be scoped to correct service: 'execute-api'. `);
  return { accessKeyId, scope: { date, region, service } };
}

function checkTime({ time, scope, expires }: Signed, now: number): void {
  const signedAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!Number.isFinite(signedAt) || !time.startsWith(scope.date))
    throw invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  const nowText = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const until = signedAt + (expires === undefined ? skewMs : expires * 1000);
  if (now > until) throw invalidSignature(`Signature expired: ${time} is now earlier than ${nowText}`);
  if (signedAt > now + skewMs)
    throw invalidSignature(`Signature not yet current: ${time} is still later than ${nowText}`);
}

const compactDate = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(time) ? new Date(time).toISOString().replace(/[-:]|\.\d+/g, "") : undefined;
};
