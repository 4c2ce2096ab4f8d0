import { AwsError } from "../../../core/errors";
import { functionOf, readAuthorizerAnswer, readObject } from "../../../core/gateway/authorizer-answer";
import { withDeadline } from "../../../core/gateway/deadline";
import { type SignatureFault, SignatureProblem, type SignatureVerifier } from "../../../core/gateway/signer";
import { evaluate } from "../../../core/policy-evaluation";
import type { Host } from "../../../core/service";
import type { StoredAuthorizer } from "../state";
import type { GatewayEvent } from "./event";
import { mapped, withStageVariables } from "./expressions";
import {
  accessDenied,
  GatewayFailure,
  incompleteSignature,
  invalidSignature,
  misconfigured,
  missingToken,
  unauthorized,
  unknownAccessKey,
} from "./failures";

/** Lets a handshake in or throws; what is found out about the caller stays with the session. */
export async function authorize(event: GatewayEvent, host: Host, signatures: SignatureVerifier): Promise<void> {
  const { route, authorizer } = event.route!;
  if (route.AuthorizationType === "AWS_IAM") {
    const { request, api } = event.session;
    event.session.signer = { ...(await signerOf(request, Buffer.alloc(0), signatures, api.scope.account)) };
  } else if (route.AuthorizationType === "CUSTOM") {
    if (!authorizer) throw misconfigured();
    await ask(authorizer, event, host);
  }
}

const failures: Record<SignatureFault, (message: string) => GatewayFailure> = {
  missing: missingToken,
  invalid: invalidSignature,
  incomplete: incompleteSignature,
  unknown: unknownAccessKey,
};

/** Who signed a handshake or a management call to what `owner`, an account, has. */
export async function signerOf(
  { message, query }: { message: GatewayEvent["session"]["request"]["message"]; query: string },
  body: Buffer,
  signatures: SignatureVerifier,
  owner: string,
) {
  const { method = "GET", url = "/", headers } = message;
  const mark = url.indexOf("?");
  try {
    return await signatures.verify({ method, path: mark < 0 ? url : url.slice(0, mark), query, headers, body }, owner);
  } catch (error) {
    throw error instanceof SignatureProblem ? failures[error.fault](error.message) : error;
  }
}

/** Largest answer of an authorizer's function, in bytes (quotas for WebSocket APIs: authorizer result size). */
const resultLimit = 8 * 1024;
/** How long it may take, in milliseconds (the same quotas: integration timeout). */
const timeLimit = 29_000;

/**
 * A REQUEST authorizer: its function decides with a policy. Decisions are not kept, each connection is asked about
 * (API reference, authorizerResultTtlInSeconds: HTTP APIs only).
 */
async function ask(authorizer: StoredAuthorizer, event: GatewayEvent, host: Host): Promise<void> {
  const { session } = event;
  // A source that is missing or empty is refused without a call.
  for (const source of authorizer.IdentitySource ?? []) if (!mapped(source, event)) throw unauthorized();
  const functionArn = functionOf(withStageVariables(authorizer.AuthorizerUri ?? "", event));
  if (!functionArn) throw misconfigured();
  const { region, account } = session.api.scope;
  const methodArn = session.arnOf("$connect");
  const {
    isBase64Encoded: _,
    queryStringParameters,
    multiValueQueryStringParameters,
    ...request
  } = event.lambdaEvent();
  const payload = JSON.stringify({
    type: "REQUEST",
    methodArn,
    ...request,
    queryStringParameters: queryStringParameters ?? {},
    multiValueQueryStringParameters: multiValueQueryStringParameters ?? {},
    stageVariables: event.stageVariables,
  });
  const started = host.clock.now();
  const lambda = host.bus.ready("lambda") ?? (await host.bus.to("lambda"));
  const work = lambda.invoke(functionArn, payload, {
    principal: "apigateway.amazonaws.com",
    sourceArn: `arn:aws:execute-api:${region}:${account}:${session.api.id}/authorizers/${authorizer.AuthorizerId}`,
    sourceAccount: account,
    traceId: session.traceId,
  });
  const result = await withDeadline(host.clock, timeLimit, work, misconfigured).catch((error: unknown) => {
    if (!(error instanceof AwsError || error instanceof GatewayFailure))
      host.report(error, `authorizer ${authorizer.Name} of API ${session.api.id}`);
    throw misconfigured();
  });
  if (Buffer.byteLength(result.payload) > resultLimit) throw misconfigured();
  const said = readObject(result.payload);
  if (result.functionError) throw said?.errorMessage === "Unauthorized" ? unauthorized() : misconfigured();
  const answer = readAuthorizerAnswer(said);
  if (!answer) throw misconfigured();
  session.authorizer = {
    ...answer.context,
    principalId: answer.principalId,
    integrationLatency: host.clock.now() - started,
  };
  const decision = evaluate(answer.policy, {
    action: "execute-api:Invoke",
    resource: methodArn,
    context: { "aws:sourceip": [session.sourceIp] },
  });
  if (decision === "Deny") throw accessDenied("User is not authorized to access this resource with an explicit deny");
  if (decision !== "Allow") throw accessDenied("User is not authorized to access this resource");
}
