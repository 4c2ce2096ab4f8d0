// Compiles what has changed: each TypeScript file by itself into dist/, as CommonJS (types are checked by `npm run check`).

const { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } = require("node:fs");
const path = require("node:path");
const { root } = require("./node");

const sources = [
  "index.ts",
  "stack-config.ts",
  "components",
  "handlers",
  "deploy",
  "emulator",
  "bench",
  "cli",
  "integration/programs",
  "client",
  "dashboard",
  "testing",
];
const outDir = path.join(root, "dist");
const stampFile = path.join(outDir, ".compiled.json");

function* typescriptFiles(relative) {
  const absolute = path.join(root, relative);
  if (!existsSync(absolute)) return;
  if (statSync(absolute).isFile()) {
    yield relative;
    return;
  }
  for (const entry of readdirSync(absolute, { withFileTypes: true })) {
    const child = `${relative}/${entry.name}`;
    if (entry.isDirectory()) yield* typescriptFiles(child);
    else if (child.endsWith(".ts") && !child.endsWith(".d.ts")) yield child;
  }
}

const outputOf = (file) => path.join(outDir, file.replace(/\.ts$/, ".js"));

/**
 * Compiles changed files and removes the output of deleted ones. Returns how many files were compiled.
 *
 * @throws Error whose message shows what is wrong in which file.
 */
function compile(say) {
  const config = readFileSync(path.join(root, "tsconfig.json"), "utf8");
  const before = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, "utf8")) : {};
  const known = before.config === config ? before.files : {};
  const files = {};
  const changed = [];
  for (const file of sources.flatMap((source) => [...typescriptFiles(source)])) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    files[file] = `${mtimeMs}/${size}`;
    if (known[file] !== files[file] || !existsSync(outputOf(file))) changed.push(file);
  }
  const removed = Object.keys(before.files ?? {}).filter((file) => !files[file]);
  if (changed.length === 0 && removed.length === 0) return 0;

  if (changed.length > 0) say(`compiling ${changed.length} file${changed.length === 1 ? "" : "s"}`);
  const ts = require("typescript");
  const { options, errors } = ts.convertCompilerOptionsFromJson(JSON.parse(config).compilerOptions, root);
  const problems = [...errors];
  for (const file of changed) {
    const output = outputOf(file);
    const name = path.basename(output);
    const source = readFileSync(path.join(root, file), "utf8");
    const result = ts.transpileModule(source, {
      compilerOptions: options,
      fileName: path.join(root, file),
      reportDiagnostics: true,
    });
    problems.push(...(result.diagnostics ?? []));
    mkdirSync(path.dirname(output), { recursive: true });
    writeFileSync(`${output}.map`, result.sourceMapText ?? "");
    writeFileSync(output, result.outputText.replace(/sourceMappingURL=.*$/m, `sourceMappingURL=${name}.map`));
  }
  if (problems.length > 0) {
    const host = { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => "\n" };
    throw new Error(`these files do not compile:\n${ts.formatDiagnostics(problems, host)}`);
  }
  for (const file of removed) for (const suffix of ["", ".map"]) rmSync(outputOf(file) + suffix, { force: true });
  writeFileSync(stampFile, JSON.stringify({ config, files }));
  return changed.length;
}

module.exports = { compile };
