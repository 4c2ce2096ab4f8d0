import { compileSchema, type Validate } from "../../../core/gateway/json-schema";
import { TemplateEngine } from "../../../core/gateway/templates";
import type { ApiDefinition, StoredAuthorizer, StoredIntegration, StoredRoute } from "../state";

/** A route with everything looked up that does not change from message to message. */
export interface ServedRoute {
  readonly route: StoredRoute;
  readonly integration?: StoredIntegration;
  readonly authorizer?: StoredAuthorizer;
  /** Checks by model key. */
  readonly models: ReadonlyMap<string, Validate>;
  /** Whether the answer is sent back: AWS wants both the expression and the response (developer guide, route responses). */
  readonly answers: boolean;
}

/** A deployment made ready to serve. */
export interface Served {
  readonly definition: ApiDefinition;
  readonly routes: ReadonlyMap<string, ServedRoute>;
  readonly templates: TemplateEngine;
}

export function prepare(definition: ApiDefinition): Served {
  const routes = new Map<string, ServedRoute>();
  for (const route of Object.values(definition.routes)) {
    const models = new Map<string, Validate>();
    for (const [key, name] of Object.entries(route.RequestModels ?? {})) {
      const model = Object.values(definition.models).find(({ Name }) => Name === name);
      const validate = model && compileSchema(name, () => model.Schema);
      if (validate) models.set(key, validate);
    }
    routes.set(route.RouteKey, {
      route,
      integration: definition.integrations[route.Target?.replace(/^integrations\//, "") ?? ""],
      authorizer: definition.authorizers[route.AuthorizerId ?? ""],
      models,
      answers: route.RouteResponseSelectionExpression === "$default" && Object.keys(route.responses).length > 0,
    });
  }
  return { definition, routes, templates: new TemplateEngine() };
}
