import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { costsPage } from "../bench/costs/page";

describe("docs/costs.md", () => {
  it("is what the prices and the workload give", () => {
    const page = readFileSync(resolve(__dirname, "../docs/costs.md"), "utf8");
    expect(page, "run npm run costs and commit docs/costs.md").toBe(costsPage());
  });
});
