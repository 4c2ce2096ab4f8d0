import type { Authorizer } from "@aws-sdk/client-api-gateway";
import { AwsError } from "../../../../core/errors";
import { functionOf, readAuthorizerAnswer, readObject } from "../../../../core/gateway/authorizer-answer";
import { functionCaller } from "../../../../core/gateway/caller";
import { withDeadline } from "../../../../core/gateway/deadline";
import { limits } from "../../../../core/limits";
import type { PolicyDocument } from "../../../../core/policy";
import { evaluate } from "../../../../core/policy-evaluation";
import type { Host } from "../../../../core/service";
import type { Authorization, Call } from "../call";
import { accessDenied, authorizerFailed, authorizerMisconfigured, GatewayFailure, unauthorized } from "../failures";
import { requestValue, withStageVariables } from "../parameters";

/** Largest answer of an authorizer's function, in bytes, and how long it may take, in milliseconds. */
const resultLimit = limits.apiGateway.authorizerResult.value;
const timeLimit = limits.apiGateway.authorizerTimeout.value;
/** Decisions that are kept at a time. */
const mostDecisions = 10_000;

/** A decision of an authorizer function, as long as it is good. */
interface Decision {
  readonly policy: PolicyDocument;
  readonly authorization: Authorization;
  /** Answers already read off the policy, by method ARN. */
  readonly answers: Map<string, "Allow" | "Deny" | undefined>;
  readonly until: number;
}

/** TOKEN and REQUEST authorizers: a function decides with a policy, which is kept for the authorizer's TTL. */
export class LambdaAuthorizers {
  private readonly decisions = new Map<string, Decision>();

  constructor(private readonly host: Host) {}

  async authorize(call: Call): Promise<Authorization> {
    const authorizer = call.route!.authorizer!;
    const identity = identityOf(authorizer, call);
    const ttl = (authorizer.authorizerResultTtlInSeconds ?? 300) * 1000;
    // A kept policy answers for every method and path of the stage (developer guide, Lambda authorizer input).
    const { id } = call.api!;
    const key = [id, call.stageName, call.stage!.deploymentId, authorizer.id, JSON.stringify(identity)].join("\n");
    const kept = ttl > 0 ? this.decisions.get(key) : undefined;
    let decision: Decision;
    if (kept && kept.until > this.host.clock.now()) {
      decision = kept;
    } else {
      decision = await this.ask(authorizer, call, identity, ttl);
      if (ttl > 0) this.keep(key, decision);
    }
    const { answers, policy } = decision;
    const arn = call.methodArn;
    if (!answers.has(arn)) {
      if (answers.size > 1000) answers.clear();
      answers.set(
        arn,
        evaluate(policy, { action: "execute-api:Invoke", resource: arn, context: { "aws:sourceip": [call.sourceIp] } }),
      );
    }
    const answer = answers.get(arn);
    if (answer === "Deny") throw accessDenied("User is not authorized to access this resource with an explicit deny");
    if (!answer) throw accessDenied("User is not authorized to access this resource");
    return kept === decision ? { ...decision.authorization, latency: 0 } : decision.authorization;
  }

  /** Forgets the decisions of a stage. */
  flush(apiId: string, stageName: string): void {
    for (const key of this.decisions.keys()) if (key.startsWith(`${apiId}\n${stageName}\n`)) this.decisions.delete(key);
  }

  clear(): void {
    this.decisions.clear();
  }

  private keep(key: string, decision: Decision): void {
    if (this.decisions.size >= mostDecisions) {
      const now = this.host.clock.now();
      for (const [old, { until }] of this.decisions) if (until <= now) this.decisions.delete(old);
      // Clients choose what is kept: the oldest makes room, and is asked about again.
      const [oldest] = this.decisions.keys();
      if (oldest !== undefined && this.decisions.size >= mostDecisions) this.decisions.delete(oldest);
    }
    this.decisions.set(key, decision);
  }

  private async ask(authorizer: Authorizer, call: Call, identity: readonly string[], ttl: number): Promise<Decision> {
    const functionArn = functionOf(withStageVariables(authorizer.authorizerUri ?? "", call));
    if (!functionArn) throw authorizerMisconfigured();
    const started = this.host.clock.now();
    const lambda = this.host.bus.ready("lambda") ?? (await this.host.bus.to("lambda"));
    const { region, account } = call.api!.scope;
    const sourceArn = `arn:aws:execute-api:${region}:${account}:${call.api!.id}/authorizers/${authorizer.id}`;
    const work = async () => {
      const by = functionCaller(this.host.bus.access, { roleArn: authorizer.authorizerCredentials, sourceArn });
      const event = JSON.stringify(eventFor(authorizer, call, identity[0] ?? ""));
      return lambda.invoke(functionArn, event, { by, traceId: call.traceId });
    };
    const result = await withDeadline(this.host.clock, timeLimit, work(), authorizerFailed).catch((error: unknown) => {
      if (error instanceof GatewayFailure) throw error;
      if (!(error instanceof AwsError)) this.host.report(error, `authorizer ${authorizer.name} of API ${call.api!.id}`);
      throw authorizerMisconfigured();
    });
    if (Buffer.byteLength(result.payload) > resultLimit) throw authorizerMisconfigured();
    const answer = readObject(result.payload);
    if (result.functionError) throw answer?.errorMessage === "Unauthorized" ? unauthorized() : authorizerFailed();
    const decision = readAuthorizerAnswer(answer);
    if (!decision) throw authorizerMisconfigured();
    const { policy, ...said } = decision;
    const now = this.host.clock.now();
    return { policy, authorization: { ...said, latency: now - started }, answers: new Map(), until: now + ttl };
  }
}

/**
 * The values of the identity sources. One that is missing, empty or does not match the validation expression gives 401,
 * without a call of the function.
 */
function identityOf({ type, identitySource, identityValidationExpression }: Authorizer, call: Call): string[] {
  const sources = (identitySource ?? "")
    .split(",")
    .map((source) => source.trim())
    .filter(Boolean);
  const values = sources.map((source) => {
    const value = requestValue(source, call);
    const text = Array.isArray(value) ? value.join(",") : value;
    if (!text) throw unauthorized();
    return text;
  });
  if (type === "TOKEN" && identityValidationExpression) {
    if (!new RegExp(`^(?:${identityValidationExpression})$`).test(values[0] ?? "")) throw unauthorized();
  }
  return values;
}

function eventFor({ type }: Authorizer, call: Call, token: string): Record<string, unknown> {
  if (type === "TOKEN") return { type, methodArn: call.methodArn, authorizationToken: token };
  const query = call.queryParameters;
  return {
    type,
    methodArn: call.methodArn,
    resource: call.route!.resource.path,
    path: call.path,
    httpMethod: call.method,
    headers: call.headers,
    multiValueHeaders: call.multiValueHeaders,
    queryStringParameters: query?.single ?? {},
    multiValueQueryStringParameters: query?.multi ?? {},
    pathParameters: call.pathParameters ?? {},
    stageVariables: call.stage!.variables ?? {},
    requestContext: call.requestContext(),
  };
}
