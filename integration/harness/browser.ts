import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** The browser to test with, or nothing where there is none on the PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What to call tests that need a browser: a skipped one says why. */
export const inBrowser = (name: string): string =>
  findChromium() ? name : `${name} (skipped: no ${names.join(", ")} on the PATH)`;

/** Starts it without a window and without calls home. */
export function startChromium(): Promise<Browser> {
  const flags = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"];
  return chromium.launch({
    executablePath: findChromium(),
    args: [...flags, "disable-component-update", "disable-sync"].map((flag) => `--${flag}`),
  });
}
