/**
 * Bytes that are to be kept, in memory of their own. A small buffer is a part of a pool of Node's (64 KiB), or of the
 * chunk that it came in, and all of that would stay as long as it.
 */
export function ownBytes(bytes: Buffer): Buffer {
  if (bytes.length * 2 > bytes.buffer.byteLength) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
