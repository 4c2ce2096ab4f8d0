import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AuthorizeConnection, authorizeConnections, jwt, sharedToken } from "../handlers/websocket/authorizer";
import { type Checks, isLater } from "./checks";
import { generatedSecret } from "./generated-secret";
import type { FunctionSettings, InlineFunction } from "./inline-function";
import { makeLambdaAuthorizer } from "./lambda-authorizer";
import type { PolicyStatement } from "./policy";

/**
 * Who may connect:
 * - `"token"`: who has the one token that is generated; `{ token }`: who has this one.
 * - `{ authorize }`: whom a callback lets in, by the token.
 * - `{ jwt }`: who has a valid token of an OpenID Connect issuer, such as a Cognito user pool.
 * - `"iam"`: who signs the URL with AWS credentials that may `execute-api:Invoke`.
 * - `"none"`: everyone. It must be said.
 *
 * A browser cannot send headers with a WebSocket: the token comes as a subprotocol, after the marker that is the one
 * answered: `new WebSocket(url, ["sensorcast.v1", token])`. It has to be made of the characters of a base64url text or a
 * JWT, and is neither answered nor logged.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
 */
export type WebSocketAuth =
  | "token"
  | "iam"
  | "none"
  | { token: pulumi.Input<string> }
  | AuthorizeArgs
  | { jwt: JwtAuthArgs };

export interface AuthorizeArgs {
  /** Decides by the token, and by the rest of the request. It runs in Lambda. */
  authorize: AuthorizeConnection;
  /** Environment variables for the callback. @default none */
  environment?: Record<string, pulumi.Input<string>>;
  /** What the callback may do in AWS. @default nothing */
  statements?: PolicyStatement[];
}

/** Which JSON Web Tokens count. @see https://github.com/awslabs/aws-jwt-verify */
export interface JwtAuthArgs {
  /** Who issues them, such as `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc`. */
  issuer: pulumi.Input<string>;
  /** Whom they are for: the claim `aud`, which is the client's id in a Cognito identity token. */
  audience: pulumi.Input<string> | pulumi.Input<string>[];
  /** Where the issuer's keys are. @default `/.well-known/jwks.json` below the issuer */
  jwksUri?: pulumi.Input<string>;
  /**
   * A claim with the array of the devices that the client may see, `["*"]` for all; a token without it sees none.
   * @default none is looked at: every client sees all devices
   */
  devicesClaim?: pulumi.Input<string>;
}

/** What the `$connect` route needs to know. */
export interface ConnectAuth {
  readonly route: Pick<aws.apigatewayv2.RouteArgs, "authorizationType" | "authorizerId">;
  /** The shared token, if there is one; a secret. */
  readonly token?: pulumi.Output<string>;
  readonly authorizer?: aws.apigatewayv2.Authorizer;
  readonly authorizerFunction?: InlineFunction;
  /** What must be there before the API is deployed. */
  readonly dependencies: pulumi.Resource[];
}

/** The authorizers without a callback, which all components of a program share. */
const plain = {
  token: authorizeConnections({ makeAuthorize: sharedToken }),
  jwt: authorizeConnections({ makeAuthorize: jwt }),
};

/** The subprotocol's characters (https://www.rfc-editor.org/rfc/rfc6455#section-4.1: those of an HTTP token). */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]{16,}$/;

