import { TokenBuckets } from "../../core/gateway/token-buckets";
import { defineService } from "../../core/service";
import { access } from "./access";
import { Gateway } from "./execute/gateway";
import { Management } from "./execute/management";
import { apis } from "./operations/apis";
import { authorizers } from "./operations/authorizers";
import { deployments } from "./operations/deployments";
import { domains } from "./operations/domains";
import { extras } from "./operations/extras";
import { integrations } from "./operations/integrations";
import { models } from "./operations/models";
import { routes } from "./operations/routes";
import { stages } from "./operations/stages";
import { type Sdk, Store } from "./store";

/**
 * API Gateway v2: WebSocket APIs with their connections and `@connections`. Of HTTP APIs the control plane is kept, and
 * nothing serves them.
 *
 * A stage is reached at `ws://localhost:4566/_aws/execute-api/{api}/{stage}`, at
 * `ws://{api}.execute-api.localhost:4566/{stage}`, and by its custom domain names.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-apigatewayv2"),
  client: "ApiGatewayV2Client",
  create(host) {
    const store = new Store();
    const buckets = new TokenBuckets(host.clock);
    const gateway = new Gateway(host, store, buckets);
    const management = new Management(host, store, gateway);
    const operations = {
      ...apis(store, host, (apiId) => gateway.closeAll(apiId)),
      ...routes(store, host),
      ...integrations(store, host),
      ...models(store, host),
      ...authorizers(store, host),
      ...deployments(store, host),
      ...stages(store, host, (apiId, stageName) => gateway.closeAll(apiId, stageName)),
      ...domains(store, host),
      ...extras(store, host),
    };
    return {
      operations,
      access: access(store, operations),
      serve: (request) => management.serve(request),
      upgrade: (request) => gateway.upgrade(request),
      counts(arn) {
        const id = /^arn:[^:]+:apigateway:[^:]*::\/apis\/([^/]+)$/.exec(arn)?.[1] ?? "";
        const connections = [...gateway.connections.values()].filter(({ session }) => session.api.id === id);
        return store.findApi(id) && { connections: connections.length };
      },
      ownsApi: (id) => store.findApi(id) !== undefined,
      ownsHost: (name) => store.servingDomain(name) !== undefined,
      reset() {
        gateway.clear();
        buckets.clear();
        store.clear();
      },
    };
  },
});
