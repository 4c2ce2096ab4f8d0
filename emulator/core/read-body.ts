import type { IncomingMessage } from "node:http";
import { AwsError } from "./errors";

/** Largest request body that is taken, in bytes; more gets 413. Everything is kept in memory. */
export const bodyLimit = 512 * 1024 * 1024;

/**
 * Reads a body whole.
 *
 * @throws AwsError 413 when it is larger than `limit` bytes; the rest is read and dropped, so that the client sees the answer.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () => {
      if (size > limit) reject(new AwsError("RequestEntityTooLarge", `The request body exceeds ${limit} bytes`, 413));
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    request.on("error", reject);
    // An HTTP/2 stream that breaks off has no error.
    request.on("close", () => {
      if (!request.complete) reject(new Error("the client went away"));
    });
  });
}
