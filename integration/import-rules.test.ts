import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(__dirname, "..");

/** Who may import whom, as the map in CONTRIBUTING.md draws it: a folder may use itself and what stands here. */
const allowed: Record<string, readonly string[]> = {
  "index.ts": ["components", "dashboard", "stack-config.ts"],
  "stack-config.ts": ["components"],
  components: ["handlers"],
  handlers: [],
  deploy: [],
  emulator: [],
  client: [],
  testing: ["deploy", "emulator"],
  dashboard: ["client"],
  cli: ["emulator", "deploy", "dashboard", "handlers"],
  bench: ["components", "emulator", "deploy", "cli"],
  integration: [
    "index.ts",
    "components",
    "handlers",
    "deploy",
    "emulator",
    "client",
    "dashboard",
    "cli",
    "bench",
    "testing",
  ],
};

function* filesIn(path: string): Iterable<string> {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* filesIn(child);
    else if (/\.tsx?$/.test(child)) yield child;
  }
}

/** Every module that a file names, in `import`, `export from`, `import()`, `import type` and `require()`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']([^"']+)["']/g;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

const folderOf = (path: string) => (path.includes("/") ? path.split("/")[0]! : `${path.replace(/\.ts$/, "")}.ts`);

const files = ["index.ts", "stack-config.ts", ...Object.keys(allowed).filter((name) => !name.endsWith(".ts"))].flatMap(
  (name) => (name.endsWith(".ts") ? [name] : [...filesIn(name)]),
);

const edges = files.flatMap((file) =>
  importsOf(file).map((module) => ({
    file,
    module,
    target: module.startsWith(".") ? relative(root, resolve(root, dirname(file), module)) : undefined,
  })),
);

const broken = (test: (edge: (typeof edges)[number]) => boolean) =>
  edges.filter(test).map(({ file, module }) => `${file} imports ${module}`);

describe("the arrows between folders", () => {
  it("finds imports to judge at all", () => {
    expect(edges.length).toBeGreaterThan(100);
  });

  it("go one way only", () => {
    const wrong = broken(({ file, target }) => {
      if (target === undefined) return false;
      const [from, to] = [folderOf(file), folderOf(target)];
      return to in allowed && from !== to && !allowed[from]!.includes(to);
    });
    expect(wrong).toEqual([]);
  });

  it("keep Pulumi out of the handlers, and out of the emulator", () => {
    const wrong = broken(({ file, module }) => /^(handlers|emulator)\//.test(file) && module.startsWith("@pulumi/"));
    expect(wrong).toEqual([]);
  });

  it("keep services apart: one reaches another only through the bus", () => {
    const service = (path: string) => /^emulator\/services\/([^/]+)/.exec(path)?.[1];
    const wrong = broken(({ file, target }) => {
      const [from, to] = [service(file), target && service(target)];
      return from !== undefined && to !== undefined && from !== to;
    });
    expect(wrong).toEqual([]);
  });

  it("keep the emulator's core ignorant of the services, but for the registry", () => {
    const wrong = broken(({ file, target }) => {
      return file.startsWith("emulator/core/") && target?.startsWith("emulator/services/") === true;
    });
    expect(wrong).toEqual([]);
  });

  it("keep the SDK's schema layout in one module", () => {
    const text = (file: string) => readFileSync(join(root, file), "utf8");
    const users = files.filter((file) => file.startsWith("emulator/") && /NormalizedSchema\.of/.test(text(file)));
    expect(users).toEqual(["emulator/core/protocols/model.ts"]);
  });
});
