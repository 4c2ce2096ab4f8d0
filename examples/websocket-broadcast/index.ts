import { WebSocketBroadcast } from "sensorcast";

const live = new WebSocketBroadcast("live", {
  // Put your own check here: a session, a signed token, a table of users.
  authorize: async (token) => {
    if (token === "operator") return { id: "operator" };
    return token.startsWith("display-") ? { id: token, devices: [token.slice("display-".length)] } : undefined;
  },
});

export const url = live.url;
export const queueUrl = live.queue.url;
