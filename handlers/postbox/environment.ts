/**
 * What the functions are told about their surroundings, by environment variables, so that the code, and with it its
 * hash, is the same in every stack. Each function gets those that it needs.
 */
export interface PostboxVariables {
  POSTBOX_BUCKET: string;
  /** URL of the queue that consumers read. */
  POSTBOX_QUEUE: string;
  /** ARN of the queue with the arrivals that were given up. */
  POSTBOX_UNANNOUNCED_ARN: string;
  /** URL of the same. */
  POSTBOX_UNANNOUNCED: string;
  /** ARN of the queue that it got them from. */
  POSTBOX_ARRIVALS_ARN: string;
  /** Minutes that an object may be on its way to the queue. */
  POSTBOX_GRACE_MINUTES: string;
  /** SHA-256 of the shared secret, in hexadecimal. */
  POSTBOX_SECRET_HASH: string;
}

/** A variable, empty when it is not set. */
export const variable = (name: keyof PostboxVariables): string => process.env[name] ?? "";
