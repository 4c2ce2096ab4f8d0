import { isRawNumber, needsExactParse, parseExactly } from "../exact-json";
import { describe } from "../retry";

/** A channel, and how its messages are fetched. */
export interface ChannelOptions {
  readonly channelId: string;
  /** A flespi token that may read the channel. */
  readonly token: string;
  /** Where flespi's API is. */
  readonly url: string;
  /** Most messages of a page. */
  readonly limitCount: number;
  /** Most bytes of a page. */
  readonly limitSize: number;
}

/** Some of a channel's messages, in its order. */
export interface Page {
  readonly elements: readonly unknown[];
  /** Where the next page begins: a whole number as text, for it may be larger than JavaScript's are. */
  readonly nextKey: string;
}

/** Why there is no page. */
export interface ChannelError extends Error {
  /** It may go well later. */
  readonly transient: boolean;
  /** Milliseconds that flespi asks to wait. */
  readonly retryAfterMs?: number;
}

/** Beyond the time that flespi itself waits for messages. */
const ANSWER_MS = 30_000;
/** A receiver that is asked to stay away for longer looks whether that still holds. */
const LONGEST_PAUSE_MS = 60 * 60 * 1000;
/** More than any page that flespi makes: what is longer is no answer of its. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export const isChannelError = (error: unknown): error is ChannelError =>
  error instanceof Error && error.name === "ChannelError";

const channelError = (message: string, transient: boolean, retryAfterMs?: number): ChannelError =>
  Object.assign(new Error(message), { name: "ChannelError", transient, ...(retryAfterMs && { retryAfterMs }) });

/**
 * Fetches the messages from a key on; `waitSeconds` for the first of them when there are none. They stay in the channel:
 * flespi deletes them when their time is over, and never because they were read.
 *
 * @throws a {@link ChannelError}, or what `signal` was aborted with
 * @see https://flespi.io/docs/#/gw/channels/get_channels_ch_selector_messages
 */
export async function fetchPage(
  { channelId, token, url, limitCount, limitSize }: ChannelOptions,
  { key, waitSeconds, signal, timeoutMs = ANSWER_MS }: { key: string } & PageWait,
): Promise<Page> {
  const limits = `"limit_count":${limitCount},"limit_size":${limitSize}`;
  const data = `{"curr_key":${key},"timeout":${waitSeconds},"delete":false,${limits}}`;
  const address = `${url}/gw/channels/${channelId}/messages?data=${encodeURIComponent(data)}`;
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(waitSeconds * 1000 + timeoutMs)));
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(address, {
      headers: { Authorization: `FlespiToken ${token}`, Accept: "application/json" },
      // Another host must not be told the token.
      redirect: "error",
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    text = await readText(answer);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isChannelError(error)) throw error;
    const cause = (error as Error).cause ?? error;
    throw channelError(`flespi was not reached: ${describe(cause).replaceAll(token, "***")}`, true);
  }
  return readPage(answer, text, { key, token, channelId });
}

/** How long it may take. */
export interface PageWait {
  /** Seconds that flespi waits for a message when there is none. */
  readonly waitSeconds: number;
  readonly signal?: AbortSignal;
  /** Milliseconds for the answer beyond that. */
  readonly timeoutMs?: number;
}

async function readText(answer: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES)
      throw channelError("flespi answered with more than 64 MB: use a smaller limitSize", false);
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

interface Asked {
  readonly key: string;
  readonly token: string;
  readonly channelId: string;
}

function readPage(answer: Response, text: string, { key, token, channelId }: Asked): Page {
  const content = parse(text);
  const reasons = errorsOf(content).replaceAll(token, "***");
  const { status } = answer;
  if (!answer.ok) {
    const why = reasons === "" ? "" : `: ${reasons}`;
    if (status === 401 || status === 403) {
      throw channelError(
        `flespi refused the token (HTTP ${status})${why}; use one that may read channel ${channelId}`,
        false,
      );
    }
    // A time-out of the request, or being asked to come later, says nothing about the request itself.
    const transient = status === 408 || status === 425 || status === 429 || status >= 500;
    throw channelError(`flespi answered HTTP ${status}${why}`, transient, retryAfter(answer));
  }
  if (reasons !== "") throw channelError(`flespi answered with errors: ${reasons}`, true);
  const { result, next_key } = (content ?? {}) as { result?: unknown; next_key?: unknown };
  if (!Array.isArray(result)) throw channelError("flespi's answer is not JSON with an array named result", true);
  const nextKey = next_key === undefined && result.length === 0 ? key : keyOf(next_key);
  if (nextKey === undefined) throw channelError("flespi's answer has no next_key that is a whole number", true);
  if (BigInt(nextKey) < BigInt(key) || (nextKey === key && result.length > 0)) {
    throw channelError(`flespi's next_key ${nextKey} is not after curr_key ${key}`, true);
  }
  return { elements: result, nextKey };
}

function parse(text: string): unknown {
  try {
    return needsExactParse(text) ? parseExactly(text) : JSON.parse(text);
  } catch (error) {
    // Exact numbers take stack; what is nested so deeply is no message, but its neighbours are.
    if (error instanceof RangeError) return JSON.parse(text);
    // The parser's message repeats the content.
    return undefined;
  }
}

/** What flespi says is wrong, in one line; empty when nothing is. */
function errorsOf(content: unknown): string {
  const errors = (content as { errors?: unknown } | null | undefined)?.errors;
  if (!Array.isArray(errors)) return "";
  const texts = errors.map((error: { code?: unknown; reason?: unknown } | null) => {
    const code = typeof error?.code === "number" ? `${error.code} ` : "";
    return `${code}${typeof error?.reason === "string" ? error.reason : "without a reason"}`;
  });
  return texts.join("; ").slice(0, 500);
}

function keyOf(value: unknown): string | undefined {
  const text = isRawNumber(value) ? value.rawJSON : typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,38}$/.test(text) ? String(BigInt(text)) : undefined;
}

/** The header Retry-After: seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter({ headers }: Response): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? Math.min(ms, LONGEST_PAUSE_MS) : undefined;
}
