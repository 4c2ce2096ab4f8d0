/** Who a caller is, once it is let in. */
export interface Principal {
  /** Names the caller in the API's logs. Not secret: never the token itself. */
  id: string;
  /** Facts about the caller that the integration gets as `requestContext.authorizer`. */
  context?: Record<string, string | number | boolean>;
}

/** The part of API Gateway's authorizer event that is of use to a callback. */
export interface AuthorizerEvent {
  methodArn: string;
  path: string;
  httpMethod: string;
  headers: Record<string, string | undefined> | null;
  queryStringParameters: Record<string, string | undefined> | null;
  requestContext: { requestId: string; identity?: { sourceIp?: string } };
}

/**
 * Decides who may call. Return a principal to let the caller in, nothing to refuse it (403). Throw
 * `new Error("Unauthorized")` to answer 401; any other error answers 500, as does a principal that is none: one without
 * an id.
 */
export type Authorize = (
  token: string,
  event: AuthorizerEvent,
) => Principal | null | undefined | Promise<Principal | null | undefined>;

export interface AuthorizerOptions {
  readonly authorize: Authorize;
  /** The header that carries the token. */
  readonly header: string;
}

/**
 * What a callback answered, when it is a principal or nothing. What is not understood lets nobody in.
 *
 * @throws when it is anything else
 */
export function toPrincipal<P extends Principal>(answer: P | null | undefined): P | undefined {
  if (!answer) return undefined;
  if (typeof answer.id === "string" && answer.id !== "") return answer;
  throw new Error("authorize must return a principal with an id, or nothing");
}

/** A REQUEST authorizer of API Gateway around a callback. */
export const authorizeRequests =
  ({ authorize, header }: AuthorizerOptions) =>
  () =>
  async (event: AuthorizerEvent) => {
    const wanted = header.toLowerCase();
    const [, token] = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === wanted) ?? [];
    if (!token) throw new Error("Unauthorized");
    const principal = toPrincipal(await authorize(token, event));
    // API Gateway keeps the policy for the token and applies it to every method of the stage: it must not name one.
    const stage = event.methodArn.split("/").slice(0, 2).join("/");
    const Statement = [{ Action: "execute-api:Invoke", Effect: principal ? "Allow" : "Deny", Resource: `${stage}/*` }];
    return {
      principalId: principal?.id ?? "refused",
      policyDocument: { Version: "2012-10-17", Statement },
      ...(principal?.context && { context: principal.context }),
    };
  };
