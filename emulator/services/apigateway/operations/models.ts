import type { Model, RequestValidator } from "@aws-sdk/client-api-gateway";
import { compileSchema } from "../../../core/gateway/json-schema";
import { badRequest, conflict, notFound, notFoundMessage } from "../errors";
import { flag, type PatchRule, patched } from "../patch";
import { type Api, newId, page } from "../state";
import type { Part, Store } from "../store";

type StoredModel = Model & { name: string };

/** The two models that every new API has. */
export const defaultModels = (): StoredModel[] => [
  {
    id: newId(6),
    name: "Empty",
    contentType: "application/json",
    description: "This is a default empty schema model",
    schema: JSON.stringify(
      { $schema: "http://json-schema.org/draft-04/schema#", title: "Empty Schema", type: "object" },
      null,
      2,
    ),
  },
  {
    id: newId(6),
    name: "Error",
    contentType: "application/json",
    description: "This is a default error schema model",
    schema: JSON.stringify(
      {
        $schema: "http://json-schema.org/draft-04/schema#",
        title: "Error Schema",
        type: "object",
        properties: { message: { type: "string" } },
      },
      null,
      2,
    ),
  },
];

const modelRules: PatchRule<StoredModel>[] = [
  {
    path: "/description",
    apply: (model, { value }) => {
      model.description = value;
    },
  },
  {
    path: "/schema",
    apply: (model, { value }) => {
      model.schema = schemaText(value);
    },
  },
];

const validatorRules: PatchRule<RequestValidator & { id: string }>[] = [
  {
    path: "/name",
    apply: (validator, { value }) => {
      if (!value) throw badRequest("Request Validator name cannot be blank");
      validator.name = value;
    },
  },
  flag("/validateRequestParameters", "validateRequestParameters"),
  flag("/validateRequestBody", "validateRequestBody"),
];

/** Model and RequestValidator: create, get, list, update, delete. */
export function models(store: Store): Part {
  /** AWS looks for the inner thing first: a wrong API id gives the inner thing's error. */
  const apiOr = (context: Parameters<Store["of"]>[0], id: string | undefined, error: () => Error): Api => {
    const api = store.of(context).apis.get(id ?? "");
    if (!api) throw error();
    return api;
  };
  const noModel = (name: string | undefined) => notFoundMessage(`Invalid model name specified: ${name}`);
  const findModel = (context: Parameters<Store["of"]>[0], id: string | undefined, name: string | undefined) => {
    const model = apiOr(context, id, () => noModel(name)).definition.models.find((known) => known.name === name);
    if (!model) throw noModel(name);
    return model;
  };
  const noValidator = () => notFound("Request Validator");
  const findValidator = (context: Parameters<Store["of"]>[0], id: string | undefined, validatorId?: string) => {
    const { validators } = apiOr(context, id, noValidator).definition;
    const validator = validators.find((known) => known.id === validatorId);
    if (!validator) throw noValidator();
    return { validators, validator, index: validators.indexOf(validator) };
  };

  return {
    CreateModel({ restApiId, name, contentType, description, schema }, context) {
      if (!name) throw badRequest("Model name must be non-empty");
      if (!/^[A-Za-z0-9]+$/.test(name)) throw badRequest("Model name must be alphanumeric: ".concat(name));
      const { definition } = store.of(context).api(restApiId);
      const model = { id: newId(6), name, contentType, description, schema: schemaText(schema) };
      if (definition.models.some((known) => known.name === name))
        throw conflict("Model name already exists for this REST API");
      definition.models.push(model);
      return model;
    },
    GetModel: ({ restApiId, modelName }, context) => findModel(context, restApiId, modelName),
    GetModels: ({ restApiId, ...paging }, context) =>
      page(
        [...store.of(context).api(restApiId).definition.models].sort((a, b) => (a.name < b.name ? -1 : 1)),
        paging,
      ),
    UpdateModel({ restApiId, modelName, patchOperations }, context) {
      const model = findModel(context, restApiId, modelName);
      return Object.assign(
        model,
        patched(model, patchOperations, modelRules, { input: "updateModelInput", listsPaths: true }),
      );
    },
    DeleteModel({ restApiId, modelName }, context) {
      const model = findModel(context, restApiId, modelName);
      const { definition } = store.of(context).api(restApiId);
      for (const { path, resourceMethods } of definition.resources) {
        for (const [verb, method] of Object.entries(resourceMethods)) {
          if (Object.values(method.requestModels ?? {}).includes(model.name))
            throw conflict(`Cannot delete model '${model.name}', is referenced in method request: ${path}/${verb}`);
        }
      }
      definition.models = definition.models.filter((known) => known !== model);
      return {};
    },

    CreateRequestValidator({ restApiId, name, validateRequestBody, validateRequestParameters }, context) {
      const api = apiOr(context, restApiId, () => badRequest("Invalid REST API identifier specified"));
      const validator = {
        id: newId(6),
        name,
        validateRequestBody: validateRequestBody ?? false,
        validateRequestParameters: validateRequestParameters ?? false,
      };
      api.definition.validators.push(validator);
      return validator;
    },
    GetRequestValidator: ({ restApiId, requestValidatorId }, context) =>
      findValidator(context, restApiId, requestValidatorId).validator,
    GetRequestValidators: ({ restApiId, ...paging }, context) =>
      page(store.of(context).api(restApiId).definition.validators, paging),
    UpdateRequestValidator({ restApiId, requestValidatorId, patchOperations }, context) {
      const { validator } = findValidator(context, restApiId, requestValidatorId);
      return Object.assign(
        validator,
        patched(validator, patchOperations, validatorRules, { input: "updateRequestValidatorInput", listsPaths: true }),
      );
    },
    DeleteRequestValidator({ restApiId, requestValidatorId }, context) {
      const { validators, index } = findValidator(context, restApiId, requestValidatorId);
      validators.splice(index, 1);
      return {};
    },
  };
}

function schemaText(schema: string | undefined): string {
  if (!schema) throw badRequest("Model schema must have at least 1 property or array items defined");
  if (!compileSchema("model", (name) => (name === "model" ? schema : undefined))) {
    throw badRequest(
      "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
    );
  }
  return schema;
}
