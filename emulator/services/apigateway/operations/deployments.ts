import type { Host } from "../../../core/service";
import { badRequest } from "../errors";
import { patched, text } from "../patch";
import { type Api, newId, page, type StoredDeployment } from "../state";
import type { Part, Store } from "../store";
import { checkStageName, newStage } from "./stages";

/** Deployment: a frozen copy of the API's definition, which stages serve until they are pointed at another. */
export function deployments(store: Store, { clock }: Host): Part {
  return {
    CreateDeployment(input, context) {
      const api = store.of(context).api(input.restApiId);
      const deployable = check(api);
      if (input.stageName !== undefined) checkStageName(input.stageName);
      const deployment: StoredDeployment = {
        id: newId(6),
        description: input.description,
        createdDate: new Date(clock.now()),
        snapshot: structuredClone(deployable),
      };
      api.deployments.set(deployment.id, deployment);
      if (input.stageName !== undefined) {
        const stage = api.stages.get(input.stageName);
        if (stage) {
          stage.deploymentId = deployment.id;
          stage.lastUpdatedDate = deployment.createdDate;
          if (input.variables) stage.variables = { ...stage.variables, ...input.variables };
          if (input.stageDescription !== undefined) stage.description = input.stageDescription;
          if (input.tracingEnabled !== undefined) stage.tracingEnabled = input.tracingEnabled;
        } else {
          api.stages.set(
            input.stageName,
            newStage(
              { ...input, stageName: input.stageName, description: input.stageDescription, tags: undefined },
              deployment.id,
              deployment.createdDate,
            ),
          );
        }
      }
      return api.show(deployment);
    },
    GetDeployment({ restApiId, deploymentId, embed }, context) {
      const api = store.of(context).api(restApiId);
      return api.show(api.deployment(deploymentId ?? ""), embed?.includes("apisummary"));
    },
    GetDeployments({ restApiId, ...paging }, context) {
      const api = store.of(context).api(restApiId);
      return page(
        [...api.deployments.values()].map((deployment) => api.show(deployment)),
        paging,
      );
    },
    UpdateDeployment({ restApiId, deploymentId, patchOperations }, context) {
      const api = store.of(context).api(restApiId);
      const deployment = api.deployment(deploymentId ?? "");
      const { description } = deployment;
      const rules = [text<{ description?: string }>("/description", "description")];
      deployment.description = patched({ description }, patchOperations, rules, {
        input: "updateDeploymentInput",
      }).description;
      return api.show(deployment);
    },
    DeleteDeployment({ restApiId, deploymentId }, context) {
      const api = store.of(context).api(restApiId);
      const { id } = api.deployment(deploymentId ?? "");
      if ([...api.stages.values()].some((stage) => stage.deploymentId === id))
        throw badRequest("Active stages pointing to this deployment must be moved or deleted");
      api.deployments.delete(id);
      return {};
    },
  };
}

/** Refuses what AWS refuses to deploy, and gives the definition back. */
function check({ definition }: Api) {
  const methods = definition.resources.flatMap(({ resourceMethods }) => Object.values(resourceMethods));
  if (!methods.length) throw badRequest("The REST API doesn't contain any methods");
  if (methods.some(({ methodIntegration }) => !methodIntegration))
    throw badRequest("No integration defined for method");
  return definition;
}
