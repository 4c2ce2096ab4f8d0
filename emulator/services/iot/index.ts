import { defineService } from "../../core/service";
import { access } from "./access";
import { attachmentOperations } from "./attachments";
import { Authority } from "./authority";
import { authorizationOperations } from "./authorization";
import { billingGroupOperations } from "./billing-groups";
import { caCertificateOperations } from "./ca-certificates";
import { type CertificateWatcher, certificateOperations } from "./certificates";
import { endpointOperations } from "./endpoint";
import { notFound } from "./errors";
import { groupOperations } from "./groups";
import { Logging } from "./logging";
import { HttpsDoor } from "./mqtt/https";
import { Hubs } from "./mqtt/hubs";
import { Listener } from "./mqtt/listener";
import { WebSocketDoor } from "./mqtt/websocket";
import { policyOperations } from "./policies";
import { iotPort } from "./port";
import { principalOperations } from "./principals";
import { ruleOperations } from "./rules/operations";
import { Rules } from "./rules/rules";
import { type Sdk, Store } from "./store";
import { tagOperations } from "./tags";
import { thingTypeOperations } from "./thing-types";
import { thingOperations } from "./things";

/**
 * AWS IoT Core (https://docs.aws.amazon.com/iot/latest/apireference/): registry, certificates, policies, the message
 * broker on MQTT 3.1.1 and HTTPS, and topic rules with the actions of `rules/actions/`.
 *
 * Not emulated, and answered with 501: jobs, fleet indexing, Device Defender, custom authorizers, fleet provisioning,
 * role aliases, certificate transfers and registration at a device's first connection.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-iot"),
  client: "IoTClient",
  create(host) {
    const store = new Store(host);
    const logging = new Logging(host);
    const rules = new Rules(host, store, logging);
    const authority = new Authority(host.clock);
    const hubs = new Hubs(host);
    const port = iotPort(store, hubs);
    const publishing = new HttpsDoor(port, host);
    const listener = new Listener(host, store, authority, hubs, publishing);
    const door = new WebSocketDoor(host, store, hubs);
    const reset = async () => {
      await hubs.clear();
      door.clear();
      listener.hangUp();
      rules.clear();
      store.clear();
    };
    const watcher: CertificateWatcher = {
      registered: () => void listener.port().catch((error) => host.report(error, "MQTT listener")),
      ended: (region, certificate) => hubs.revoke(region, certificate),
    };
    return {
      operations: {
        ...thingOperations(store),
        ...thingTypeOperations(store),
        ...groupOperations(store),
        ...billingGroupOperations(store),
        ...certificateOperations(store, authority, watcher),
        ...caCertificateOperations(store),
        ...policyOperations(store),
        ...attachmentOperations(store),
        ...principalOperations(store),
        ...authorizationOperations(store),
        ...ruleOperations(store, rules),
        ...logging.operations(store),
        ...tagOperations(store),
        ...endpointOperations(store, listener),
      },
      access: access(store),
      ports: { iot: port },
      async serve({ method, path, response }) {
        if (method !== "GET" || path !== "/ca.pem") throw notFound(`${method} /_aws/iot${path} does not exist`);
        response.writeHead(200, { "content-type": "application/x-pem-file" }).end(await authority.caPem());
      },
      upgrade: (request) => door.upgrade(request),
      reset,
      async close() {
        await reset();
        await listener.close();
      },
    };
  },
});
