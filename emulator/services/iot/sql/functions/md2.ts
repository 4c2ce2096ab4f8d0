/** The permutation of RFC 1319, which comes from the digits of pi: shuffles 0..255 by pi, as its appendix explains. */
const table = Uint8Array.from(
  Buffer.from(
    [
      "292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca",
      "1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a",
      "a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703",
      "ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1",
      "459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f",
      "5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52",
      "6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39",
      "f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314",
    ].join(""),
    "hex",
  ),
);

/** The MD2 digest (RFC 1319), 16 bytes. */
export function md2(input: Buffer): Buffer {
  const padding = 16 - (input.length % 16);
  const padded = Buffer.concat([input, Buffer.alloc(padding, padding)]);
  const checksum = Buffer.alloc(16);
  let last = 0;
  for (let block = 0; block < padded.length; block += 16) {
    for (let j = 0; j < 16; j++) last = checksum[j]! ^= table[padded[block + j]! ^ last]!;
  }
  const state = Buffer.alloc(48);
  for (const block of [...chunks(padded), checksum]) {
    for (let j = 0; j < 16; j++) {
      state[16 + j] = block[j]!;
      state[32 + j] = state[16 + j]! ^ state[j]!;
    }
    let t = 0;
    for (let round = 0; round < 18; round++) {
      for (let k = 0; k < 48; k++) t = state[k]! ^= table[t]!;
      t = (t + round) & 0xff;
    }
  }
  return state.subarray(0, 16);
}

function* chunks(buffer: Buffer): Generator<Buffer> {
  for (let at = 0; at < buffer.length; at += 16) yield buffer.subarray(at, at + 16);
}
