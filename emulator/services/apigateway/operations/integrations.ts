import type { Integration, IntegrationResponse, Method } from "@aws-sdk/client-api-gateway";
import { notEmulated } from "../../../core/errors";
import { limits } from "../../../core/limits";
import { badRequest, checkEnum, notFound } from "../errors";
import { entries, type PatchRule, patched, text, toBoolean } from "../patch";
import type { Part, Store } from "../store";
import { checkStatus, verbs } from "./methods";

const types = ["HTTP", "MOCK", "AWS_PROXY", "HTTP_PROXY", "AWS"];
const handlings = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
const passthroughs = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];

const integrationRules: PatchRule<Integration>[] = [
  text("/uri", "uri"),
  text("/httpMethod", "httpMethod"),
  text("/passthroughBehavior", "passthroughBehavior"),
  text("/cacheNamespace", "cacheNamespace"),
  text("/connectionType", "connectionType"),
  text("/connectionId", "connectionId"),
  optional("/credentials", "credentials"),
  optional("/contentHandling", "contentHandling"),
  {
    path: "/type",
    apply: (integration, { value }) => {
      integration.type = value as Integration["type"];
    },
  },
  {
    path: "/timeoutInMillis",
    apply: (integration, { value }) => {
      integration.timeoutInMillis = Number(value);
    },
  },
  {
    path: "/tlsConfig/insecureSkipVerification",
    apply: (integration, { value }) => {
      integration.tlsConfig = { insecureSkipVerification: toBoolean(value) };
    },
  },
  {
    path: "/cacheKeyParameters/{}",
    ops: ["add", "remove", "replace"],
    apply: (integration, { op, names }) => {
      const others = (integration.cacheKeyParameters ?? []).filter((name) => name !== names[0]);
      integration.cacheKeyParameters = op === "remove" ? others : [...others, names[0]!];
    },
  },
  entries("requestParameters"),
  entries("requestTemplates"),
];

const responseRules: PatchRule<IntegrationResponse>[] = [
  text("/selectionPattern", "selectionPattern"),
  optional("/contentHandling", "contentHandling"),
  entries("responseParameters"),
  entries("responseTemplates"),
];

/** Integration and IntegrationResponse. */
export function integrations(store: Store): Part {
  type Where = { restApiId: string | undefined; resourceId: string | undefined; httpMethod: string | undefined };
  const methodOf = (context: Parameters<Store["of"]>[0], { restApiId, resourceId, httpMethod }: Where): Method => {
    const api = store.of(context).apis.get(restApiId ?? "");
    if (!api) throw notFound("Resource");
    return api.method(resourceId ?? "", httpMethod ?? "");
  };
  const integrationOf = (context: Parameters<Store["of"]>[0], where: Where): Integration => {
    const integration = methodOf(context, where).methodIntegration;
    if (!integration) throw notFound("Integration");
    return integration;
  };
  const responseOf = (integration: Integration, statusCode: string | undefined): IntegrationResponse => {
    const responses = integration.integrationResponses ?? {};
    if (!Object.hasOwn(responses, statusCode ?? "")) throw notFound("Response status code");
    return responses[statusCode!]!;
  };

  return {
    PutIntegration(input, context) {
      checkEnum(input.type, "putIntegrationInput.type", types);
      checkEnum(input.contentHandling, "putIntegrationInput.contentHandling", handlings);
      const method = methodOf(context, input);
      const integration: Integration = {
        type: input.type,
        httpMethod: input.integrationHttpMethod,
        uri: input.uri,
        connectionType: input.connectionType ?? (input.type?.startsWith("HTTP") ? "INTERNET" : undefined),
        connectionId: input.connectionId,
        credentials: input.credentials,
        requestParameters: input.requestParameters,
        requestTemplates: input.requestTemplates,
        passthroughBehavior: input.passthroughBehavior?.toUpperCase() ?? "WHEN_NO_MATCH",
        contentHandling: input.contentHandling,
        timeoutInMillis: input.timeoutInMillis ?? limits.apiGateway.integrationTimeout.value,
        cacheNamespace: input.cacheNamespace ?? input.resourceId,
        cacheKeyParameters: input.cacheKeyParameters ?? [],
        tlsConfig: input.tlsConfig,
        responseTransferMode: input.responseTransferMode,
        // Putting an integration again keeps the responses that were put on it.
        integrationResponses: method.methodIntegration?.integrationResponses,
      };
      check(integration);
      method.methodIntegration = integration;
      return integration;
    },
    GetIntegration: (input, context) => integrationOf(context, input),
    UpdateIntegration(input, context) {
      const method = methodOf(context, input);
      const updated = patched(integrationOf(context, input), input.patchOperations, integrationRules, {
        input: "updateIntegrationInput",
      });
      check(updated);
      method.methodIntegration = updated;
      return updated;
    },
    DeleteIntegration(input, context) {
      integrationOf(context, input);
      delete methodOf(context, input).methodIntegration;
      return {};
    },

    PutIntegrationResponse(input, context) {
      checkEnum(input.contentHandling, "putIntegrationResponseInput.contentHandling", handlings);
      const method = methodOf(context, input);
      const integration = integrationOf(context, input);
      checkStatus(input.statusCode);
      const { statusCode, selectionPattern, responseParameters, responseTemplates, contentHandling } = input;
      const response = { statusCode, selectionPattern, responseParameters, responseTemplates, contentHandling };
      checkResponse(method, response);
      integration.integrationResponses = { ...integration.integrationResponses, [statusCode!]: response };
      return response;
    },
    GetIntegrationResponse: (input, context) => responseOf(integrationOf(context, input), input.statusCode),
    UpdateIntegrationResponse(input, context) {
      const integration = integrationOf(context, input);
      const updated = patched(responseOf(integration, input.statusCode), input.patchOperations, responseRules, {
        input: "updateIntegrationResponseInput",
      });
      checkResponse(methodOf(context, input), updated);
      integration.integrationResponses = { ...integration.integrationResponses, [input.statusCode!]: updated };
      return updated;
    },
    DeleteIntegrationResponse(input, context) {
      const integration = integrationOf(context, input);
      responseOf(integration, input.statusCode);
      const { [input.statusCode!]: _gone, ...rest } = integration.integrationResponses!;
      integration.integrationResponses = Object.keys(rest).length ? rest : undefined;
      return {};
    },
  };
}

