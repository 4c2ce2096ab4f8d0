import { compileSchema } from "../../../core/gateway/json-schema";
import type { Host } from "../../../core/service";
import { badRequest, conflict, required } from "../errors";
import { given, member, newId, page, type StoredModel } from "../state";
import type { Part, Store } from "../store";

/** The two models that every new WebSocket API has. */
export function defaultModels(): Record<string, StoredModel> {
  const $schema = "http://json-schema.org/draft-04/schema#";
  const make = (Name: string, title: string, more: object = {}): StoredModel => ({
    ModelId: newId(6),
    Name,
    ContentType: "application/json",
    Schema: JSON.stringify({ $schema, title, type: "object", ...more }),
  });
  const models = [
    make("Empty", "Empty Schema"),
    make("Error", "Error Schema", { properties: { message: { type: "string" } } }),
  ];
  return Object.fromEntries(models.map((model) => [model.ModelId, model]));
}

/** Model: JSON schemas that a route checks messages with. */
export function models(store: Store, { clock }: Host): Part {
  return {
    CreateModel({ ApiId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const { models } = api.definition;
      const model = { ContentType: "application/json", ...input, Name: input.Name ?? "", ModelId: newId(6) };
      check(models, model);
      models[model.ModelId] = model;
      api.changed(clock.now());
      return model;
    },
    GetModel: ({ ApiId, ModelId }, context) => member(store.of(context).api(ApiId).definition.models, ModelId, "Model"),
    GetModels: ({ ApiId, ...paging }, context) =>
      page(Object.values(store.of(context).api(ApiId).definition.models), paging),
    GetModelTemplate({ ApiId, ModelId }, context) {
      const { Schema = "{}" } = member(store.of(context).api(ApiId).definition.models, ModelId, "Model");
      return { Value: mappingTemplate(Schema) };
    },
    UpdateModel({ ApiId, ModelId, ...input }, context) {
      const api = store.of(context).api(ApiId);
      const { models } = api.definition;
      const model = { ...member(models, ModelId, "Model"), ...given(input) } as StoredModel;
      check(models, model);
      models[model.ModelId] = model;
      api.changed(clock.now());
      return model;
    },
    DeleteModel({ ApiId, ModelId }, context) {
      const api = store.of(context).api(ApiId);
      const { models, routes } = api.definition;
      const { Name } = member(models, ModelId, "Model");
      const user = Object.values(routes).find(({ RequestModels }) => Object.values(RequestModels ?? {}).includes(Name));
      if (user) throw conflict(`Cannot delete model '${Name}', is referenced in route: ${user.RouteKey}`);
      delete models[ModelId!];
      api.changed(clock.now());
      return {};
    },
  };
}

function check(models: Record<string, StoredModel>, { Name, ModelId, Schema }: StoredModel): void {
  if (!Name) throw required("name");
  if (!/^[A-Za-z0-9]{1,128}$/.test(Name)) throw badRequest("Model name must be alphanumeric: ^[a-zA-Z0-9]+$");
  if (Object.values(models).some((other) => other.Name === Name && other.ModelId !== ModelId))
    throw conflict("Model name already exists for this API");
  checkSchema(Schema);
}

function checkSchema(text: string | undefined): void {
  if (text === undefined) throw required("schema");
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw badRequest(
      "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
    );
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema) || !compileSchema("model", () => text))
    throw badRequest(
      "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
    );
}

/** A template that copies what the schema knows of, as the console's "generate template" makes it. */
function mappingTemplate(schema: string): string {
  const { properties = {} } = JSON.parse(schema) as { properties?: object };
  const lines = Object.keys(properties).map((name) => `  "${name}": $input.json('$.${name}')`);
  return `{\n${lines.join(",\n")}\n}`;
}
