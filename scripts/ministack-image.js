#!/usr/bin/env node
// Makes sure of an image with MiniStack for Docker: MINISTACK_IMAGE, else MiniStack's own from Docker Hub, else one that
// is built here, without any registry of images, of a minimal Debian, this Node, and MiniStack from PyPI. Prints its name.
// Ends with 1 and a line that says why where there is none. Runs on Node 18 too.

const { execFileSync } = require("node:child_process");
const { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { packages, version } = require("./ministack.js");
const { ensureNode } = require("./node.js");

const official = `ministackorg/ministack:${version}`;
/** Functions run on the Node that is in the image: on one as new as Lambda's. */
const nodeFolder = ensureNode((line) => process.stderr.write(`${line}\n`));
const node = nodeFolder ? path.join(nodeFolder, "node") : process.execPath;
const own = `sensorcast/ministack:${version}-node${`${execFileSync(node, ["--version"])}`.trim().slice(1)}`;
const base = "sensorcast/debian:bookworm-python";

const dockerfile = `FROM ${base}
COPY wheels /wheels
RUN python3 -m venv /opt/ministack && /opt/ministack/bin/pip install --no-index --find-links /wheels --no-cache-dir ${packages.join(" ")} && rm -rf /wheels
COPY node /usr/local/bin/node
EXPOSE 4566
ENTRYPOINT ["/opt/ministack/bin/python", "-m", "ministack"]
`;

function fail(why) {
  process.stderr.write(`there is no image with MiniStack ${version}: ${why}\n`);
  process.exit(1);
}

/** Whether a command ends well. */
function works(command, ...args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const isThere = (image) => works("docker", "image", "inspect", image);
const pull = (image) => works("docker", "pull", "--quiet", image);

/** Runs a command, whose messages people see. */
const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", 2, 2] });

function build() {
  if (process.platform !== "linux") fail(`${official} cannot be pulled, and an image is built on Linux only`);
  if (process.getuid() !== 0) fail(`${official} cannot be pulled, and debootstrap builds a Debian for root only`);
  if (!works("debootstrap", "--version"))
    fail(`${official} cannot be pulled, and there is no debootstrap to build one`);
  const folder = mkdtempSync(path.join(tmpdir(), "ministack-image-"));
  process.stderr.write(`building the image ${own} (once)\n`);
  try {
    if (!isThere(base)) {
      const [root, archive] = [path.join(folder, "root"), path.join(folder, "root.tar")];
      run("debootstrap", "--variant=minbase", "--include=python3-venv,ca-certificates", "bookworm", root);
      run("tar", "--create", "--file", archive, "--directory", root, "--exclude=./proc/*", "--exclude=./sys/*", ".");
      run("docker", "import", archive, base);
    }
    const context = path.join(folder, "context");
    mkdirSync(context);
    const wheels = path.join(context, "wheels");
    // Debian's Python of the image, whatever this machine has.
    const platform = ["--python-version", "3.11", "--only-binary", ":all:"];
    run("python3", "-m", "pip", "download", "--quiet", "--dest", wheels, ...platform, ...packages);
    copyFileSync(node, path.join(context, "node"));
    writeFileSync(path.join(context, "Dockerfile"), dockerfile);
    run("docker", "build", "--quiet", "--tag", own, context);
  } catch {
    fail("it could not be built; the command's own message is above");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function find() {
  const named = process.env.MINISTACK_IMAGE;
  if (named) return isThere(named) || pull(named) ? named : fail(`MINISTACK_IMAGE is ${named}, which cannot be pulled`);
  const known = [official, own].find(isThere);
  if (known) return known;
  if (pull(official)) return official;
  build();
  return own;
}

if (!works("docker", "info")) fail("no Docker daemon answers");
process.stdout.write(`${find()}\n`);
