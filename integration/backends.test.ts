import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { backendOf } from "./harness/backends/backend";
import { whyNot } from "./harness/backends/capabilities";
import { embeddedOnly } from "./harness/backends/capabilities/embedded-only";
import { isFor } from "./harness/backends/capabilities/gap";
import { localStackPaid } from "./harness/backends/capabilities/localstack";
import { ministackGaps, ministackVersion } from "./harness/backends/capabilities/ministack";
import { backendsPage } from "./harness/backends/page";

const root = resolve(__dirname, "..");
const path = resolve(root, "docs/backends.md");

/** Runs one test file on a backend; gives what it has written. */
const runOn = (backend: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  new Promise((done) => {
    const vitest = [resolve(root, "node_modules/vitest/vitest.mjs"), "run", "integration/sts.test.ts"];
    const options = { cwd: root, env: { ...process.env, NO_COLOR: "1", TEST_BACKEND: backend, ...env } };
    execFile(process.execPath, vitest, options, (_error, stdout, stderr) => done(stdout + stderr));
  });

/** Whether there is a Docker daemon here. */
const dockerAnswers = () => spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;

describe("TEST_BACKEND", () => {
  it("is the embedded AWS unless told", () => {
    for (const value of [undefined, "", "embedded"]) expect(backendOf(value)).toEqual({ name: "embedded" });
  });

  it("may be an endpoint", () => {
    expect(backendOf("endpoint=http://127.0.0.1:4566/")).toEqual({ name: "endpoint", url: "http://127.0.0.1:4566" });
  });

  it.each(["moto", "endpoint", "endpoint=", "endpoint=localhost:4566", "ministack=1"])(
    "refuses %s with what it may be",
    (value) => {
      expect(() => backendOf(value)).toThrow(
        `TEST_BACKEND is "${value}"; it may be embedded, localstack, ministack, endpoint=<url>`,
      );
    },
  );

  // Testcontainers looks for one at all its usual places, whatever DOCKER_HOST says.
  it.skipIf(dockerAnswers())("says so when no Docker daemon answers", async () => {
    const nowhere = { DOCKER_HOST: "unix:///nowhere/docker.sock", HOME: "/nowhere" };
    expect(await runOn("localstack", nowhere)).toMatch(
      /localstack:4\.14\.0 runs in a container, and no Docker daemon answers .*Start Docker, or name another TEST_BACKEND/,
    );
  });

  it("says so when nobody answers at the endpoint", async () => {
    expect(await runOn("endpoint=http://127.0.0.1:9")).toContain("endpoint=http://127.0.0.1:9: nobody answers there");
  });
});

describe("docs/backends.md", () => {
  it("tells of the deviations that the tables have", () => {
    const page = backendsPage();
    if (process.env.UPDATE_DOCS) writeFileSync(path, page);
    const cure = "run UPDATE_DOCS=1 npm test -- integration/backends.test.ts and commit docs/backends.md";
    expect(readFileSync(path, "utf8"), cure).toBe(page);
  });

  it("names the version that is installed", () => {
    expect(readFileSync(resolve(root, "scripts/ministack.js"), "utf8")).toContain(`version = "${ministackVersion}"`);
  });
});

describe("the tables of capabilities", () => {
  const files = readdirSync(__dirname).filter((name) => name.endsWith(".test.ts"));

  it("name test files that exist", () => {
    const named = [...embeddedOnly, ...localStackPaid, ...ministackGaps].flatMap(({ tests }) =>
      tests.map((pattern) => pattern.split(":")[0]),
    );
    expect(named.filter((name) => !existsSync(resolve(__dirname, `${name}.test.ts`)))).toEqual([]);
  });

  it("leave to LocalStack with an account what it has for those only who pay", () => {
    const name = "cognito-tokens: an access token > is good";
    expect(whyNot({ name: "localstack" }, name)).toBe("has no Cognito user pools without an account that pays");
    expect(whyNot({ name: "localstack", paid: true }, name)).toBeUndefined();
    expect(whyNot({ name: "localstack" }, "sqs-fifo: a queue > keeps the order")).toBeUndefined();
  });

  it("exclude on every backend what starts no AWS through the harness", () => {
    const starts = /\b(useEmulator|useDeployed|startDeployed|startAws|startEmulator)\b/;
    const source = (name: string) => readFileSync(resolve(__dirname, name), "utf8");
    const helpers = readdirSync(resolve(__dirname, "harness"))
      .filter((name) => name.endsWith(".ts") && name !== "emulator.ts" && starts.test(source(`harness/${name}`)))
      .map((name) => `"./harness/${name.replace(/\.ts$/, "")}"`);
    const without = files.filter(
      (name) => !starts.test(source(name)) && !helpers.some((at) => source(name).includes(at)),
    );
    const excluded = embeddedOnly.flatMap(({ tests }) => tests);
    const missing = without
      .map((name) => name.replace(/\.test\.ts$/, ""))
      .filter((name) => !excluded.some((pattern) => isFor(pattern, `${name}: `)));
    expect(missing).toEqual([]);
  });

  it("leave no test file to an embedded AWS that is not the harness's", () => {
    const excluded = new Set(embeddedOnly.flatMap(({ tests }) => tests.map((name) => `${name}.test.ts`)));
    const own = /import \{[^}]*\bstartEmulator\b[^}]*\} from "\.\.\/emulator"/;
    const sources = files.filter((name) => own.test(readFileSync(resolve(__dirname, name), "utf8")));
    expect(sources.filter((name) => !excluded.has(name))).toEqual([]);
  });
});
