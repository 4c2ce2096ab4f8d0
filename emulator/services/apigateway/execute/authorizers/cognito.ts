import { createPublicKey, verify } from "node:crypto";
import type { JsonWebKey } from "../../../../core/bus";
import type { Host } from "../../../../core/service";
import type { Authorization, Call } from "../call";
import { authorizerMisconfigured, insufficientScope, unauthorized } from "../failures";
import { requestValue } from "../parameters";

interface Token {
  readonly header: { kid?: string; alg?: string };
  readonly claims: Record<string, unknown>;
  readonly signed: string;
  readonly signature: Buffer;
}

/**
 * COGNITO_USER_POOLS: lets in who carries a valid token of one of the authorizer's pools. A method with scopes wants an
 * access token that has one of them, a method without wants an identity token
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html).
 */
export async function verifyToken(call: Call, host: Host): Promise<Authorization> {
  const { authorizer, method } = call.route!;
  const value = requestValue(authorizer!.identitySource ?? "method.request.header.Authorization", call);
  const text = (Array.isArray(value) ? value[0] : value)?.replace(/^Bearer\s+/i, "");
  if (!text) throw unauthorized();
  const expression = authorizer!.identityValidationExpression;
  const token = readToken(text);
  if (!token) throw unauthorized();
  // For user pools the expression is matched against the audience (API reference: Authorizer).
  if (expression && !new RegExp(`^(?:${expression})$`).test(String(token.claims.aud ?? token.claims.client_id ?? "")))
    throw unauthorized();

  if (!(await isSigned(token, authorizer!.providerARNs ?? [], host))) throw unauthorized();
  if (Number(token.claims.exp) * 1000 <= host.clock.now()) throw unauthorized("The incoming token has expired");
  const scopes = method.authorizationScopes ?? [];
  if (token.claims.token_use !== (scopes.length ? "access" : "id")) throw unauthorized();
  if (scopes.length) {
    const given = String(token.claims.scope ?? "").split(" ");
    if (!scopes.some((scope) => given.includes(scope))) throw insufficientScope();
  }
  return { claims: Object.fromEntries(Object.entries(token.claims).map(([name, claim]) => [name, claimText(claim)])) };
}

/** Claims reach the integration as text; lists lose their brackets as on AWS: `admins,users`. */
function claimText(claim: unknown): string {
  if (Array.isArray(claim)) return claim.join(",");
  return typeof claim === "object" ? JSON.stringify(claim) : String(claim);
}

function readToken(text: string): Token | undefined {
  const [header, claims, signature, more] = text.split(".");
  if (!header || !claims || !signature || more !== undefined) return undefined;
  try {
    return {
      header: JSON.parse(Buffer.from(header, "base64url").toString()) as Token["header"],
      claims: JSON.parse(Buffer.from(claims, "base64url").toString()) as Token["claims"],
      signed: `${header}.${claims}`,
      signature: Buffer.from(signature, "base64url"),
    };
  } catch {
    return undefined;
  }
}

async function isSigned({ header, claims, signed, signature }: Token, pools: readonly string[], host: Host) {
  if (header.alg !== "RS256") return false;
  const cognito = await host.bus.to("cognito");
  let known = false;
  for (const arn of pools) {
    const set = await cognito.keySet(arn);
    if (!set) continue;
    known = true;
    if (!set.issuers.includes(String(claims.iss))) continue;
    const key = set.keys.find(({ kid }) => kid === header.kid);
    if (key && verify("RSA-SHA256", Buffer.from(signed), createPublicKey({ key: jwk(key), format: "jwk" }), signature))
      return true;
  }
  if (!known) throw authorizerMisconfigured();
  return false;
}

const jwk = ({ kty, n, e }: JsonWebKey) => ({ kty, n, e });
