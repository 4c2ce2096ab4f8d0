import type { BatchAnswer } from "../../handlers/batch-answer";
import { actions } from "../../handlers/websocket/actions";
import { broadcast } from "../../handlers/websocket/broadcast";
import { connect } from "../../handlers/websocket/connections";
import { fanOut } from "../../handlers/websocket/fan-out";
import { type queueEvent, say, socketEvent, useLive } from "./live";

type Post = { name?: "broadcast" | "own"; environment?: Record<string, string>; remainingMs?: number };

export const reading = (device: string, n = 0) => ({ tsmTuid: device, tsmTs: 1_767_225_600 + n, temp: n });

/** The broadcast's functions in processes of their own, with clients that are only counted. */
export function useBroadcast() {
  const live = useLive({
    connect,
    actions,
    broadcast: broadcast(),
    fanOut,
    own: broadcast({
      deviceOf: ({ site }) => {
        if (site === "bad") throw new Error("no such site");
        return site as string;
      },
      idOf: ({ key }) => key as string,
    }),
  });

  /** A connection, long open, and what it subscribed to. */
  async function client(id: string, ...devices: string[]): Promise<void> {
    await live.start("connect").invoke(socketEvent(id, "$connect", { connectedAt: Date.now() - 60_000 }));
    if (devices.length > 0) await say(live.start("actions"), id, { action: "subscribe", devices });
  }

  const post = async (
    event: ReturnType<typeof queueEvent>,
    { name = "broadcast", environment, remainingMs }: Post = {},
  ) =>
    (
      await live.start(name, environment).invoke<BatchAnswer>(event, remainingMs === undefined ? {} : { remainingMs })
    ).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  const data = (id: string) => live.got(id).map((record) => record.data);

  return { live, client, post, data };
}
