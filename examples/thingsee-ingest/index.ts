import { ThingseeIngest } from "sensorcast";

/** Where each sensor hangs; a callback may use what stands around it. */
const rooms: Record<string, string> = { TSPR04E2O90201558: "lobby" };

const ingest = new ThingseeIngest("ingest", {
  // Battery reports (tsmId 1110) are not kept; everything else is told its room.
  onMessage: async (message) =>
    message.tsmId === 1110 ? null : { ...message, room: rooms[message.tsmTuid] ?? "unknown" },
});

export const url = ingest.url;
export const apiKey = ingest.apiKey;
export const tableName = ingest.table.name;
export const deadLetterQueueUrl = ingest.deadLetterQueue.url;
