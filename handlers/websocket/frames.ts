import type { LiveRecord } from "./record";

/** API Gateway meters in parts of this size, and takes no larger WebSocket frame from a client (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html). */
const FRAME_BYTES = 32 * 1024;
/** The largest message of a WebSocket API. */
export const MAX_FRAME_BYTES = 128 * 1024;

/** What is posted at once: the records, by their places in the list, and their text. */
export interface Frame {
  readonly places: readonly number[];
  readonly data: Buffer;
}

/**
 * Puts records into as few frames as hold them: JSON arrays of up to 32 KB, of one record where it alone is larger. With
 * `single`, each record is a frame, without the array.
 */
export function toFrames(records: readonly LiveRecord[], places: readonly number[], single: boolean): Frame[] {
  const textOf = (place: number) => records[place]?.text ?? "";
  if (single) return places.map((place) => ({ places: [place], data: Buffer.from(textOf(place)) }));
  const frames: { places: number[]; size: number }[] = [];
  for (const place of places) {
    const size = Buffer.byteLength(textOf(place)) + 1;
    const last = frames.at(-1);
    // One more byte for the second bracket.
    if (last && last.size + size < FRAME_BYTES) {
      last.places.push(place);
      last.size += size;
    } else frames.push({ places: [place], size });
  }
  return frames.map((frame) => ({
    places: frame.places,
    data: Buffer.from(`[${frame.places.map(textOf).join(",")}]`),
  }));
}
