/** Objects that were published. Below it, the time of the request in milliseconds since 1970, and the request's id. */
export const PUBLISHED = "published/";
/** The mark of each object that was announced: the same key with another beginning, so that both list in one order. */
export const ANNOUNCED = "announced/";
/** What the reconciliation keeps for its next run. */
export const CHECKPOINT = "reconciliation/checkpoint.json";

/** A published object by its key. */
export interface Published {
  readonly key: string;
  /** When API Gateway took the request: milliseconds since 1970. */
  readonly submittedAt: number;
  readonly requestId: string;
}

/** Keys begin with the time, 13 digits until the year 2286, and so list in the order of publishing. */
export const publishedKey = (submittedAt: number, requestId: string): string =>
  `${PUBLISHED}${submittedAt}/${requestId}`;

/** Reads a key; undefined for an object that the postbox did not store. */
export function readPublishedKey(key: string): Published | undefined {
  const [, time, requestId] = /^published\/(\d{13})\/(.+)$/s.exec(key) ?? [];
  return requestId === undefined ? undefined : { key, submittedAt: Number(time), requestId };
}

/** Where the mark of an object is. */
export const markOf = (key: string): string => `${ANNOUNCED}${key.slice(PUBLISHED.length)}`;
