import { defineService } from "../../core/service";
import { access } from "./access";
import { connectionOperations } from "./connections";
import { messageOperations } from "./messages";
import { shadowOperations } from "./shadows";
import type { Sdk } from "./store";

/**
 * The data plane of AWS IoT Core over HTTP (https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html):
 * messages, retained messages and shadows of the broker that the service `iot` runs.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-iot-data-plane"),
  client: "IoTDataPlaneClient",
  create(host) {
    return {
      operations: { ...messageOperations(host), ...shadowOperations(host), ...connectionOperations(host) },
      access: access(),
      // All that it shows is the broker's.
      reset: () => {},
    };
  },
});
