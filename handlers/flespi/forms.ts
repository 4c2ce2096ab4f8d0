/** What the settings of a channel look like. */
export const CHANNEL_ID = /^[1-9]\d{0,17}$/;
/** A header holds visible characters only. */
export const TOKEN = /^[!-~]{16,}$/;
/** Tokens do not travel in clear text, but to this machine. */
export const API_URL = /^(https:\/\/[^/?#]+|http:\/\/(localhost|127\.0\.0\.1)(:\d+)?)$/;

/** Where flespi's API is. */
export const FLESPI_URL = "https://flespi.io";

/** Messages of one request. The least are two: a message that no handler takes is told from a sink that is down by its neighbours. */
export const LIMIT_COUNT = { min: 2, max: 10_000, use: 1000 };
/** Bytes of one request. */
export const LIMIT_SIZE = { min: 1000, max: 10_000_000, use: 1_000_000 };
/** Seconds that flespi waits for a message. */
export const WAIT_SECONDS = { min: 0, max: 60 };

/** The settings of a channel that need not be given. */
export const CHANNEL_DEFAULTS = { url: FLESPI_URL, limitCount: LIMIT_COUNT.use, limitSize: LIMIT_SIZE.use };
