import { describe } from "../retry";
import { addressed, readFrame } from "./actions";
import { DEVICES_FACT, frameText, limitOf, type WebSocketAnswer, type WebSocketEvent } from "./event";

/** Who sent a frame. */
export interface LiveClient {
  connectionId: string;
  /** The `id` of its principal; undefined without authorization by token. */
  principal?: string;
  /** The devices that it is limited to; undefined for all. The callback itself has to keep others from it. */
  devices?: readonly string[];
  /** The other facts that `authorize` gave, as texts. */
  context: Record<string, unknown>;
}

/**
 * Answers the frames of one action. What it returns goes back to the sender as JSON; nothing, when it returns nothing.
 * When it throws, the sender gets an error frame without the reason, which is in the function's log.
 */
export type OnAction = (frame: Record<string, unknown>, client: LiveClient) => unknown;

/** A route around a callback. */
export const customAction =
  ({ onAction }: { onAction: OnAction }) =>
  () =>
  async (event: WebSocketEvent): Promise<WebSocketAnswer> => {
    const { connectionId, authorizer, routeKey } = event.requestContext;
    const frame = readFrame(frameText(event), JSON.parse);
    if (typeof frame === "string") return answer({ type: "error", message: frame });
    try {
      const { principalId, [DEVICES_FACT]: _, ...context } = authorizer ?? {};
      const devices = limitOf(authorizer);
      const principal = typeof principalId === "string" ? principalId : undefined;
      const client = { connectionId, ...(principal && { principal }), ...(devices && { devices }), context };
      const result = await onAction(frame as Record<string, unknown>, client);
      return result === undefined ? { statusCode: 200 } : answer(result);
    } catch (error) {
      console.error(JSON.stringify({ message: "an action failed", routeKey, connectionId, reason: describe(error) }));
      return answer(addressed({ type: "error", message: "it could not be done" }, frame));
    }
  };

const answer = (content: unknown): WebSocketAnswer => ({ statusCode: 200, body: JSON.stringify(content) });
