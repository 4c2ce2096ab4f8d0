import { defineService } from "../../core/service";
import { access } from "./access";
import { Gateway } from "./execute";
import { Meter } from "./execute/meter";
import { account } from "./operations/account";
import { apiKeys } from "./operations/api-keys";
import { authorizers } from "./operations/authorizers";
import { deployments } from "./operations/deployments";
import { domains } from "./operations/domains";
import { extras } from "./operations/extras";
import { gatewayResponses } from "./operations/gateway-responses";
import { imports } from "./operations/import";
import { integrations } from "./operations/integrations";
import { methods } from "./operations/methods";
import { models } from "./operations/models";
import { resources } from "./operations/resources";
import { restApis } from "./operations/rest-apis";
import { stages } from "./operations/stages";
import { usagePlans } from "./operations/usage-plans";
import { type Sdk, Store } from "./store";

/** API Gateway REST APIs (v1): the control plane, and the execute-api data plane that serves deployed stages. */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-api-gateway"),
  client: "APIGatewayClient",
  create(host) {
    const store = new Store();
    const meter = new Meter(host.clock);
    const gateway = new Gateway(host, store, meter);
    const operations = {
      ...restApis(store, host),
      ...imports(store, host),
      ...resources(store),
      ...methods(store),
      ...integrations(store),
      ...models(store),
      ...gatewayResponses(store),
      ...authorizers(store, (apiId, stageName) => gateway.authorizers.flush(apiId, stageName)),
      ...deployments(store, host),
      ...stages(store, host),
      ...apiKeys(store, host),
      ...usagePlans(store, meter),
      ...account(store, host),
      ...domains(store, host),
      ...extras(store, host),
    };
    return {
      operations,
      access: access(store, operations),
      ports: { apigateway: { cloudwatchRole: (scope) => store.of(scope).cloudwatchRoleArn } },
      serve: (request) => gateway.serve(request),
      ownsHost: (name) => store.findDomain(name) !== undefined,
      reset() {
        store.clear();
        gateway.clear();
      },
    };
  },
});
