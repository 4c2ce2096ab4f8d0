import { invalidArgument, invalidRange } from "./errors";

/** Bytes from `start` up to, not including, `end`. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header against a body's size. Undefined where S3 ignores the header and sends everything: when it is
 * malformed or asks for more than one range.
 *
 * @throws InvalidRange (416) when no byte of it exists.
 */
export function rangeOf(header: string | undefined, size: number): Slice | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!header || !match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    const length = Number(last);
    if (length === 0 || size === 0) throw invalidRange(header, size);
    return { start: Math.max(0, size - length), end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(header, size);
  return { start, end };
}

/** Reads the range of UploadPartCopy, which must name both ends inside the source. */
export function copyRangeOf(header: string | undefined, size: number): Slice {
  if (header === undefined) return { start: 0, end: size };
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (!match || Number(match[2]) < Number(match[1])) {
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      "x-amz-copy-source-range",
      header,
    );
  }
  if (Number(match[2]) >= size) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${size}`,
      "x-amz-copy-source-range",
      header,
    );
  }
  return { start: Number(match[1]), end: Number(match[2]) + 1 };
}
