import { AwsError } from "../../../core/errors";
import { functionOf, readAuthorizerAnswer, readObject } from "../../../core/gateway/authorizer-answer";
import { deniedOnApi, functionCaller } from "../../../core/gateway/caller";
import { withDeadline } from "../../../core/gateway/deadline";
import { type SignatureFault, SignatureProblem, type SignatureVerifier } from "../../../core/gateway/signer";
import { limits } from "../../../core/limits";
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
    const { session } = event;
    const { request, api, sourceIp, userAgent } = session;
    const { identity, ...shown } = await signerOf(request, Buffer.alloc(0), signatures, api.scope.account);
    session.signer = { ...shown };
    const asked = { action: "execute-api:Invoke", resource: session.arnOf("$connect") };
    const denial = host.bus.access.check(identity, asked, { region: api.scope.region, sourceIp, userAgent });
    if (denial) throw accessDenied(deniedOnApi(identity, denial));
  } else if (route.AuthorizationType === "CUSTOM") {
    if (!authorizer) throw misconfigured();
    await ask(authorizer, event, host);
  }
}

const failures: Record<SignatureFault, (message: string) => GatewayFailure> = {
  missing: missingToken,
  invalid: invalidSignature,
  skewed: invalidSignature,
  content: invalidSignature,
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

/** Largest answer of an authorizer's function, in bytes, and how long it may take, in milliseconds. */
const resultLimit = limits.apiGateway.authorizerResult.value;
const timeLimit = limits.apiGateway.authorizerTimeout.value;

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
  const { bus, clock } = host;
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
  const started = clock.now();
  const lambda = bus.ready("lambda") ?? (await bus.to("lambda"));
  const sourceArn = `arn:aws:execute-api:${region}:${account}:${session.api.id}/authorizers/${authorizer.AuthorizerId}`;
  const work = async () => {
    const by = functionCaller(bus.access, { roleArn: authorizer.AuthorizerCredentialsArn, sourceArn });
    return lambda.invoke(functionArn, payload, { by, traceId: session.traceId });
  };
  const result = await withDeadline(clock, timeLimit, work(), misconfigured).catch((error: unknown) => {
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
    integrationLatency: clock.now() - started,
  };
  const decision = evaluate(answer.policy, {
    action: "execute-api:Invoke",
    resource: methodArn,
    context: { "aws:sourceip": [session.sourceIp] },
  });
  if (decision === "Deny") throw accessDenied("User is not authorized to access this resource with an explicit deny");
  if (decision !== "Allow") throw accessDenied("User is not authorized to access this resource");
}
