import { accountOf, isGeneratedKeyId } from "../access-key";
import type { Address } from "../address";
import { AwsError } from "../errors";
import { type SignatureFault, SignatureProblem, SignatureVerifier } from "../gateway/signer";
import type { ServiceModel } from "../protocols/model";
import type { WireRequest } from "../protocols/wire";
import type { Host } from "../service";
import { anonymous, type Identity, rootOf } from "./identity";

type ApiAddress = Extract<Address, { kind: "api" }>;
type Family = "s3" | "query" | "json" | "rest" | "queryCompatible";

/**
 * Finds out who calls an API. Requests that are signed with a key that IAM or STS made have to be signed rightly. Any
 * other access key, such as `test` or 12 digits, is an administrator of its account, so that nothing has to be set up
 * before the first call; its signature is not looked at.
 */
export class Authenticator {
  private readonly verifiers = new Map<string, SignatureVerifier>();

  constructor(private readonly host: Pick<Host, "bus" | "clock" | "verifySignatures">) {}

  /**
   * @param request with the body as it was sent, aws-chunked framing included.
   * @throws AwsError in the words of the service.
   */
  identify(address: ApiAddress, model: ServiceModel, request: WireRequest): Identity | Promise<Identity> {
    const { accessKeyId } = address;
    if (accessKeyId === "") return anonymous;
    if (!isGeneratedKeyId(accessKeyId)) return rootOf(accountOf(accessKeyId) ?? "000000000000");
    return this.verified(address, familyOf(model), request);
  }

  clear(): void {
    this.verifiers.clear();
  }

  private async verified(address: ApiAddress, family: Family, request: WireRequest): Promise<Identity> {
    const { accessKeyId } = address;
    try {
      if (!this.host.verifySignatures) {
        const identity = await (await this.host.bus.to("sts")).identify(accessKeyId);
        if (!identity) throw new SignatureProblem("unknown", "");
        return identity;
      }
      const service = scopeOf(request);
      let verifier = this.verifiers.get(service);
      if (!verifier) {
        // The request says it, so it may be anything.
        if (this.verifiers.size >= 1_000) this.verifiers.clear();
        verifier = new SignatureVerifier(this.host, { service, isS3: family === "s3" });
        this.verifiers.set(service, verifier);
      }
      const { method, query, headers, body } = request;
      const path = request.url.split("?", 1)[0]!;
      return (await verifier.authenticate({ method, path, query, headers, body })).identity;
    } catch (error) {
      if (error instanceof SignatureProblem) {
        if (family === "s3" && error.fault === "skewed" && isPresigned(request)) throw presignedExpired();
        throw refusals[family][error.fault](error.message);
      }
      if (error instanceof AwsError && error.code === "ExpiredToken") throw expired[family]();
      throw error;
    }
  }
}

const isPresigned = ({ query }: WireRequest) => query.includes("X-Amz-Signature=");

/** The service that the signature itself names: two services may share one signing name. */
const scopeOf = ({ headers, query }: WireRequest): string =>
  /Credential=[^/]*\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "")?.[1] ??
  new URLSearchParams(query).get("X-Amz-Credential")?.split("/")[3] ??
  "";

function familyOf({ protocol, target, queryCompatible }: ServiceModel): Family {
  if (target === "AmazonS3") return "s3";
  if (queryCompatible) return "queryCompatible";
  return protocol === "json" ? "json" : protocol === "query" ? "query" : "rest";
}

const error =
  (code: string, status: number, message?: string) =>
  (said = ""): AwsError =>
    new AwsError(code, message ?? said, status);

const invalidToken = "The security token included in the request is invalid.";
const expiredToken = "The security token included in the request is expired";

type Refuse = (message?: string) => AwsError;

/** Codes and statuses of https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html, by protocol. */
const inJson = (status: number): Record<SignatureFault, Refuse> => ({
  missing: error("MissingAuthenticationTokenException", status),
  invalid: error("InvalidSignatureException", status),
  skewed: error("InvalidSignatureException", status),
  content: error("InvalidSignatureException", status),
  incomplete: error("IncompleteSignatureException", status),
  unknown: error("UnrecognizedClientException", status, invalidToken),
});

const inQuery: Record<SignatureFault, Refuse> = {
  missing: error("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
  invalid: error("SignatureDoesNotMatch", 403),
  skewed: error("SignatureDoesNotMatch", 403),
  content: error("SignatureDoesNotMatch", 403),
  incomplete: error("IncompleteSignature", 400),
  unknown: error("InvalidClientTokenId", 403, invalidToken),
};

/** SQS speaks JSON and keeps the codes and statuses of the query protocol that it had before. */
const both =
  (json: Refuse, query: Refuse): Refuse =>
  (said) => {
    const { code, message, status } = query(said);
    return new AwsError(json(said).code, message, status, { queryCode: code });
  };

const refusals: Record<Family, Record<SignatureFault, Refuse>> = {
  json: inJson(400),
  rest: inJson(403),
  query: inQuery,
  queryCompatible: {
    missing: both(inJson(403).missing, inQuery.missing),
    invalid: both(inJson(403).invalid, inQuery.invalid),
    skewed: both(inJson(403).skewed, inQuery.skewed),
    content: both(inJson(403).content, inQuery.content),
    incomplete: both(inJson(403).incomplete, inQuery.incomplete),
    unknown: both(inJson(403).unknown, inQuery.unknown),
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  s3: {
    missing: error("AccessDenied", 403, "Access Denied"),
    invalid: error(
      "SignatureDoesNotMatch",
      403,
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    skewed: error(
      "RequestTimeTooSkewed",
      403,
      "The difference between the request time and the current time is too large.",
    ),
    content: error("XAmzContentSHA256Mismatch", 400),
    incomplete: error("AuthorizationHeaderMalformed", 400),
    unknown: error("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
  },
};

const expiredInQuery = error("ExpiredToken", 403, expiredToken);

const expired: Record<Family, () => AwsError> = {
  json: error("ExpiredTokenException", 400, expiredToken),
  rest: error("ExpiredTokenException", 403, expiredToken),
  query: expiredInQuery,
  queryCompatible: both(error("ExpiredTokenException", 403, expiredToken), expiredInQuery),
  s3: error("ExpiredToken", 400, "The provided token has expired."),
};

const presignedExpired = error("AccessDenied", 403, "Request has expired");

/** The answer to a call without a signature that nobody has opened to everyone. */
export const unsigned = (model: ServiceModel): AwsError =>
  refusals[familyOf(model)].missing("Missing Authentication Token");

/** The answer to a call that is not allowed, in the code and status of its service. */
export function accessDenied(model: ServiceModel, message: string): AwsError {
  const family = familyOf(model);
  if (model.errors.has("AuthorizationErrorException"))
    return new AwsError("AuthorizationErrorException", message, 403, { queryCode: "AuthorizationError" });
  if (family === "queryCompatible")
    return new AwsError("AccessDeniedException", message, 403, { queryCode: "AccessDenied" });
  // The data plane of AWS IoT does not say what was asked for.
  if (model.errors.has("ForbiddenException") && !model.errors.has("AccessDeniedException"))
    return new AwsError("ForbiddenException", "Forbidden", 403);
  if (family === "s3" || family === "query") return new AwsError("AccessDenied", message, 403);
  return new AwsError("AccessDeniedException", message, family === "json" ? 400 : 403);
}
