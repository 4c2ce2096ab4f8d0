import { IoTStream } from "../../components";

/** The smallest program that there is, with two devices. */
const fleet = new IoTStream("fleet", { topic: "devices/+/telemetry", devices: ["sensor-1", "sensor-2"] });

export const { endpoint } = fleet;
export const devices = Object.fromEntries(
  Object.entries(fleet.devices).map(([name, { certificate, privateKey }]) => [name, { certificate, privateKey }]),
);
export const streamName = fleet.stream?.name;
export const tableName = fleet.table?.name;
export const deadLetterQueueUrl = fleet.deadLetterQueue.url;
export const failureQueueUrl = fleet.failureQueue?.url;
export const ruleRole = fleet.nodes.ruleRole.name;
export const consumeRole = fleet.nodes.consume?.role.name;
