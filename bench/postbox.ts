import { randomBytes } from "node:crypto";
import { measure } from "./load";
import type { Figure, Row } from "./report";
import type { Started } from "./servers";

/** What is published, and how much of a bare server's pace a publish must keep. */
const loads = [
  { name: "1 KB", bytes: 1_000, connections: 20, amount: 2_000, promise: 0.1 },
  { name: "1 MB", bytes: 1_000_000, connections: 4, amount: 200, promise: 0.1 },
];

/**
 * Publishes through API Gateway, the authorizer's cache and S3, beside a server that reads the body and answers. What
 * announces the objects runs at the same time and on the same cores, as it does when people use it.
 */
export async function postbox(
  url: string,
  token: string,
  constant: Started,
): Promise<{ rows: Row[]; figures: Figure[] }> {
  const rows: Row[] = [];
  const figures: Figure[] = [];
  for (const { name, bytes, connections, amount, promise } of loads) {
    const body = randomBytes(bytes * 0.75).toString("base64");
    const headers = { "content-type": "text/plain", AuthDetails: token };
    const load = { headers, connections, amount, body };
    const baseline = await measure({ ...load, url: constant.url });
    const measured = await measure({ ...load, url });
    const ratio = measured.requestsPerSecond / baseline.requestsPerSecond;
    rows.push({ name: `publish of ${name}, ${connections} connections`, measured, ratios: { constant: ratio } });
    figures.push({ name: `publish of ${name} / bare server`, value: ratio, unit: "", promise: { atLeast: promise } });
  }
  return { rows, figures };
}
