import { JwtVerifier } from "aws-jwt-verify";
import { FetchError } from "aws-jwt-verify/error";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { type Principal, toPrincipal } from "../authorizer";
import { matchesSecret } from "../shared-secret";
import { DEVICES_FACT, offeredProtocols, tokenOf } from "./event";
import { ALL, isDeviceName } from "./rows";

/** Who a client is, once it is let in, and what it may see. */
export interface LivePrincipal extends Principal {
  /** The devices that it may subscribe to; an empty array for none. @default all of them, as with `["*"]` */
  devices?: readonly string[];
}

/** The part of API Gateway's authorizer event that is of use to a callback. */
export interface ConnectEvent {
  methodArn: string;
  headers: Record<string, string | undefined> | null;
  queryStringParameters: Record<string, string | undefined> | null;
  requestContext: { requestId: string; connectionId?: string; identity?: { sourceIp?: string } };
}

/**
 * Decides who may connect. Return a principal to let the client in, nothing to refuse it (403). Throw
 * `new Error("Unauthorized")` to answer 401; any other error answers 500, as does a principal that is none: one without
 * an `id`, with `devices` that are no array of names, or larger than API Gateway's 8 KB.
 */
export type AuthorizeConnection = (
  token: string,
  event: ConnectEvent,
) => LivePrincipal | null | undefined | Promise<LivePrincipal | null | undefined>;

/** What tokens of an OpenID Connect issuer must say. */
export interface JwtRules {
  /** Who issued them: their claim `iss`. */
  issuer: string;
  /** Whom they are for: their claim `aud`. */
  audience: string | string[];
  /** Where the issuer's keys are. @default `/.well-known/jwks.json` below the issuer */
  jwksUri?: string;
  /**
   * The claim with the array of devices that the client may see, `["*"]` for all of them; a token without it sees none.
   * @default none is looked at: every client sees all devices
   */
  devicesClaim?: string;
}

/** The names of the variables of authorizers. */
export interface AuthorizerVariables {
  WEBSOCKET_SINGLE_TOKEN: string;
  /** JSON of {@link JwtRules}. */
  WEBSOCKET_JWT: string;
  /** SHA-256 of the shared token, in hexadecimal: the function's settings do not tell the token. */
  WEBSOCKET_TOKEN_HASH: string;
}

/** A REQUEST authorizer for `$connect` around a callback. The token comes as a subprotocol. */
export const authorizeConnections =
  ({ makeAuthorize }: { makeAuthorize: () => AuthorizeConnection }) =>
  () => {
    const authorize = makeAuthorize();
    const single = process.env.WEBSOCKET_SINGLE_TOKEN === "yes";
    return async (event: ConnectEvent) => {
      const token = tokenOf(offeredProtocols(event), single);
      if (!token) throw new Error("Unauthorized");
      const principal = toPrincipal(await authorize(token, event));
      if (principal) checkDevices(principal);
      const Statement = [
        { Action: "execute-api:Invoke", Effect: principal ? "Allow" : "Deny", Resource: event.methodArn },
      ];
      const limit = principal?.devices?.includes(ALL) ? undefined : principal?.devices;
      const devices = limit && { [DEVICES_FACT]: JSON.stringify(limit) };
      const answer = {
        principalId: principal?.id ?? "refused",
        policyDocument: { Version: "2012-10-17", Statement },
        // Facts are text, numbers and truth values only (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html).
        ...((principal?.context || devices) && { context: { ...principal?.context, ...devices } }),
      };
      const bytes = Buffer.byteLength(JSON.stringify(answer));
      if (bytes > MAX_ANSWER_BYTES) {
        throw new Error(`the principal with its devices takes ${bytes} bytes; API Gateway takes ${MAX_ANSWER_BYTES}`);
      }
      return answer;
    };
  };

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html */
const MAX_ANSWER_BYTES = 8 * 1024;

/** What is not understood lets nobody in: a limit that is misread would be none. */
function checkDevices({ devices }: LivePrincipal): void {
  if (devices === undefined || (Array.isArray(devices) && devices.every(isDeviceName))) return;
  throw new Error("the principal's devices must be an array of device names of 1 to 1,000 bytes, or undefined for all");
}

/** Lets in who has the one shared token. */
export const sharedToken = (): AuthorizeConnection => {
  const sha256 = process.env.WEBSOCKET_TOKEN_HASH ?? "";
  return (token) => (matchesSecret(token, sha256) ? { id: "token" } : undefined);
};

/** Lets in who has a valid token of an OpenID Connect issuer; others are answered by 401. */
export const jwt = (): AuthorizeConnection => {
  const { issuer, audience, jwksUri, devicesClaim } = JSON.parse(process.env.WEBSOCKET_JWT ?? "{}") as JwtRules;
  // The library's own fetcher knows https only, which a local issuer need not speak.
  const fetcher = { fetch: fetchBytes };
  const verifier = JwtVerifier.create(
    { issuer, audience, ...(jwksUri && { jwksUri }) },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  return async (token) => {
    const claims = await verifier.verify(token).catch((error: unknown) => {
      // Keys that cannot be fetched are no fault of the client's.
      if (error instanceof FetchError) throw error;
      throw new Error("Unauthorized");
    });
    // The library checks when a token ends only where it says so; one that never does could not be taken back.
    if (claims.exp === undefined) throw new Error("Unauthorized");
    const id = String(claims.sub || "jwt");
    if (devicesClaim === undefined) return { id };
    const devices: unknown = Object.hasOwn(claims, devicesClaim) ? claims[devicesClaim] : [];
    if (!Array.isArray(devices) || !devices.every(isDeviceName)) throw new Error("Unauthorized");
    return { id, devices };
  };
};

async function fetchBytes(uri: string): Promise<ArrayBuffer> {
  try {
    const answer = await fetch(uri, { signal: AbortSignal.timeout(3_000) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    return await answer.arrayBuffer();
  } catch (error) {
    throw new FetchError(uri, error);
  }
}
