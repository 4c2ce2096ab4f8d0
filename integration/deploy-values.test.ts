import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeployError } from "../deploy";
import { Archive } from "../deploy/assets";
import { deleteInOrder } from "../deploy/deleting";
import { changedProperties, differsAt, ignoreChanges } from "../deploy/diff";
import { loadProject } from "../deploy/project";
import { policyDocument } from "../deploy/providers/policy-document";
import type { ResourceState } from "../deploy/state";
import type { WireObject } from "../deploy/values";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "values-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = async (path: string, text: string) => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};

describe("function code", () => {
  it("gives the same zip for the same files, whatever their order and times, from texts and from a folder", async () => {
    await write("code/index.js", "exports.handler = 1;");
    await write("code/lib/deep.js", "exports.deep = 2;");
    const text = (content: string) => ({ text: content });
    const signed = (value: WireObject) => ({
      "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
      ...value,
    });
    const { toPlain } = await import("../deploy/values");
    const archive = (names: [string, string][]) =>
      toPlain(
        {
          "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
          assets: Object.fromEntries(names.map(([name, content]) => [name, signed(text(content))])),
        },
        folder,
      ) as Archive;
    const files: [string, string][] = [
      ["index.js", "exports.handler = 1;"],
      ["lib/deep.js", "exports.deep = 2;"],
    ];
    const [one, other, disk] = [archive(files), archive(files.toReversed()), new Archive({ path: "code" }, folder)];
    expect(await one.zip()).toEqual(await other.zip());
    expect(await disk.zip()).toEqual(await one.zip());
    expect(new Set(await Promise.all([one.hash(), other.hash(), disk.hash()])).size).toBe(1);
    expect(Object.keys(unzipSync(await one.zip()))).toEqual(["index.js", "lib/deep.js"]);
    await write("code/index.js", "exports.handler = 3;");
    expect(await disk.hash()).not.toBe(await one.hash());
  });
});

const inputs = () =>
  fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<never>, {
    maxKeys: 5,
  });

describe("the difference between two deployments", () => {
  it("is nothing between equal inputs, and nothing at a path that is ignored", () => {
    fc.assert(
      fc.property(inputs(), inputs(), (before: WireObject, after: WireObject) => {
        expect(changedProperties(before, structuredClone(before))).toEqual([]);
        const changed = changedProperties(before, after);
        expect(changedProperties(before, ignoreChanges(changed, before, after))).toEqual([]);
        for (const path of changed) expect(differsAt(path, before, after)).toBe(true);
      }),
    );
  });

  it("can be asked for by paths with indexes, quoted keys and wildcards", () => {
    const before = {
      tags: { owner: "a", "x.y": "1" },
      rules: [
        { id: "r", days: 1 },
        { id: "s", days: 2 },
      ],
    };
    const after = {
      tags: { owner: "b", "x.y": "2" },
      rules: [
        { id: "r", days: 9 },
        { id: "s", days: 2 },
      ],
    };
    expect(differsAt("tags.owner", before, after)).toBe(true);
    expect(differsAt("rules[1].days", before, after)).toBe(false);
    expect(differsAt("rules[*].days", before, after)).toBe(true);
    expect(ignoreChanges(['tags["x.y"]', "rules[*].days"], before, after)).toEqual({
      ...before,
      tags: { owner: "b", "x.y": "1" },
    });
  });
});

describe("deleting a stack", () => {
  it("deletes everything once, and nothing before what depends on it", async () => {
    const graph = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(graph, async (edges) => {
        // Each resource depends only on earlier ones, as in a program.
        const resources = edges.map(
          (needs, index): ResourceState => ({
            urn: String(index),
            type: "t",
            name: String(index),
            custom: true,
            inputs: {},
            outputs: {},
            dependencies: index === 0 ? [] : needs.map((need) => String(need % index)),
            propertyDependencies: {},
          }),
        );
        const gone: string[] = [];
        await deleteInOrder(resources, async ({ urn }) => {
          await Promise.resolve();
          gone.push(urn);
          return true;
        });
        expect(gone.toSorted()).toEqual(resources.map(({ urn }) => urn).toSorted());
        for (const { urn, dependencies } of resources) {
          for (const needed of dependencies) expect(gone.indexOf(urn)).toBeLessThan(gone.indexOf(needed));
        }
      }),
    );
  });

  it("goes on with the rest when one cannot be deleted, and leaves only what that one needs", async () => {
    const state = (urn: string, ...dependencies: string[]) =>
      ({
        urn,
        type: "t",
        name: urn,
        custom: true,
        inputs: {},
        outputs: {},
        dependencies,
        propertyDependencies: {},
      }) as ResourceState;
    const gone: string[] = [];
    await deleteInOrder([state("role"), state("fn", "role"), state("alias", "fn"), state("queue")], async ({ urn }) => {
      if (urn === "fn") return false;
      gone.push(urn);
      return true;
    });
    expect(gone.toSorted()).toEqual(["alias", "queue"]);
  });
});

