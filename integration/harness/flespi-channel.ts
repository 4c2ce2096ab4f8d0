import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { temporaryDirectory } from "./flespi";
import { type FlespiStandin, position, startFlespi } from "./flespi-standin";

/** Messages of three devices. */
export const many = (count: number, ident = "truck") =>
  Array.from({ length: count }, (_, n) => position(`${ident}-${n % 3}`, n));

/** A stand-in for flespi and a file for the cursor, anew for each test. Read it inside tests only. */
export function useFlespi() {
  let flespi: FlespiStandin;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let cursorFile: string;
  beforeEach(async () => {
    // What goes wrong on purpose is told there.
    vi.spyOn(console, "warn").mockReturnValue(undefined);
    flespi = await startFlespi();
    directory = await temporaryDirectory();
    cursorFile = join(directory.path, "cursor.json");
  });
  afterEach(async () => {
    expect(flespi.mistakes).toEqual([]);
    await flespi[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const nextKey = async () => JSON.parse(await readFile(cursorFile, "utf8")).nextKey as string;
  return {
    get flespi() {
      return flespi;
    },
    get cursorFile() {
      return cursorFile;
    },
    get directory() {
      return directory;
    },
    nextKey,
  };
}
