// Finds the Pulumi CLI, or makes it: downloaded by Pulumi's own npm package, or built from its Go module. Where it is
// built it lies outside of the checkout, for all of them. `node scripts/pulumi-cli.js` does so and prints where it is.

const { execFileSync } = require("node:child_process");
const { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } =
  require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { root } = require("./node");

/**
 * What Go builds. The module proxy does not serve the module of every release: that of the SDK's own version is not
 * there. The CLI and the SDK of the same major version understand each other.
 */
const version = "3.276.0";

const exe = process.platform === "win32" ? "pulumi.exe" : "pulumi";
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "sensorcast");
const built = path.join(cache, `pulumi-${version}`, exe);
const npmPackage = path.join(root, "node_modules", "pulumi");

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first program of this name on the PATH. What npm puts there is a launcher that may download first. */
function onPath(name) {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const files = folders
    .filter((folder) => folder && !folder.includes("node_modules"))
    .map((folder) => path.join(folder, name));
  return files.find(isExecutable);
}

/** Where Pulumi's npm package keeps the CLI of its own version. */
function downloaded() {
  const manifest = path.join(npmPackage, "package.json");
  if (!existsSync(manifest)) return undefined;
  const home = process.env.PULUMI_HOME || path.join(os.homedir(), ".pulumi");
  const wanted = process.env.PULUMI_VERSION || JSON.parse(readFileSync(manifest, "utf8")).version;
  return path.join(home, "versions", wanted, "bin", exe);
}

/** A CLI that is there: on the PATH, or made before. */
function findPulumi() {
  return onPath(exe) ?? [downloaded(), built].find((file) => file && isExecutable(file));
}

/** Pulumi's npm package fetches the official CLI when it is first used. */
function download(say) {
  if (!existsSync(npmPackage)) return;
  try {
    execFileSync(process.execPath, [path.join(npmPackage, "run.js"), "version"], { stdio: ["ignore", 2, 2] });
  } catch {
    say("the Pulumi CLI could not be downloaded");
  }
}

function build(say) {
  const go = onPath(process.platform === "win32" ? "go.exe" : "go");
  if (!go) return;
  say(`building the Pulumi CLI ${version} with Go (once; it takes some minutes)`);
  const started = Date.now();
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, "building-"));
  try {
    // A module of our own, because Go installs no module that has replacements; of Pulumi's, this is the one that counts.
    const clipboard = "github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e";
    const module = [
      "module pulumi-cli",
      "go 1.26",
      `require github.com/pulumi/pulumi/pkg/v3 v${version}`,
      `replace github.com/atotto/clipboard => ${clipboard}`,
    ];
    writeFileSync(path.join(work, "go.mod"), `${module.join("\n\n")}\n`);
    const named = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    const command = ["build", "-mod=mod", "-trimpath", "-ldflags", `-s -w ${named}`, "-o", exe];
    execFileSync(go, [...command, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"], {
      cwd: work,
      env: { ...process.env, GOFLAGS: "" },
      stdio: ["ignore", "ignore", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
    mkdirSync(path.dirname(built), { recursive: true });
    // Whole or not at all, also when two builds run at once.
    renameSync(path.join(work, exe), built);
    say(`built in ${((Date.now() - started) / 1000).toFixed(0)} s: ${built}`);
  } catch (error) {
    const reason = String(error.stderr ?? error.message)
      .trim()
      .split("\n")
      .at(-1);
    say(`the Pulumi CLI could not be built: ${reason}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The CLI's path, or undefined after saying why there is none. */
function ensurePulumi(say, { mayDownload }) {
  const there = findPulumi();
  if (there) return there;
  if (mayDownload) download(say);
  if (!findPulumi()) build(say);
  const made = findPulumi();
  if (!made) {
    say(
      "there is no Pulumi CLI: install it (https://www.pulumi.com/docs/iac/download-install/), or Go 1.26 to build it",
    );
  }
  return made;
}

if (require.main === module) {
  const made = ensurePulumi((line) => process.stderr.write(`sensorcast: ${line}\n`), { mayDownload: false });
  if (made) process.stdout.write(`${made}\n`);
  process.exit(made ? 0 : 1);
}

module.exports = { ensurePulumi, findPulumi };
