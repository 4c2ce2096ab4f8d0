/**
 * A receiver of flespi channels for programs of one's own, which run as long as they are told to:
 *
 * ```ts
 * const channel = { channelId: "429", token: process.env.FLESPI_TOKEN!, ...CHANNEL_DEFAULTS };
 * await runReceiver(
 *   { channel, cursor: fileCursor("cursor.json", "429"), deadLetters: fileLetters("letters.ndjson"), handlers: [toStdout(), mine] },
 *   { signal: stop.signal, waitSeconds: 30 },
 * );
 * ```
 */
export type { ChannelError, ChannelOptions } from "./channel";
export type { Cursor } from "./cursor";
export { fileCursor } from "./cursor-file";
export { tableCursor } from "./cursor-table";
export { CHANNEL_DEFAULTS } from "./forms";
export type { FlespiHandler, MakeHandler, RefusedMessages } from "./handler";
export { toIoT } from "./handler-iot";
export { type MqttConnection, toMqtt } from "./handler-mqtt";
export { toQueue } from "./handler-queue";
export { toStdout } from "./handler-stdout";
export { type DeadLetters, type FlespiLetter, queueLetters } from "./letters";
export { fileLetters } from "./letters-file";
export type { FlespiMessage } from "./message";
export { makeReceiver, type Patience, type ReceiverParts, type Round, type RoundReport } from "./receive";
export { type Running, runReceiver } from "./run";
