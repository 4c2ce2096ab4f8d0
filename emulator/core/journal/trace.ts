import { randomUUID } from "node:crypto";

/** The parts of a tracing header (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader). */
export interface Trace {
  /** The id of the trace. */
  readonly root?: string;
  /** The id of the segment that sends the header. */
  readonly parent?: string;
}

/** Reads a tracing header; what is not there, or none, is left out. */
export function readTrace(header: string | readonly string[] | undefined): Trace {
  const text = String(header ?? "");
  const root = /(?:^|[;\s])Root=([^;\s]+)/.exec(text)?.[1];
  const parent = /(?:^|[;\s])Parent=([0-9a-f]{16})\b/.exec(text)?.[1];
  return { ...(root !== undefined && { root }), ...(parent !== undefined && { parent }) };
}

/** The header of a new segment: in the trace of the header that came, or in a new one that nobody samples. */
export function continueTrace(
  header: string | undefined,
  now: number,
): { header: string; root: string; segment: string } {
  // Node draws the bytes of UUIDs in advance; asking the system for a few at each run costs far more.
  const random = `${randomUUID()}${randomUUID()}`.replaceAll("-", "").slice(0, 40);
  const root =
    readTrace(header).root ??
    `1-${Math.floor(now / 1000)
      .toString(16)
      .padStart(8, "0")}-${random.slice(0, 24)}`;
  const segment = random.slice(24);
  const sampled = /(?:^|[;\s])Sampled=1\b/.test(header ?? "") ? 1 : 0;
  return { header: `Root=${root};Parent=${segment};Sampled=${sampled}`, root, segment };
}
