import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { apiGatewayAccount } from "./api-account";

export interface RestStageArgs {
  api: aws.apigateway.RestApi;
  stageName: string;
  /**
   * All that defines the API. API Gateway serves what was last deployed: another definition makes another deployment.
   */
  definition: Record<string, unknown>;
  /** The methods, integrations and what else must be there before the API is deployed. */
  dependencies: pulumi.Resource[];
  logRetentionDays: pulumi.Input<number>;
  tracing: boolean;
  manageAccount: boolean;
}

/** What is written to the access log for each request; no header, token or payload. */
const ACCESS_LOG = {
  requestId: "$context.requestId",
  requestTime: "$context.requestTime",
  sourceIp: "$context.identity.sourceIp",
  httpMethod: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  errorType: "$context.error.responseType",
  authorizerError: "$context.authorizer.error",
  integrationStatus: "$context.integration.status",
  integrationError: "$context.integration.error",
  integrationLatency: "$context.integration.latency",
  responseLatency: "$context.responseLatency",
  responseLength: "$context.responseLength",
  apiKeyId: "$context.identity.apiKeyId",
};

/**
 * Deploys a REST API to a stage with JSON access logs.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
 */
export function makeRestStage(name: string, args: RestStageArgs, component: pulumi.ComponentResource) {
  const { api, stageName, definition, dependencies, tracing } = args;
  const child = { parent: component };
  const logGroup = new aws.cloudwatch.LogGroup(
    `${name}-access-logs`,
    { retentionInDays: args.logRetentionDays },
    child,
  );
  const deployment = new aws.apigateway.Deployment(
    `${name}-deployment`,
    {
      restApi: api.id,
      triggers: {
        definition: pulumi.jsonStringify(definition).apply((text) => createHash("sha256").update(text).digest("hex")),
      },
    },
    { ...child, dependsOn: dependencies },
  );
  const account = args.manageAccount ? [apiGatewayAccount(component.getProvider("aws:apigateway:Account"))] : [];
  const stage = new aws.apigateway.Stage(
    `${name}-stage`,
    {
      restApi: api.id,
      deployment: deployment.id,
      stageName,
      xrayTracingEnabled: tracing,
      accessLogSettings: { destinationArn: logGroup.arn, format: JSON.stringify(ACCESS_LOG) },
    },
    { ...child, dependsOn: account },
  );
  return { stage, deployment, logGroup };
}
