#!/usr/bin/env node
// `npm start`, `npm test` and the other commands come through here: set up what is missing, then run the command.

const { spawn } = require("node:child_process");
const path = require("node:path");
const { ensureNode, root } = require("./node");

const inRoot = (...names) => path.join(root, ...names);
const bin = (name) => inRoot("node_modules", name);

/** What each command runs under Node, after the set-up. */
const commands = {
  start: [inRoot("dist/cli/start.js")],
  emulator: [inRoot("dist/cli/emulator.js")],
  flespi: [inRoot("dist/cli/flespi.js")],
  bench: [inRoot("dist/bench/index.js")],
  test: [bin("vitest/vitest.mjs"), "run"],
  lint: [bin("@biomejs/biome/bin/biome"), "check", "."],
  format: [bin("@biomejs/biome/bin/biome"), "check", "--write", "."],
  // The dashboard's page is a project of its own: only it knows a browser's types.
  types: [bin("typescript/bin/tsc"), "--build", ".", "dashboard", "--noEmit"],
  compile: [],
};

const say = (line) => process.stderr.write(`sensorcast: ${line}\n`);

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
if (!command) {
  const isHelp = name === undefined || name === "--help" || name === "-h" || name === "help";
  if (!isHelp) say(`"${name}" is not a command`);
  const list = `Usage: sensorcast <command>; each has --help\n\n  start     the embedded AWS with the stack on it\n  emulator  the embedded AWS alone\n  flespi    receives a flespi channel\n`;
  process[isHelp ? "stdout" : "stderr"].write(list);
  process.exit(isHelp ? 0 : 2);
}

const nodeFolder = ensureNode(say);
const node = nodeFolder ? path.join(nodeFolder, process.platform === "win32" ? "node.exe" : "node") : process.execPath;
if (nodeFolder) process.env.PATH = nodeFolder + path.delimiter + process.env.PATH;
require("./install").ensureDependencies(say, node);
if (name !== "lint" && name !== "format" && name !== "types") require("./compile").compile(say);
if (command.length > 0) {
  // A receiver's files belong to where it was started.
  const cwd = name === "flespi" ? process.cwd() : root;
  const child = spawn(node, ["--enable-source-maps", ...command, ...args], { cwd, stdio: "inherit" });
  // Ctrl-C reaches the whole group: the child decides when it is done, and with which exit code.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => (signal === "SIGINT" ? undefined : child.kill(signal)));
  }
  // A signal to npm alone ends the shell between npm and this process, and goes no further.
  const parent = process.ppid;
  const isOrphan = () => process.env.npm_lifecycle_event && process.ppid !== parent;
  setInterval(() => isOrphan() && child.kill("SIGTERM"), 500).unref();
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}
