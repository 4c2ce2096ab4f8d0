import { IoTStream, WebSocketBroadcast } from "../../components";

/** Two devices, whose messages are kept and shown live. */
const live = new WebSocketBroadcast("live", { auth: "none" });
const fleet = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  devices: ["sensor-1", "sensor-2"],
  sinks: [{ dynamodb: true }, { queue: live.queue }],
});

export const { endpoint } = fleet;
export const devices = Object.fromEntries(
  Object.entries(fleet.devices).map(([name, { certificate, privateKey }]) => [name, { certificate, privateKey }]),
);
export const liveUrl = live.url;
export const tableName = fleet.table?.name;
export const deadLetterQueueUrl = fleet.deadLetterQueue.url;
