import { open } from "node:fs/promises";
import { type DeadLetters, letterText } from "./letters";

/** Letters to a file, one as JSON on each line; kept when they are on the disk. */
export const fileLetters =
  (path: string): DeadLetters =>
  async (letters) => {
    const file = await open(path, "a", 0o600);
    try {
      await file.appendFile(letters.map(({ letter, json }) => `${letterText(letter, json)}\n`).join(""));
      await file.sync();
    } finally {
      await file.close();
    }
  };
