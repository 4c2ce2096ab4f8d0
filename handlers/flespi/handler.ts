import type { FlespiMessage } from "./message";

/** Messages that can never be handled: why, by their `id`. They go to the dead letters, and are not handed over again. */
export type RefusedMessages = Readonly<Record<string, string>>;

/**
 * What is done with a channel's messages. Write your own as a factory, for a handler is made where it runs:
 *
 * ```ts
 * const toMyApi: MakeHandler = () => ({
 *   async handle(messages) {
 *     const answer = await fetch("https://my.api/positions", { method: "POST", body: JSON.stringify(messages.map(({ data }) => data)) });
 *     if (!answer.ok) throw new Error(`my API answered ${answer.status}`);
 *   },
 * });
 * ```
 */
export interface FlespiHandler {
  /**
   * Takes messages, in the channel's order. They count as handled when the promise resolves; when it rejects, all of
   * them come again, so a sink must tell copies by `id`. Return `{ [id]: reason }` for those that must not come again.
   */
  handle(messages: readonly FlespiMessage[]): Promise<RefusedMessages | undefined>;
  /** Ends what the handler holds open. */
  close?(): Promise<void>;
}

/** Makes a handler, once per container or process: clients are made inside. */
export type MakeHandler = () => FlespiHandler;
