import type { Call } from "./call";

/** What a template may change of the answer or of the request to the integration. */
export interface Overrides {
  responseOverride: { header: Record<string, string>; status?: number | string };
  requestOverride: {
    header: Record<string, string>;
    querystring: Record<string, string>;
    path: Record<string, string>;
  };
}

export const noOverrides = (): Overrides => ({
  responseOverride: { header: {} },
  requestOverride: { header: {}, querystring: {}, path: {} },
});

/**
 * `$context` for mapping templates, parameter mappings, gateway responses and access logs.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
 */
export function contextOf(call: Call, overrides?: Overrides): Record<string, unknown> {
  const { failure, integration } = call;
  return {
    accountId: call.api?.scope.account,
    apiId: call.api?.id ?? call.request.id,
    awsEndpointRequestId: integration.requestId,
    deploymentId: call.stage?.deploymentId,
    domainName: call.domainName,
    domainPrefix: call.domainName.split(".")[0],
    extendedRequestId: call.extendedRequestId,
    httpMethod: call.method,
    identity: call.fullIdentity(),
    authorizer: call.authorization && call.authorizerContext(),
    path: call.fullPath,
    protocol: "HTTP/1.1",
    requestId: call.requestId,
    requestTime: call.requestTime,
    requestTimeEpoch: call.started,
    resourceId: call.route?.resource.id,
    resourcePath: call.route?.resource.path,
    stage: call.stageName,
    xrayTraceId: call.traceId,
    integrationLatency: integration.latency,
    integrationStatus: integration.status,
    integrationErrorMessage: integration.error,
    integration: {
      status: integration.status,
      integrationStatus: integration.status,
      latency: integration.latency,
      requestId: integration.requestId,
      error: integration.error,
    },
    ...(failure
      ? {
          error: {
            message: failure.text ?? undefined,
            messageString: failure.text === null ? "null" : JSON.stringify(failure.text),
            responseType: failure.type,
            validationErrorString: failure.detail.validation,
          },
        }
      : {}),
    ...overrides,
  };
}
