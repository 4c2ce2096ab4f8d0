/** One record as it arrives. `Data` is what your devices send. */
export interface LiveRecord<Data = Record<string, unknown>> {
  /** Unique to the record, and the same when it is delivered again. */
  readonly id: string;
  /** Which device it is about; empty where the server does not say. */
  readonly device: string;
  /** The message as the device sent it. */
  readonly data: Data;
  /** When the server accepted it, ISO 8601. */
  readonly at?: string;
  /** Who sent it, where it is another client's `message`. */
  readonly from?: string;
}

/** What one frame from the server holds. */
export type Frame =
  | { readonly kind: "records"; readonly records: readonly LiveRecord<unknown>[]; readonly skipped: number }
  | { readonly kind: "subscribed" | "unsubscribed"; readonly devices: readonly string[] }
  | {
      readonly kind: "error";
      readonly message: string;
      readonly action?: string;
      readonly requestId?: string;
      /** It may go well when it is sent again. */
      readonly retry: boolean;
      /** Nothing reaches this connection any more. */
      readonly reconnect: boolean;
    }
  | { readonly kind: "pong" | "unknown" }
  | { readonly kind: "unreadable"; readonly message: string };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

function toRecord(value: unknown): LiveRecord<unknown> | undefined {
  if (!isObject(value) || typeof value.id !== "string" || value.id === "" || !("data" in value)) return undefined;
  const [at, from] = [text(value.at), text(value.from)];
  return {
    id: value.id,
    device: text(value.device) ?? "",
    data: value.data,
    ...(at !== undefined && { at }),
    ...(from !== undefined && { from }),
  };
}

function toRecords(values: readonly unknown[]): Frame {
  const records = values.map(toRecord).filter((record) => record !== undefined);
  return { kind: "records", records, skipped: values.length - records.length };
}

/**
 * What API Gateway itself says when it could not have a frame handled: throttled, or the function failed. Its ids are
 * its own.
 */
function gatewayProblem({ message, connectionId, requestId, data }: Record<string, unknown>): string | undefined {
  const isOne = data === undefined && (typeof connectionId === "string" || typeof requestId === "string");
  return isOne ? text(message) : undefined;
}

/** Reads a frame from the server; never throws. What it may hold stands in docs/websocket-messages.md. */
export function readFrame(raw: unknown): Frame {
  if (typeof raw !== "string") return { kind: "unreadable", message: "The server sent a binary frame" };
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return { kind: "unreadable", message: "The server sent a frame that is not JSON" };
  }
  if (Array.isArray(value)) return toRecords(value);
  if (!isObject(value))
    return { kind: "unreadable", message: "The server sent a frame that is no array and no object" };
  switch (value.type) {
    case undefined: {
      const message = gatewayProblem(value);
      return message === undefined ? toRecords([value]) : { kind: "error", message, retry: true, reconnect: false };
    }
    case "pong":
      return { kind: "pong" };
    case "subscribed":
    case "unsubscribed":
      return { kind: value.type, devices: strings(value.devices) };
    case "error": {
      const [action, requestId] = [text(value.action), text(value.requestId)];
      return {
        kind: "error",
        message: text(value.message) ?? "The server reports an error without words",
        ...(action !== undefined && { action }),
        ...(requestId !== undefined && { requestId }),
        retry: value.retry === true,
        reconnect: value.reconnect === true,
      };
    }
    default:
      return { kind: "unknown" };
  }
}

// API Gateway closes with 1009 at a frame over 32 KB, and browsers send a message as one frame.
const frameBytes = 30 * 1024;
// The broadcast takes so many devices at a time.
const frameDevices = 100;

/** The frames that subscribe to these devices, or unsubscribe from them: several where one would be too large. */
export function deviceFrames(action: "subscribe" | "unsubscribe", devices: Iterable<string>): string[] {
  const encoder = new TextEncoder();
  const groups: string[][] = [];
  let room = 0;
  for (const device of devices) {
    const bytes = encoder.encode(JSON.stringify(device)).length + 1;
    if (bytes > room || groups.at(-1)?.length === frameDevices) {
      groups.push([]);
      room = frameBytes;
    }
    groups.at(-1)!.push(device);
    room -= bytes;
  }
  return groups.map((group) => JSON.stringify({ action, devices: group }));
}