describe("config", () => {
  it("comes from Pulumi.yaml, the stack's file and the caller, each over the one before, secrets decrypted", async () => {
    await write(
      "project/Pulumi.yaml",
      "name: shop\nruntime: nodejs\nconfig:\n  size: 1\n  color: { default: red }\n  shop:deep: 1\n",
    );
    // Salt and text as Pulumi itself writes them for the passphrase "password".
    await write(
      "project/Pulumi.dev.yaml",
      "encryptionsalt: v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ==\nconfig:\n  shop:color: blue\n  aws:region: us-west-2\n  shop:list: [1, 2]\n  shop:token: { secure: 'v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ==' }\n",
    );
    await write("project/index.js", "");
    const options = { program: join(folder, "project"), stack: "dev" };
    const { config, secretKeys } = await loadProject({
      ...options,
      passphrase: "password",
      config: { size: 5 },
      secretConfig: { pin: "1" },
    });
    expect(config).toEqual({
      "aws:region": "us-west-2",
      "shop:size": "5",
      "shop:color": "blue",
      "shop:deep": "1",
      "shop:list": "[1,2]",
      "shop:token": "pulumi",
      "shop:pin": "1",
    });
    expect(secretKeys.toSorted()).toEqual(["shop:pin", "shop:token"]);

    const without = await loadProject({ ...options, region: "eu-north-1" });
    expect(without.config["aws:region"]).toBe("eu-north-1");
    expect(without.config).not.toHaveProperty("shop:token");
    expect(without.warnings).toEqual([expect.stringContaining("shop:token is encrypted and left out")]);
    await expect(loadProject({ ...options, passphrase: "guess" })).rejects.toThrow(/passphrase is not the one/);
  });

  it("tells what is wrong with a project file", async () => {
    await write("broken/Pulumi.yaml", "name: [\n");
    await write("python/Pulumi.yaml", "name: x\nruntime: python\n");
    await write("lost/Pulumi.yaml", "name: x\nruntime: nodejs\nmain: dist/\n");
    const load = (name: string) => loadProject({ program: join(folder, name), stack: "dev" });
    await expect(load("broken")).rejects.toThrow("Pulumi.yaml is not valid YAML");
    await expect(load("python")).rejects.toThrow('only programs with runtime "nodejs"');
    await expect(load("lost")).rejects.toThrow("main is dist/, which does not exist");
    await expect(load("broken")).rejects.toBeInstanceOf(DeployError);
  });
});

describe("aws.iam.getPolicyDocument", () => {
  it("writes AWS's form, and lets overriding documents take the place of statements with the same sid", () => {
    const override = JSON.stringify({
      Version: "2012-10-17",
      Statement: { Sid: "write", Effect: "Deny", Action: "s3:*", Resource: "*" },
    });
    const { json } = policyDocument({
      statements: [
        {
          sid: "read",
          actions: ["s3:GetObject"],
          resources: ["a", "b"],
          principals: [{ type: "AWS", identifiers: ["*"] }],
        },
        {
          sid: "write",
          actions: ["s3:PutObject"],
          resources: ["a"],
          conditions: [{ test: "Bool", variable: "aws:SecureTransport", values: ["true"] }],
        },
      ],
      overridePolicyDocuments: [override],
    });
    expect(JSON.parse(json)).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Sid: "read", Effect: "Allow", Principal: { AWS: "*" }, Action: "s3:GetObject", Resource: ["a", "b"] },
        { Sid: "write", Effect: "Deny", Action: "s3:*", Resource: "*" },
      ],
    });
  });
});
