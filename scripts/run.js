#!/usr/bin/env node
// `npm start`, `npm test` and the other commands come through here: set up what is missing, then run the command.

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");
const { ensureNode, refuseOldNode, root } = require("./node");

const inRoot = (...names) => path.join(root, ...names);
const bin = (name) => inRoot("node_modules", name);

const deploying = ["client-broadcast", "flespi-receiver", "iam-components", "iot-stream", "network-functions"];
deploying.push("postbox", "proof-1", "thingsee", "websocket-broadcast");

/** What commands are told beside their arguments, where the caller does not say otherwise. */
const environments = {
  "least-privilege": { LEAST_PRIVILEGE: "1", PROOF_PROGRAMS: "100" },
  // As for every night, other ones each time; `npm test` runs 500, and always the same requests.
  proof: { PROOF_PROGRAMS: "20000", HOSTILE_SEED: String(Date.now() % 2 ** 31) },
};

/** What `sensorcast` does where it is installed; in a clone there are the others, too. */
const ofUsers = {
  start: "the embedded AWS with a Pulumi program on it, and pages that show what happens",
  emulator: "the embedded AWS alone",
  deploy: "deploys a Pulumi program to an endpoint, without the Pulumi CLI",
  destroy: "deletes what deploy has made",
  flespi: "receives a flespi channel",
};

/** What each command runs under Node, after the set-up. */
const commands = {
  ...Object.fromEntries(Object.keys(ofUsers).map((name) => [name, [inRoot(`dist/cli/${name}.js`)]])),
  provider: [inRoot("dist/cli/provider.js")],
  pulumi: [inRoot("dist/cli/pulumi.js")],
  bench: [inRoot("dist/bench/index.js")],
  soak: [inRoot("dist/bench/soak/index.js")],
  costs: [inRoot("dist/bench/costs/index.js")],
  test: [bin("vitest/vitest.mjs"), "run"],
  // The test files whose programs hold components.
  "least-privilege": [bin("vitest/vitest.mjs"), "run", ...deploying.map((name) => `integration/${name}`)],
  proof: [bin("vitest/vitest.mjs"), "run", "integration/proof-1", "integration/proof-2", "integration/hostile-input"],
  lint: [bin("@biomejs/biome/bin/biome"), "check", "."],
  format: [bin("@biomejs/biome/bin/biome"), "check", "--write", "."],
  // The dashboard's page is a project of its own: only it knows a browser's types.
  types: [bin("typescript/bin/tsc"), "--build", ".", "dashboard", "examples", "--noEmit"],
  docs: [bin("typedoc/bin/typedoc")],
  compile: [],
  build: [],
};

const say = (line) => process.stderr.write(`sensorcast: ${line}\n`);

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
if (!command) {
  const isHelp = name === undefined || name === "--help" || name === "-h" || name === "help";
  if (!isHelp) say(`"${name}" is not a command`);
  const lines = Object.entries(ofUsers).map(([name, does]) => `  ${name.padEnd(10)}${does}`);
  const list = `Usage: sensorcast <command>; each has --help\n\n${lines.join("\n")}\n`;
  process[isHelp ? "stdout" : "stderr"].write(list);
  process.exit(isHelp ? 0 : 2);
}

// The lockfile is in every clone and in no package.
const isClone = existsSync(inRoot("package-lock.json"));
let node = process.execPath;
if (isClone) {
  const nodeFolder = ensureNode(say);
  if (nodeFolder) {
    node = path.join(nodeFolder, process.platform === "win32" ? "node.exe" : "node");
    process.env.PATH = nodeFolder + path.delimiter + process.env.PATH;
  }
  require("./install").ensureDependencies(say, node);
  try {
    if (name !== "lint" && name !== "format" && name !== "types") require("./compile").compile(say);
    if (name === "build") require("./build").build(say);
    if (name === "pulumi") {
      const cli = require("./pulumi-cli").ensurePulumi(say, { mayDownload: true });
      if (!cli) process.exit(1);
      process.env.SENSORCAST_PULUMI = cli;
    }
  } catch (error) {
    say(error.message);
    process.exit(1);
  }
} else if (!Object.hasOwn(ofUsers, name)) {
  say(`"${name}" is there in a clone only`);
  process.exit(2);
} else refuseOldNode(say);
if (command.length > 0) {
  // A program, a receiver's files and a state belong to where the command was given; npm gives it in the clone.
  const cwd = Object.hasOwn(ofUsers, name) ? process.cwd() : root;
  const env = { ...(Object.hasOwn(environments, name) ? environments[name] : {}), ...process.env };
  const child = spawn(node, ["--enable-source-maps", ...command, ...args], { cwd, env, stdio: "inherit" });
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
