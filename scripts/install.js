// Installs the locked dependencies when they are missing or the lockfile has changed.

const { createHash } = require("node:crypto");
const { existsSync, lstatSync, readFileSync, unlinkSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { npmCommand, root, run } = require("./node");

const folder = path.join(root, "node_modules");
const stamp = path.join(folder, ".sensorcast-lock");

function ensureDependencies(say, node) {
  const lock = createHash("sha256")
    .update(readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const started = Date.now();
  say("installing dependencies (npm ci)");
  // npm ci empties the folder behind a link, which is another checkout's.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(folder);
  try {
    // No package of ours needs its install script: esbuild's only swaps a launcher, the others fetch Pulumi plugins.
    const flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(npmCommand(node), flags, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    say("npm ci failed: its own message is above. Nothing was started.");
    process.exit(1);
  }
  writeFileSync(stamp, lock);
  say(`installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

module.exports = { ensureDependencies };
