import { spawnSync } from "node:child_process";
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sensorcast-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("installs for this checkout only, when its node_modules is a link to another one's", () => {
  const root = resolve(__dirname, "..");
  const [checkout, other] = [join(folder, "checkout"), join(folder, "other")];
  cpSync(join(root, "scripts"), join(checkout, "scripts"), { recursive: true });
  cpSync(join(root, "tsconfig.json"), join(checkout, "tsconfig.json"));
  // One dependency, which comes from no registry.
  const project = { name: "checkout", version: "1.0.0", dependencies: { part: "file:part" } };
  const part = { name: "part", version: "1.0.0" };
  mkdirSync(join(checkout, "part"));
  writeFileSync(join(checkout, "part", "package.json"), JSON.stringify(part));
  writeFileSync(join(checkout, "package.json"), JSON.stringify(project));
  const lock = {
    ...project,
    lockfileVersion: 3,
    requires: true,
    packages: { "": project, part, "node_modules/part": { resolved: "part", link: true } },
  };
  writeFileSync(join(checkout, "package-lock.json"), JSON.stringify(lock));
  mkdirSync(join(other, "typescript"), { recursive: true });
  symlinkSync(other, join(checkout, "node_modules"));

  const { status, stderr } = spawnSync(process.execPath, ["scripts/run.js", "compile"], {
    cwd: checkout,
    encoding: "utf8",
  });
  expect(stderr).toContain("installing dependencies");
  expect(lstatSync(join(checkout, "node_modules")).isSymbolicLink()).toBe(false);
  expect(readdirSync(join(checkout, "node_modules"))).toContain("part");
  expect(readdirSync(other)).toEqual(["typescript"]);
  expect(status).toBe(0);
});
