import type { DataPlaneRequest, Host } from "../../core/service";
import { customScopes, validity } from "./clients";
import type { Client, Pool, Pools } from "./state";
import { clientToken, issuerOf, signingKey } from "./tokens";

function answer({ response }: DataPlaneRequest, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json;charset=UTF-8", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

/** An error as OAuth 2.0 words it (RFC 6749, section 5.2). */
class OAuthError extends Error {
  constructor(
    readonly code: string,
    readonly description?: string,
    readonly status = 400,
  ) {
    super(code);
  }
}

/** The client and secret that a token request names: in the Authorization header, else in the form. */
function credentials(request: DataPlaneRequest, form: URLSearchParams): { id: string; secret: string | undefined } {
  const header = request.message.headers.authorization;
  if (header === undefined) {
    const id = form.get("client_id");
    if (!id) throw new OAuthError("invalid_request");
    return { id, secret: form.get("client_secret") ?? undefined };
  }
  const basic = /^Basic\s+(\S+)$/i.exec(header);
  const [id = "", secret] = Buffer.from(basic?.[1] ?? "", "base64")
    .toString()
    .split(/:(.*)/s);
  if (!id || (form.has("client_id") && form.get("client_id") !== id)) throw new OAuthError("invalid_client");
  return { id, secret };
}

function grantedScopes(pool: Pool, client: Client, asked: string | null): string[] {
  const allowed = customScopes(pool).filter((scope) => client.AllowedOAuthScopes?.includes(scope));
  const scopes = asked?.split(/\s+/).filter(Boolean) ?? [];
  if (!scopes.length) return allowed;
  if (!scopes.every((scope) => allowed.includes(scope))) throw new OAuthError("invalid_scope");
  return scopes;
}

async function token(host: Host, pool: Pool, request: DataPlaneRequest): Promise<object> {
  if (request.method !== "POST") throw new OAuthError("invalid_request", "Use POST", 405);
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.message.headers["content-type"] ?? "")) {
    throw new OAuthError("invalid_request");
  }
  const form = new URLSearchParams((await request.body(65_536)).toString());
  const grant = form.get("grant_type");
  if (!grant) throw new OAuthError("invalid_request");
  if (grant === "authorization_code" || grant === "refresh_token") {
    const why = `The grant ${grant} is not emulated by Sensorcast; sign in with InitiateAuth.`;
    throw new OAuthError("unsupported_grant_type", why, 501);
  }
  if (grant !== "client_credentials") throw new OAuthError("unsupported_grant_type");
  const { id, secret } = credentials(request, form);
  const client = pool.clients.get(id);
  if (!client || (client.ClientSecret ?? "") !== (secret ?? "")) throw new OAuthError("invalid_client");
  if (!client.AllowedOAuthFlowsUserPoolClient || !client.AllowedOAuthFlows?.includes("client_credentials")) {
    throw new OAuthError("unauthorized_client");
  }
  const scopes = grantedScopes(pool, client, form.get("scope"));
  return {
    access_token: await clientToken(host, pool, client, scopes),
    expires_in: validity(client).access,
    token_type: "Bearer",
  };
}

function openIdConfiguration(host: Host, pool: Pool): object {
  const issuer = issuerOf(host, pool);
  const login = pool.domain && `http://${host.publicHost()}/_aws/cognito-idp/${pool.domain.name}`;
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    ...(login ? { token_endpoint: `${login}/oauth2/token` } : {}),
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "token"],
    scopes_supported: ["openid", "email", "phone", "profile"],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  };
}

async function route(host: Host, pool: Pool, byDomain: boolean, request: DataPlaneRequest): Promise<void> {
  if (!byDomain && request.path === "/.well-known/jwks.json") {
    return answer(request, 200, { keys: [(await signingKey(pool)).jwk] });
  }
  if (!byDomain && request.path === "/.well-known/openid-configuration") {
    return answer(request, 200, openIdConfiguration(host, pool));
  }
  if (byDomain && request.path === "/oauth2/token") return answer(request, 200, await token(host, pool, request));
  if (byDomain && /^\/(oauth2\/|login|logout|signup|saml2\/|forgotPassword|confirm)/.test(request.path)) {
    const message = `${request.path} of a user pool's domain is not emulated by Sensorcast`;
    return answer(request, 501, { error: "not_implemented", error_description: message });
  }
  answer(request, 404, { message: "Not Found" });
}

/** Answers for a pool's issuer (keys, OpenID configuration) and its domain (OAuth 2.0 tokens). */
export async function serve(host: Host, pools: Pools, request: DataPlaneRequest): Promise<void> {
  const pool = pools.find(request.id);
  if (!pool) {
    return answer(request, 404, { message: `No user pool has the id or domain ${request.id}` });
  }
  try {
    await route(host, pool, pool.id !== request.id, request);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    answer(request, error.status, {
      error: error.code,
      ...(error.description ? { error_description: error.description } : {}),
    });
  }
}