/** A rule for a text member that an empty value takes away. */
function optional<T>(path: string, member: keyof T & string): PatchRule<T> {
  return {
    path,
    ops: ["replace", "remove"],
    apply: (target, { op, value }) => {
      (target as Record<string, unknown>)[member] = op === "remove" || value === "" ? undefined : value;
    },
  };
}

function check(integration: Integration): void {
  const { least, value: most } = limits.apiGateway.integrationTimeout;
  const { type, uri = "", httpMethod, timeoutInMillis = most, passthroughBehavior = "" } = integration;
  if (!types.includes(type ?? "")) throw badRequest(`Invalid integration type specified: ${type}`);
  if (timeoutInMillis < least || timeoutInMillis > most)
    throw badRequest(`Timeout should be between ${least} ms and ${most} ms`);
  if (!passthroughs.includes(passthroughBehavior)) throw badRequest("Invalid passthrough behavior specified");
  if (integration.responseTransferMode === "STREAM")
    throw notEmulated("apigateway", "PutIntegration", "responseTransferMode STREAM");
  if (type === "MOCK") return;
  if (!httpMethod || !verbs.includes(httpMethod))
    throw badRequest("Enumeration value for HttpMethod must be non-empty");
  if (type === "HTTP" || type === "HTTP_PROXY") {
    if (integration.connectionType === "VPC_LINK")
      // Not emulated: there is no network behind a VPC link, so its URI is called as if it were public.
      return;
    if (!/^(https?:\/\/|\$\{stageVariables\.)/.test(uri)) throw badRequest("Invalid HTTP endpoint specified for URI");
    return;
  }
  if (!uri.startsWith("arn:")) throw badRequest("Invalid ARN specified in the request");
  const [, , service, region, target, kind] =
    /^(arn):([\w-]+):(apigateway):([\w-]+|\$\{[^}]+\}):([\w.-]+):(path|action)\//.exec(uri) ? uri.split(/[:/]/) : [];
  if (!service || !region || !target || !kind) throw badRequest("AWS ARN for integration must contain path or action");
  if (type === "AWS_PROXY" && !(target === "lambda" && kind === "path"))
    throw badRequest(
      "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
    );
}

function checkResponse(
  method: Method,
  { statusCode, responseParameters, selectionPattern }: IntegrationResponse,
): void {
  const declared = method.methodResponses?.[statusCode ?? ""];
  const invalid = (problem: string) =>
    badRequest(`Invalid mapping expression specified: Validation Result: warnings : [], errors : [${problem}]`);
  for (const [name, source] of Object.entries(responseParameters ?? {})) {
    if (!/^method\.response\.(header|multivalueheader)\..+$/.test(name))
      throw invalid(`Invalid mapping expression parameter specified: ${name}`);
    // A header has to be declared on the method response first (developer guide, response parameter mapping).
    if (!declared || !(name in (declared.responseParameters ?? {})))
      throw invalid(`Invalid mapping expression parameter specified: ${name}`);
    if (
      !/^('.*'|integration\.response\.(header|multivalueheader|body)\b.*|context\..+|stageVariables\..+)$/s.test(source)
    )
      throw invalid(`Invalid mapping expression specified: ${source}`);
  }
  try {
    new RegExp(selectionPattern ?? "");
  } catch {
    throw badRequest(`Invalid selection pattern: ${selectionPattern}`);
  }
}