/** Checks an `auth` argument. */
export function checkWebSocketAuth(checks: Checks, auth: WebSocketAuth): void {
  if (typeof auth === "string") {
    checks.oneOf("auth", auth, ["token", "iam", "none"]);
    return;
  }
  const kinds = ["token", "authorize", "jwt"].filter((kind) => kind in (auth ?? {}));
  if (kinds.length !== 1) {
    const use = '"token", "iam", "none", or an object with token, authorize or jwt';
    checks.add("auth", "be one kind of authorization", use);
    return;
  }
  if ("token" in auth) {
    checks.names("auth", auth, ["token"]);
    // The value is never shown: it is a secret.
    if (!isLater(auth.token) && !TOKEN.test(String(auth.token))) {
      const use = 'letters, digits, - and _, or "token" to have one generated';
      checks.add("auth.token", "be at least 16 characters that a subprotocol may have", use);
    }
  }
  if ("authorize" in auth) {
    checks.names("auth", auth, ["authorize", "environment", "statements"]);
    checks.callback("auth.authorize", auth.authorize ?? null, "a function of the token");
    for (const variable of Object.keys(auth.environment ?? {})) {
      if (!/^(WEBSOCKET|AWS)_/.test(variable)) continue;
      checks.add(`auth.environment.${variable}`, "not begin with WEBSOCKET_ or AWS_", `MY_${variable}`);
    }
  }
  if ("jwt" in auth) {
    checks.names("auth.jwt", auth.jwt, ["issuer", "audience", "jwksUri", "devicesClaim"]);
    if (!auth.jwt?.issuer) checks.add("auth.jwt.issuer", "be given", '"https://issuer.example"');
    const { audience } = auth.jwt ?? {};
    if (!audience || (Array.isArray(audience) && audience.length === 0)) {
      checks.add("auth.jwt.audience", "be given", "the id of the client that the tokens are for");
    }
  }
}

export interface ConnectAuthSettings extends FunctionSettings {
  /** The component's name in errors. */
  title: string;
  singleToken: boolean;
}

/** Makes what stands before `$connect`. */
export function makeConnectAuth(
  name: string,
  auth: WebSocketAuth,
  api: aws.apigatewayv2.Api,
  { title, singleToken, ...settings }: ConnectAuthSettings,
  opts: pulumi.CustomResourceOptions,
): ConnectAuth {
  if (auth === "iam") return { route: { authorizationType: "AWS_IAM" }, dependencies: [] };
  if (auth === "none") return { route: { authorizationType: "NONE" }, dependencies: [] };
  const token = tokenOf(name, auth, opts);
  const made = makeLambdaAuthorizer(
    name,
    {
      api,
      function: { ...settings, title: `${title}: auth.authorize`, ...codeOf(auth, token, singleToken) },
      make: (part, authorizerUri, more) =>
        new aws.apigatewayv2.Authorizer(
          part,
          {
            apiId: api.id,
            authorizerType: "REQUEST",
            authorizerUri,
            // Without identity sources: API Gateway leaves headers as the client spells them, which is in lower case for
            // Node's own WebSocket. The function itself answers 401 to who offers no token. WebSocket APIs keep no
            // authorizer's answer, so that none is needed to tell clients apart.
          },
          more,
        ),
    },
    opts,
  );
  return { route: { authorizationType: "CUSTOM", authorizerId: made.authorizer.id }, token, ...made };
}

type LambdaAuth = Exclude<WebSocketAuth, "iam" | "none">;

function tokenOf(
  name: string,
  auth: LambdaAuth,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> | undefined {
  if (typeof auth === "object") return "token" in auth ? pulumi.secret(auth.token) : undefined;
  return generatedSecret(`${name}-token`, opts);
}

/** The function behind an authorizer: code, variables and permissions. */
function codeOf(auth: LambdaAuth, token: pulumi.Output<string> | undefined, singleToken: boolean) {
  const common = { WEBSOCKET_SINGLE_TOKEN: singleToken ? "yes" : "" };
  if (token) {
    const hash = token.apply((text) => createHash("sha256").update(text).digest("hex"));
    return { factory: plain.token, environment: { ...common, WEBSOCKET_TOKEN_HASH: hash } };
  }
  if (typeof auth === "object" && "jwt" in auth) {
    return { factory: plain.jwt, environment: { ...common, WEBSOCKET_JWT: pulumi.jsonStringify(auth.jwt) } };
  }
  const { authorize, environment, statements } = auth as AuthorizeArgs;
  return {
    factory: authorizeConnections({ makeAuthorize: () => authorize }),
    environment: { ...environment, ...common },
    statements,
  };
}
