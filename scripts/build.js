// Makes the package's types beside its compiled code: `npm run build`, then `npm pack`.

const { rmSync, readdirSync } = require("node:fs");
const path = require("node:path");
const { root } = require("./node");

/** What the package's `exports` lead to. */
const entries = [
  ...["components", "testing", "client", "emulator", "deploy"].map((folder) => `${folder}/index.ts`),
  // By their paths: those who run a receiver themselves import what it is made of.
  "handlers/flespi/index.ts",
];

function* declarationsIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* declarationsIn(file);
    else if (file.endsWith(".d.ts")) yield file;
  }
}

/** Writes the declarations of all that the entries reach. @throws Error where types are wrong */
function build(say) {
  const ts = require("typescript");
  const { options } = ts.getParsedCommandLineOfConfigFile(path.join(root, "tsconfig.json"), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (problem) => {
      throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
    },
  });
  // Those of files that are gone would be in the package.
  for (const file of declarationsIn(path.join(root, "dist"))) rmSync(file);
  const program = ts.createProgram(
    entries.map((entry) => path.join(root, entry)),
    {
      ...options,
      ...{ declaration: true, emitDeclarationOnly: true, sourceMap: false, noEmit: false },
      // The compiled code is `scripts/compile.js`'s, and so is its stamp.
      ...{ incremental: false, tsBuildInfoFile: undefined },
    },
  );
  const emitted = program.emit();
  const problems = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics];
  if (problems.length > 0) {
    const host = { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => "\n" };
    throw new Error(`the types are wrong:\n${ts.formatDiagnostics(problems, host)}`);
  }
  say("dist/ is ready: `npm pack` makes the package");
}

module.exports = { build };
