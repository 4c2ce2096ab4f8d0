import type { Authorizer } from "@aws-sdk/client-api-gateway";
import { limits } from "../../../core/limits";
import { badRequest, checkEnum, conflict, notFound } from "../errors";
import { type PatchRule, patched, text } from "../patch";
import { newId, page } from "../state";
import type { Part, Store } from "../store";

type StoredAuthorizer = Authorizer & { id: string };

const rules: PatchRule<StoredAuthorizer>[] = [
  text("/name", "name"),
  text("/authorizerUri", "authorizerUri"),
  text("/authorizerCredentials", "authorizerCredentials"),
  text("/identitySource", "identitySource"),
  text("/identityValidationExpression", "identityValidationExpression"),
  text("/authType", "authType"),
  {
    path: "/type",
    apply: (authorizer, { value }) => {
      authorizer.type = value as Authorizer["type"];
    },
  },
  {
    path: "/authorizerResultTtlInSeconds",
    apply: (authorizer, { value }) => {
      authorizer.authorizerResultTtlInSeconds = Number(value);
    },
  },
  {
    path: "/providerARNs",
    ops: ["add", "remove"],
    apply: (authorizer, { op, value }) => {
      const others = (authorizer.providerARNs ?? []).filter((arn) => arn !== value);
      authorizer.providerARNs = op === "remove" ? others : [...others, value];
    },
  },
];

/** Authorizer: a Lambda function (TOKEN, REQUEST) or Cognito user pools that decide on requests. */
export function authorizers(store: Store, flush: (apiId: string, stageName: string) => void): Part {
  return {
    CreateAuthorizer({ restApiId, ...input }, context) {
      checkEnum(input.type, "createAuthorizerInput.type", ["REQUEST", "TOKEN", "COGNITO_USER_POOLS"]);
      const api = store.of(context).apis.get(restApiId ?? "");
      // AWS reports a wrong API id like this here (recorded).
      if (!api) throw conflict("Unable to complete operation due to concurrent modification. Please try again later.");
      const authorizer: StoredAuthorizer = {
        id: newId(6),
        name: input.name,
        type: input.type,
        providerARNs: input.providerARNs,
        authType: input.authType ?? (input.type === "COGNITO_USER_POOLS" ? "cognito_user_pools" : "custom"),
        authorizerUri: input.authorizerUri,
        authorizerCredentials: input.authorizerCredentials,
        identitySource: input.identitySource,
        identityValidationExpression: input.identityValidationExpression,
        authorizerResultTtlInSeconds: input.authorizerResultTtlInSeconds ?? 300,
      };
      check(authorizer);
      if (api.definition.authorizers.some(({ name }) => name === authorizer.name))
        throw badRequest("Authorizer name must be unique");
      api.definition.authorizers.push(authorizer);
      return authorizer;
    },
    GetAuthorizer: ({ restApiId, authorizerId }, context) => {
      const { authorizers } = store.of(context).api(restApiId).definition;
      return authorizers[indexOf(authorizers, authorizerId)]!;
    },
    GetAuthorizers: ({ restApiId, ...paging }, context) =>
      page(store.of(context).api(restApiId).definition.authorizers, paging),
    UpdateAuthorizer({ restApiId, authorizerId, patchOperations }, context) {
      const { authorizers } = store.of(context).api(restApiId).definition;
      const index = indexOf(authorizers, authorizerId);
      const updated = patched(authorizers[index]!, patchOperations, rules, { input: "updateAuthorizerInput" });
      check(updated);
      authorizers[index] = updated;
      return updated;
    },
    DeleteAuthorizer({ restApiId, authorizerId }, context) {
      const { definition } = store.of(context).api(restApiId);
      const index = indexOf(definition.authorizers, authorizerId);
      const used = definition.resources.some(({ resourceMethods }) =>
        Object.values(resourceMethods).some((method) => method.authorizerId === authorizerId),
      );
      if (used) throw conflict("Cannot delete authorizer, is referenced in method");
      definition.authorizers.splice(index, 1);
      return {};
    },
    FlushStageAuthorizersCache({ restApiId, stageName }, context) {
      const api = store.of(context).api(restApiId);
      flush(api.id, api.stage(stageName ?? "").stageName);
      return {};
    },
  };
}

function indexOf(authorizers: readonly StoredAuthorizer[], id: string | undefined): number {
  const index = authorizers.findIndex((authorizer) => authorizer.id === id);
  if (index < 0) throw notFound("Authorizer");
  return index;
}

const source =
  /^(method\.request\.(header|querystring|multivalueheader|multivaluequerystring)\.\S+|(context|stageVariables)\.\S+)$/;

function check({ name, type, authorizerUri, identitySource, providerARNs, ...rest }: StoredAuthorizer): void {
  if (!name) throw badRequest("Authorizer name must be non-empty");
  const ttl = rest.authorizerResultTtlInSeconds ?? 300;
  const { least, value: most } = limits.restApi.authorizerTtl;
  if (!(ttl >= least && ttl <= most))
    throw badRequest(`Authorizer result TTL must be between ${least} and ${most} seconds`);
  for (const part of identitySource?.split(",") ?? [])
    if (!source.test(part.trim()))
      throw badRequest(
        `Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: ${part.trim()}]`,
      );
  if (type === "COGNITO_USER_POOLS") {
    if (!providerARNs?.length) throw badRequest("Invalid ARN specified in the request. ARNs must start with 'arn:'");
    if (!identitySource) throw badRequest("Identity source cannot be empty");
    return;
  }
  if (!authorizerUri?.startsWith("arn:"))
    throw badRequest(
      "Invalid Authorizer URI: "
        .concat(authorizerUri ?? "null")
        .concat(". Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."),
    );
  if (type === "TOKEN" && !/^method\.request\.header\.[^,\s]+$/.test(identitySource ?? ""))
    throw badRequest("TOKEN authorizers need exactly one header as identity source");
  if (type === "REQUEST" && ttl > 0 && !identitySource)
    throw badRequest("Identity source cannot be empty when caching is enabled");
  try {
    new RegExp(rest.identityValidationExpression ?? "");
  } catch {
    throw badRequest("Invalid identity validation expression specified");
  }
}
