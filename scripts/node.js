// Finds a Node that is new enough, or fetches one for this platform from the npm registry into the project's cache.
// Runs on Node 18 too: no dependency, no new syntax.

const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, renameSync, rmSync } = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");

/** The dependencies need this or newer; the Lambda runtime is Node 24. */
const oldest = [22, 22];

/** Packages of the npm registry that hold nothing but a Node binary, at versions that exist for each platform. */
const binaries = {
  "linux-x64": "24.21.0",
  "linux-arm64": "24.21.0",
  "darwin-x64": "24.18.1",
  "win32-x64": "24.21.0",
};

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** npm as a list of words to run: the npm that started this script, else the one on the PATH. */
function npmCommand(node) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith(".js")) return [node, cli];
  return [process.platform === "win32" ? "npm.cmd" : "npm"];
}

function run([command, ...first], args, options) {
  const shell = process.platform === "win32" && command.endsWith(".cmd");
  return execFileSync(command, [...first, ...args], { cwd: root, shell, ...options });
}

const tooOld = () => `Sensorcast needs Node ${oldest.join(".")} or newer; this is ${process.versions.node}`;

/** Ends the process where the running Node does not fit: as a package, nothing is fetched behind its user's back. */
function refuseOldNode(say) {
  if (isNewEnough(process.versions.node)) return;
  say(`${tooOld()}. Install Node 24 from https://nodejs.org and run this again.`);
  process.exit(1);
}

/**
 * The folder of a Node that fits, or undefined when the running one does.
 * Ends the process with a plain message where none can be had.
 */
function ensureNode(say) {
  if (isNewEnough(process.versions.node)) return undefined;
  const platform = `${process.platform}-${process.arch}`;
  const version = binaries[platform];
  const wanted = tooOld();
  if (!version) {
    say(
      `${wanted}. There is no ready binary for ${platform}: install Node 24 from https://nodejs.org and run this again.`,
    );
    process.exit(1);
  }
  const cache = path.join(root, ".cache", `node-${version}`);
  const name = `node-${platform.replace("win32", "win")}`;
  const bin = path.join(cache, "node_modules", name, "bin");
  if (existsSync(bin)) return bin;
  say(`${wanted}: fetching Node ${version} into .cache (once)`);
  const partial = `${cache}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(npmCommand(process.execPath), ["install", "--prefix", partial, ...flags, `${name}@${version}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    // Whole or not at all, also when two commands start at once.
    if (!existsSync(cache)) renameSync(partial, cache);
  } catch {
    say(
      `Node ${version} could not be fetched from the npm registry: install Node 24 from https://nodejs.org and run this again.`,
    );
    process.exit(1);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return bin;
}

module.exports = { ensureNode, npmCommand, refuseOldNode, root, run };
