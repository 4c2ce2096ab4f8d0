import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a channel holds: a message of any form; flespi's own are objects. */
type Message = unknown;

/** A request for messages, as it was understood. */
export interface ChannelRequest {
  /** From 1 on. */
  readonly number: number;
  readonly key: number;
  readonly waitSeconds: number;
}

/** How a request fails. */
export type ChannelFault =
  | { status: number; reason?: string; retryAfter?: string; location?: string }
  /** The connection breaks before the answer, or within. */
  | "refuse"
  | "cut"
  /** The answer is no JSON. */
  | "garbage"
  /** The answer is 200 and tells errors. */
  | "errors"
  /** The answer has messages once more that stand before the key. */
  | "repeat"
  /** The next key is the one that was asked for. */
  | "still"
  /** There is no answer. */
  | "hang";

/** A channel of flespi: it pages, and refuses what flespi would refuse. */
export interface FlespiStandin extends AsyncDisposable {
  readonly url: string;
  /** What came, those only that flespi would have understood. */
  readonly requests: ChannelRequest[];
  /** What was refused for a mistake of the receiver's, in words. */
  readonly mistakes: string[];
  /** Decides about each request. */
  fault: (request: ChannelRequest) => ChannelFault | undefined;
  /** Puts messages in. */
  add(...messages: Message[]): void;
  /** Puts a message in that is given as JSON. */
  addJson(json: string): void;
  /** Deletes all messages before a key, as flespi does when their time is over. */
  expire(before: number): void;
  /** Ends a wait of a receiver at once. */
  endWait(): void;
}

const FIELDS = ["curr_key", "timeout", "delete", "limit_count", "limit_size"];

export const channelId = 429;
export const token = "abcDEF0123456789abcDEF0123456789abcDEF0123456789abcDEF0123456789";

/** A message as flespi makes it. */
export const position = (ident: string, n: number): Record<string, unknown> => ({
  "channel.id": channelId,
  ident,
  "position.latitude": 43.955218 + n / 1000,
  "position.longitude": 37.661918,
  "protocol.id": 14,
  "server.timestamp": 1_706_905_170.17258 + n,
  timestamp: 1_706_905_170 + n,
});

export async function startFlespi(): Promise<FlespiStandin> {
  /** By their keys; the channel's first key is 1. */
  const messages: { key: number; json: string }[] = [];
  let last = 0;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const done of waiting) done();
  };

  const server = createServer((incoming, outgoing) => {
    const understood = understand(incoming);
    if ("status" in understood) {
      flespi.mistakes.push(understood.reason);
      return answer(outgoing, understood.status, { errors: [{ code: understood.code, reason: understood.reason }] });
    }
    const request = { ...understood.request, number: flespi.requests.length + 1 };
    flespi.requests.push(request);
    const fault = flespi.fault(request);
    if (fault === "refuse") return incoming.socket.destroy();
    if (fault === "hang") return;
    if (fault === "garbage") return outgoing.end('{"result":[{"ident":"secret');
    if (fault === "errors") return answer(outgoing, 200, { errors: [{ code: 17, reason: `trouble with ${token}` }] });
    if (typeof fault === "object") {
      const { status, reason = "no reason", retryAfter, location } = fault;
      if (location !== undefined) outgoing.setHeader("location", location);
      if (retryAfter !== undefined) outgoing.setHeader("retry-after", retryAfter);
      return answer(outgoing, status, { errors: [{ code: status, reason }] });
    }
    const send = () => {
      const whole = page(request.key, fault === "repeat", understood);
      const text = fault === "still" ? whole.replace(/"next_key":\d+/, `"next_key":${request.key}`) : whole;
      outgoing.setHeader("content-type", "application/json");
      if (fault !== "cut") return outgoing.end(text);
      outgoing.setHeader("content-length", Buffer.byteLength(text));
      outgoing.write(text.slice(0, text.length / 2), () => incoming.socket.destroy());
    };
    if (request.waitSeconds === 0 || messages.some(({ key }) => key >= request.key)) return send();
    const timer = setTimeout(() => wakeOne(), request.waitSeconds * 1000);
    const wakeOne = () => {
      clearTimeout(timer);
      waiting.delete(wakeOne);
      send();
    };
    waiting.add(wakeOne);
    incoming.socket.once("close", () => {
      clearTimeout(timer);
      waiting.delete(wakeOne);
    });
  });

  /** The messages from a key on; with `again`, the three before it come first, as long as there are others. */
  const page = (from: number, again: boolean, { limitCount, limitSize }: Understood) => {
    const found: string[] = [];
    let size = 0;
    let next = from;
    for (const { key, json } of messages) {
      if (key < from) continue;
      size += Buffer.byteLength(json);
      if (found.length >= limitCount || (found.length > 0 && size > limitSize)) break;
      found.push(json);
      next = key + 1;
    }
    if (again && next > from) {
      found.unshift(...messages.filter(({ key }) => key < from && key >= from - 3).map(({ json }) => json));
    }
    return `{"result":[${found.join(",")}],"next_key":${next}}`;
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const flespi: FlespiStandin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    mistakes: [],
    fault: () => undefined,
    add: (...added) => {
      for (const message of added) messages.push({ key: ++last, json: JSON.stringify(message) });
      wake();
    },
    addJson: (json) => {
      messages.push({ key: ++last, json });
      wake();
    },
    expire: (before) => {
      messages.splice(0, messages.filter(({ key }) => key < before).length);
    },
    endWait: wake,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return flespi;
}

interface Understood {
  readonly request: Omit<ChannelRequest, "number">;
  readonly limitCount: number;
  readonly limitSize: number;
}

/** Holds a request to what flespi's API asks for. */
function understand({
  method,
  url = "",
  headers,
}: IncomingMessage): Understood | { status: number; code: number; reason: string } {
  const mistake = (status: number, reason: string) => ({ status, code: status === 401 ? 6 : 4, reason });
  const { pathname, searchParams } = new URL(url, "http://flespi");
  if (headers.authorization !== `FlespiToken ${token}`) return mistake(401, "invalid token");
  if (method !== "GET" || pathname !== `/gw/channels/${channelId}/messages`)
    return mistake(404, `no ${method} ${pathname}`);
  if ([...searchParams.keys()].join() !== "data") return mistake(400, "the only parameter is data");
  let data: Record<string, unknown>;
  try {
    data = JSON.parse(searchParams.get("data")!) as Record<string, unknown>;
  } catch {
    return mistake(400, "data is not JSON");
  }
  const unknown = Object.keys(data).find((field) => !FIELDS.includes(field));
  if (unknown) return mistake(400, `data has no field ${unknown}`);
  const { curr_key: key = 0, timeout = 0, limit_count = 1000, limit_size = 1_000_000, delete: remove = false } = data;
  const numbers = [key, timeout, limit_count, limit_size];
  if (!numbers.every((number) => Number.isSafeInteger(number))) return mistake(400, "data has a number that is none");
  if (remove !== false) return mistake(400, "a receiver must not delete what it may have to read again");
  return {
    request: { key: key as number, waitSeconds: timeout as number },
    ...{ limitCount: limit_count as number, limitSize: limit_size as number },
  };
}

function answer(outgoing: ServerResponse, status: number, content: object): void {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(JSON.stringify(content));
}
