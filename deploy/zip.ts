import { promisify } from "node:util";
import { crc32, deflateRaw } from "node:zlib";
import { inParallel } from "./parallel";

const deflate = promisify(deflateRaw) as (content: Uint8Array, options: { level: number }) => Promise<Buffer>;

/** 1980-01-01 00:00, the earliest time that a zip can hold: day 1, month 1, year 0. */
const epoch = (1 << 5) | 1;
/** UTF-8 names. */
const flags = 0x0800;
/** Made on Unix, format 2.0. */
const madeBy = (3 << 8) | 20;
/** A plain file that everyone may read and run: layers' binaries and custom bootstraps are run straight from the zip. */
const attributes = 0o100755 * 0x10000;

interface Entry {
  name: Buffer;
  method: number;
  crc: number;
  size: number;
  data: Uint8Array;
}

async function entry(name: string, content: Uint8Array): Promise<Entry> {
  const packed = await deflate(content, { level: 6 });
  const smaller = packed.length < content.length;
  return {
    name: Buffer.from(name),
    method: smaller ? 8 : 0,
    crc: crc32(content),
    size: content.length,
    data: smaller ? packed : content,
  };
}

/** The fields that a local header and the central directory have in common, from the version on. */
function common({ name, method, crc, size, data }: Entry): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(flags, 2);
  header.writeUInt16LE(method, 4);
  header.writeUInt16LE(0, 6);
  header.writeUInt16LE(epoch, 8);
  header.writeUInt32LE(crc, 10);
  header.writeUInt32LE(data.length, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt16LE(name.length, 22);
  return header;
}

/**
 * A zip whose bytes depend on the names and contents only. Compressed by Node's zlib on several threads, because a
 * function with its node_modules has thousands of files (format: PKWARE APPNOTE 6.3, without zip64).
 */
export async function makeZip(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  if (files.size > 0xffff) throw new Error(`an archive can hold 65535 files, not ${files.size}`);
  const names = [...files.keys()].sort();
  const entries: Entry[] = [];
  // A few at a time: each compression takes a quarter of a megabyte of memory while it runs.
  await inParallel(names.entries(), 8, async ([index, name]) => {
    entries[index] = await entry(name, files.get(name)!);
  });
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const item of entries) {
    const shared = common(item);
    const start = Buffer.from("PK\x03\x04", "latin1");
    local.push(start, shared, item.name, item.data);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(attributes, 6);
    tail.writeUInt32LE(offset, 10);
    const version = Buffer.alloc(2);
    version.writeUInt16LE(madeBy);
    central.push(Buffer.from("PK\x01\x02", "latin1"), version, shared, tail, item.name);
    offset += start.length + shared.length + item.name.length + item.data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
