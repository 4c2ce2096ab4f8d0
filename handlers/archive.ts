import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Clients } from "./clients";

/** One line of JSON per message. Line ends can only stand between the parts of valid JSON, where a space means the same. */
const toLine = (text: string) => text.replace(/[\r\n]+/g, " ");

/** Where a request's messages are archived: by date and hour (UTC), in the form that Athena and Glue read as partitions. */
export function archiveKey(receivedAt: string, requestId: string): string {
  return `date=${receivedAt.slice(0, 10)}/hour=${receivedAt.slice(11, 13)}/${requestId}.ndjson.gz`;
}

/** Keeps the JSON of a request's messages as it came, as gzipped NDJSON. Throws when S3 does not take them. */
export async function archive(
  messages: readonly string[],
  { receivedAt, requestId }: { receivedAt: string; requestId: string },
  { clients, bucket }: { clients: Clients; bucket: string },
): Promise<void> {
  const lines = `${messages.map(toLine).join("\n")}\n`;
  await clients.s3().send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: archiveKey(receivedAt, requestId),
      Body: await promisify(gzip)(lines),
      ContentType: "application/x-ndjson",
      ContentEncoding: "gzip",
    }),
  );
}
