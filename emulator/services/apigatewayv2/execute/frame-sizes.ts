/**
 * Reads along with a WebSocket byte stream and tells how large its frames are, which a receiver of whole messages does
 * not. Looks at frame headers only (RFC 6455, 5.2).
 */
export class FrameSizes {
  /** Bytes of the current header so far; a header has 14 at most. */
  private readonly header = Buffer.alloc(14);
  private have = 0;
  /** Payload bytes of the current frame still to come. */
  private skip = 0;

  /** The largest payload of the data frames that begin in this chunk, in bytes; 0 when none does. */
  feed(chunk: Buffer): number {
    let largest = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.skip > 0) {
        const passed = Math.min(this.skip, chunk.length - at);
        this.skip -= passed;
        at += passed;
        continue;
      }
      this.header[this.have++] = chunk[at++]!;
      if (this.have < this.needed()) continue;
      const size = this.payload();
      if (this.header[0]! % 16 < 8) largest = Math.max(largest, size);
      this.have = 0;
      this.skip = size;
    }
    return largest;
  }

  /** The length of the header as far as it can be told. */
  private needed(): number {
    if (this.have < 2) return 2;
    const second = this.header[1]!;
    const extended = second % 128 === 126 ? 2 : second % 128 === 127 ? 8 : 0;
    return 2 + extended + (second >= 128 ? 4 : 0);
  }

  private payload(): number {
    const length = this.header[1]! % 128;
    if (length === 126) return this.header.readUInt16BE(2);
    // Beyond 2^53 the receiver itself gives up on the frame.
    return length === 127 ? Number(this.header.readBigUInt64BE(2)) : length;
  }
}
