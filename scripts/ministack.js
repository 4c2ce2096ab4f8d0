#!/usr/bin/env node
// Makes sure of MiniStack: in a Python environment of its own, in the user's cache. Prints the Python to run it with.
// Ends with 1 and a line that says why where it cannot be had. Runs on Node 18 too.

const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, renameSync, rmSync } = require("node:fs");
const { homedir } = require("node:os");
const path = require("node:path");

const version = "1.5.33";
/** Certificates of IoT need `cryptography`, which MiniStack alone does not ask for. */
const packages = [`ministack==${version}`, "cryptography==50.0.2"];
/** What MiniStack asks for (https://pypi.org/project/ministack/). */
const oldestPython = [3, 10];

const isWindows = process.platform === "win32";
const caches = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
const folder = path.join(caches, "sensorcast", `ministack-${version}`);
const pythonIn = (environment) => path.join(environment, isWindows ? "Scripts/python.exe" : "bin/python");

function fail(why) {
  process.stderr.write(`MiniStack ${version} cannot be had: ${why}\n`);
  process.exit(1);
}

/** The first Python of the PATH that is new enough. */
function findPython() {
  for (const name of ["python3", "python"]) {
    try {
      const words = execFileSync(name, ["-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [major, minor] = `${words}`.trim().split(" ").map(Number);
      if (major === oldestPython[0] && minor >= oldestPython[1]) return name;
    } catch {
      // Not there, or without venv: the next may do.
    }
  }
  return fail(`no Python ${oldestPython.join(".")} or newer with venv on the PATH`);
}

function install() {
  const python = findPython();
  const partial = `${folder}.${process.pid}`;
  process.stderr.write(`installing MiniStack ${version} into ${folder} (once)\n`);
  try {
    mkdirSync(path.dirname(folder), { recursive: true });
    execFileSync(python, ["-m", "venv", partial], { stdio: ["ignore", "ignore", "inherit"] });
    const flags = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    execFileSync(pythonIn(partial), [...flags, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
    // Whole or not at all, also when two runs begin at once. Its Python is a link, and stays good under another name.
    if (!existsSync(folder)) renameSync(partial, folder);
  } catch {
    // The folder is looked for below.
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  if (!existsSync(folder)) fail("pip could not install it; its own message is above");
}

if (require.main === module) {
  if (!existsSync(pythonIn(folder))) install();
  process.stdout.write(`${pythonIn(folder)}\n`);
}

module.exports = { packages, version };
