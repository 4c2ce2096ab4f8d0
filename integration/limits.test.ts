import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { limitTable } from "../emulator/core/limits";
import { limitsPage } from "./harness/limits-page";

const path = resolve(__dirname, "../docs/limits.md");

describe("docs/limits.md", () => {
  it("tells of the limits that the emulator has", () => {
    const page = limitsPage(limitTable);
    if (process.env.UPDATE_DOCS) writeFileSync(path, page);
    const cure = "run UPDATE_DOCS=1 npm test -- integration/limits.test.ts and commit docs/limits.md";
    expect(readFileSync(path, "utf8"), cure).toBe(page);
  });

  it("names a page of AWS for each", () => {
    for (const { limits } of limitTable) {
      for (const { source } of Object.values(limits)) expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\/\S+$/);
    }
  });
});
