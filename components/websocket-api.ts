import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { apiGatewayAccount } from "./api-account";
import type { InlineFunction } from "./inline-function";
import type { ConnectAuth } from "./websocket-auth";
import type { ThrottleArgs, WebSocketDomainArgs } from "./websocket-broadcast-args";

/** What answers a route. */
export interface RouteTarget {
  readonly routeKey: string;
  /** Its integration is shared by the routes of the same function. */
  readonly handler: InlineFunction;
  /** What it returns goes back to the client. */
  readonly replies: boolean;
}

/** What is written to the access log for each handshake, message and end; no header, token or payload. */
const ACCESS_LOG = {
  requestId: "$context.requestId",
  requestTime: "$context.requestTime",
  sourceIp: "$context.identity.sourceIp",
  eventType: "$context.eventType",
  routeKey: "$context.routeKey",
  connectionId: "$context.connectionId",
  principal: "$context.authorizer.principalId",
  status: "$context.status",
  authorizerError: "$context.authorizer.error",
  integrationStatus: "$context.integrationStatus",
  integrationError: "$context.integrationErrorMessage",
  integrationLatency: "$context.integrationLatency",
  error: "$context.error.message",
};

/** Makes integrations, routes and, where a route replies, the route responses. */
export function makeRoutes(
  name: string,
  api: aws.apigatewayv2.Api,
  targets: readonly RouteTarget[],
  auth: ConnectAuth,
  opts: pulumi.CustomResourceOptions,
) {
  const integrations = new Map<InlineFunction, aws.apigatewayv2.Integration>();
  const resources: pulumi.Resource[] = [];
  const definition: Record<string, unknown> = { connect: auth.route };
  const routes: Record<string, aws.apigatewayv2.Route> = {};
  for (const { routeKey, handler, replies } of targets) {
    const part = `${name}-${routeKey.replace("$", "")}`;
    const integration =
      integrations.get(handler) ??
      new aws.apigatewayv2.Integration(
        `${part}-integration`,
        {
          apiId: api.id,
          integrationType: "AWS_PROXY",
          integrationMethod: "POST",
          integrationUri: handler.function.invokeArn,
          contentHandlingStrategy: "CONVERT_TO_TEXT",
        },
        opts,
      );
    if (!integrations.has(handler)) {
      integrations.set(handler, integration);
      resources.push(
        integration,
        new aws.lambda.Permission(
          `${part}-permission`,
          {
            action: "lambda:InvokeFunction",
            function: handler.function.name,
            principal: "apigateway.amazonaws.com",
            sourceArn: pulumi.interpolate`${api.executionArn}/*`,
          },
          opts,
        ),
      );
    }
    const route = new aws.apigatewayv2.Route(
      `${part}-route`,
      {
        apiId: api.id,
        routeKey,
        target: pulumi.interpolate`integrations/${integration.id}`,
        ...(routeKey === "$connect" && auth.route),
        ...(replies && { routeResponseSelectionExpression: "$default" }),
      },
      opts,
    );
    routes[routeKey] = route;
    resources.push(route);
    if (replies) {
      const response = { apiId: api.id, routeId: route.id, routeResponseKey: "$default" };
      resources.push(new aws.apigatewayv2.RouteResponse(`${part}-response`, response, opts));
    }
    definition[routeKey] = { uri: handler.function.invokeArn, replies };
  }
  return { routes, definition, dependencies: [...resources, ...auth.dependencies] };
}

export interface WebSocketStageArgs {
  api: aws.apigatewayv2.Api;
  stageName: string;
  /** All that defines the API: another definition makes another deployment. */
  definition: Record<string, unknown>;
  dependencies: pulumi.Resource[];
  throttle: Required<ThrottleArgs>;
  logRetentionDays: pulumi.Input<number>;
  manageAccount: boolean;
}

/** Deploys a WebSocket API to a stage with throttling and JSON access logs. */
export function makeWebSocketStage(name: string, args: WebSocketStageArgs, component: pulumi.ComponentResource) {
  const { api, stageName, definition, dependencies, throttle } = args;
  const child = { parent: component };
  const logGroup = new aws.cloudwatch.LogGroup(
    `${name}-access-logs`,
    { retentionInDays: args.logRetentionDays },
    child,
  );
  const deployment = new aws.apigatewayv2.Deployment(
    `${name}-deployment`,
    {
      apiId: api.id,
      triggers: {
        definition: pulumi.jsonStringify(definition).apply((text) => createHash("sha256").update(text).digest("hex")),
      },
    },
    { ...child, dependsOn: dependencies },
  );
  const account = args.manageAccount ? [apiGatewayAccount(component.getProvider("aws:apigateway:Account"))] : [];
  const stage = new aws.apigatewayv2.Stage(
    `${name}-stage`,
    {
      apiId: api.id,
      name: stageName,
      deploymentId: deployment.id,
      accessLogSettings: { destinationArn: logGroup.arn, format: JSON.stringify(ACCESS_LOG) },
      defaultRouteSettings: {
        throttlingRateLimit: throttle.rateLimit,
        throttlingBurstLimit: throttle.burstLimit,
        detailedMetricsEnabled: true,
      },
    },
    { ...child, dependsOn: account },
  );
  return { stage, deployment, logGroup };
}

/** Gives the API a name of one's own. The DNS record for it is the program's to make, to `nodes.domain`'s target. */
export function makeDomain(
  name: string,
  { domainName, certificateArn, path }: WebSocketDomainArgs,
  stage: aws.apigatewayv2.Stage,
  opts: pulumi.CustomResourceOptions,
) {
  const domain = new aws.apigatewayv2.DomainName(
    `${name}-domain`,
    {
      domainName,
      domainNameConfiguration: { certificateArn, endpointType: "REGIONAL", securityPolicy: "TLS_1_2" },
    },
    opts,
  );
  const mapping = new aws.apigatewayv2.ApiMapping(
    `${name}-mapping`,
    { apiId: stage.apiId, domainName: domain.id, stage: stage.id, apiMappingKey: path },
    opts,
  );
  return { domain, mapping, url: pulumi.interpolate`wss://${domain.domainName}${path ? `/${path}` : ""}` };
}
