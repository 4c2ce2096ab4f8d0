import { check } from "./checks";
import { invalidRequest } from "./errors";
import type { Listener } from "./mqtt/listener";
import type { IotOperations, Store } from "./store";

const types = ["iot:Data", "iot:Data-ATS", "iot:CredentialProvider", "iot:Jobs"];

/** Where devices connect, and the settings of the account that are only kept. */
export function endpointOperations(store: Store, listener: Listener): IotOperations {
  return {
    /**
     * The broker's address is `localhost:<mqttPort>` for all accounts and regions: that resolves everywhere, and the
     * certificate of a client says where it belongs. Credentials and jobs have no data plane here; their address is that
     * of the emulator, where an SDK client gets its 501.
     */
    async DescribeEndpoint({ endpointType = "iot:Data" }) {
      check({ endpointType: [endpointType, { length: [1, 128] }] });
      if (!types.includes(endpointType)) throw invalidRequest(`Endpoint type ${endpointType} is not valid.`);
      if (!endpointType.startsWith("iot:Data")) return { endpointAddress: store.host.publicHost() };
      return { endpointAddress: `localhost:${await listener.port()}` };
    },
  };
}
