import { AwsError } from "./errors";

/** An aws-chunked body with its framing removed. */
export interface Unchunked {
  readonly body: Buffer;
  readonly trailers: Record<string, string>;
}

/** Whether a request's body is framed in aws-chunked form (signed or unsigned, with or without trailers). */
export const isChunked = (headers: Readonly<Record<string, string | undefined>>): boolean =>
  headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true ||
  /(^|,)\s*aws-chunked\s*(,|$)/.test(headers["content-encoding"] ?? "");

const malformed = (what: string) =>
  new AwsError("IncompleteBody", `The request body is not a valid aws-chunked stream: ${what}`);

/**
 * Removes aws-chunked framing: `<hex size>[;chunk-signature=...]\r\n<bytes>\r\n ... 0\r\n<trailers>\r\n`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html).
 */
export function unchunk(framed: Buffer): Unchunked {
  const parts: Buffer[] = [];
  const trailers: Record<string, string> = {};
  let at = 0;
  const line = (): string => {
    const end = framed.indexOf("\r\n", at);
    if (end < 0) throw malformed("a line without its end");
    const text = framed.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const header = line();
    const size = Number.parseInt(header, 16);
    if (!/^[0-9a-f]+(;|$)/i.test(header) || !Number.isSafeInteger(size)) throw malformed("a chunk without a size");
    if (size === 0) break;
    if (at + size + 2 > framed.length) throw malformed("a chunk shorter than its size");
    parts.push(framed.subarray(at, at + size));
    at += size + 2;
  }
  while (at < framed.length) {
    const text = line();
    const colon = text.indexOf(":");
    if (colon > 0) trailers[text.slice(0, colon).trim().toLowerCase()] = text.slice(colon + 1).trim();
  }
  return { body: parts.length === 1 ? parts[0]! : Buffer.concat(parts), trailers };
}
