import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundle } from "../components/bundle";

const text = 'exports.handler = require("greeting").of("you");';
const before = process.cwd();
let project = "";

const dependency = (code: string) => writeFile(join(project, "node_modules/greeting/index.js"), code);
const kept = join("node_modules", ".cache", "sensorcast", "bundles");

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "bundles-"));
  await mkdir(join(project, "node_modules/greeting"), { recursive: true });
  await dependency('exports.of = (name) => "hello " + name;');
  process.chdir(project);
});

afterEach(async () => {
  process.chdir(before);
  await rm(project, { recursive: true });
});

/** What the bundled function says. */
async function said(): Promise<string> {
  const module = { exports: {} as { handler?: string } };
  new Function("module", "exports", await bundle(text, "the function"))(module, module.exports);
  return module.exports.handler!;
}

it("makes a function's code once while nothing that went into it changes", async () => {
  expect(await said()).toBe("hello you");
  const [name] = await readdir(join(project, kept));
  const path = join(project, kept, name!);
  await writeFile(path, (await readFile(path, "utf8")).replace("hello ", "kept, "));
  expect(await said()).toBe("kept, you");
});

it("makes it once, however often the program's own index.js is edited", async () => {
  await writeFile(join(project, "index.js"), "// the program");
  expect(await said()).toBe("hello you");
  const [name] = await readdir(join(project, kept));
  const path = join(project, kept, name!);
  await writeFile(path, (await readFile(path, "utf8")).replace("hello ", "kept, "));
  await writeFile(join(project, "index.js"), "// the program, edited");
  expect(await said()).toBe("kept, you");
});

it("takes up a change of a module that the function requires", async () => {
  expect(await said()).toBe("hello you");
  await dependency('exports.of = (name) => "good night " + name;');
  expect(await said()).toBe("good night you");
});

it.each([
  ["what npm installed", "node_modules/.package-lock.json"],
  ["what pnpm installed", "node_modules/.modules.yaml"],
  ["what Yarn installed", "node_modules/.yarn-integrity"],
  ["what Yarn installed since version 2", "node_modules/.yarn-state.yml"],
  ["what the program's package.json says", "package.json"],
  ["what its tsconfig.json says", "tsconfig.json"],
])("takes up %s since, though no file that went in has changed", async (_what, changed) => {
  expect(await said()).toBe("hello you");
  const [name] = await readdir(join(project, kept));
  const path = join(project, kept, name!);
  await writeFile(path, (await readFile(path, "utf8")).replace("hello ", "old, "));
  await writeFile(join(project, changed), "{}\n");
  expect(await said()).toBe("hello you");
});

it("makes the code anew when what was kept is cut off", async () => {
  expect(await said()).toBe("hello you");
  const [name] = await readdir(join(project, kept));
  await writeFile(join(project, kept, name!), '{"code": "exp');
  expect(await said()).toBe("hello you");
});

it("deploys all the same where nothing can be kept", async () => {
  await writeFile(join(project, "node_modules/.cache"), "a file where the folder should be");
  expect(await said()).toBe("hello you");
});
