import type { Host } from "../../../core/service";
import { badRequest } from "../errors";
import { page } from "../state";
import type { Part, Store } from "../store";

/** Deployment: a frozen copy of the API that stages serve. */
export function deployments(store: Store, { clock }: Host): Part {
  return {
    CreateDeployment({ ApiId, Description, StageName }, context) {
      const api = store.of(context).api(ApiId);
      const stage = StageName === undefined ? undefined : api.stage(StageName);
      if (stage?.AutoDeploy) throw badRequest("Deployment ID cannot be set on stage because AutoDeploy is enabled");
      if (!Object.keys(api.definition.routes).length)
        throw badRequest("Unable to deploy API because no routes exist in this API");
      const { shown } = api.deploy(clock.now(), { description: Description, auto: false });
      if (stage) {
        stage.DeploymentId = shown.DeploymentId;
        stage.LastUpdatedDate = new Date(clock.now());
      }
      return shown;
    },
    GetDeployment: ({ ApiId, DeploymentId }, context) => store.of(context).api(ApiId).deployment(DeploymentId).shown,
    GetDeployments: ({ ApiId, ...paging }, context) =>
      page(
        [...store.of(context).api(ApiId).deployments.values()].map(({ shown }) => shown),
        paging,
      ),
    UpdateDeployment({ ApiId, DeploymentId, Description }, context) {
      const { shown } = store.of(context).api(ApiId).deployment(DeploymentId);
      if (Description !== undefined) shown.Description = Description;
      return shown;
    },
    DeleteDeployment({ ApiId, DeploymentId }, context) {
      const api = store.of(context).api(ApiId);
      const id = api.deployment(DeploymentId).shown.DeploymentId;
      if ([...api.stages.values()].some((stage) => stage.DeploymentId === id))
        throw badRequest("Active stages pointing to this deployment must be moved or deleted");
      api.deployments.delete(id);
      return {};
    },
  };
}
