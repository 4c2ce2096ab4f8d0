import { IoTStream } from "sensorcast";

const fleet = new IoTStream("fleet", {
  topic: "devices/+/telemetry",
  devices: ["sensor-1"],
  sinks: [{ dynamodb: { ttlDays: 90 } }],
});

export const endpoint = fleet.endpoint;
export const tableName = fleet.table?.name;
export const certificate = fleet.devices["sensor-1"]!.certificate;
export const privateKey = fleet.devices["sensor-1"]!.privateKey;
export const deadLetterQueueUrl = fleet.deadLetterQueue.url;
