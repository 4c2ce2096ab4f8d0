import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { vi } from "vitest";

const root = resolve(__dirname, "../..");
const run = promisify(execFile);
const npmFlags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** What a command of a project has printed, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly text: string;
}

/** A project of somebody else's, with Sensorcast installed from the packed tarball as from the registry. */
export class ScratchProject {
  private readonly ends: (() => void)[] = [];

  private constructor(readonly folder: string) {}

  /** @param modules to be installed beside it, with their versions. */
  static async make(modules: readonly string[]): Promise<ScratchProject> {
    const folder = await mkdtemp(join(tmpdir(), "sensorcast-scratch-"));
    const project = new ScratchProject(folder);
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder, ...npmFlags], { cwd: root });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    const { devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    const peers = ["pulumi", "aws", "awsx"].map((name) => `@pulumi/${name}@${devDependencies[`@pulumi/${name}`]}`);
    await project.write("package.json", JSON.stringify({ name: "scratch", private: true }));
    await run("npm", ["install", "--prefer-offline", ...npmFlags, `./${filename}`, ...peers, ...modules], {
      cwd: folder,
    });
    return project;
  }

  async write(file: string, text: string): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(resolve(path, ".."), { recursive: true });
    await writeFile(path, text);
  }

  read = (file: string): Promise<string> => readFile(join(this.folder, file), "utf8");

  /** Runs `npx sensorcast …` to its end. */
  sensorcast = (...args: string[]): Promise<Ended> => this.run(this.bin, args);

  /** Runs Node in the project's folder to its end. */
  node = (...args: string[]): Promise<Ended> => this.run(process.execPath, args);

  private async run(command: string, args: readonly string[]): Promise<Ended> {
    // Not the tests' own settings, which vitest hands on.
    const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env;
    try {
      const { stdout, stderr } = await run(command, args, { cwd: this.folder, env });
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: stdout + stderr };
    }
  }

  /** Starts `npx sensorcast …`. `printed` waits until it has printed what is looked for. */
  start(...args: string[]) {
    const child = spawn(this.bin, args, { cwd: this.folder });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        text += chunk;
      });
    }
    this.ends.push(() => child.kill());
    return {
      child,
      text: () => text,
      printed: (pattern: RegExp): Promise<RegExpExecArray> =>
        vi.waitFor(
          () => {
            const found = pattern.exec(text);
            if (!found) throw new Error(`it has not printed ${pattern} but:\n${text}`);
            return found;
          },
          { timeout: 50_000, interval: 20 },
        ),
    };
  }

  async remove(): Promise<void> {
    for (const end of this.ends) end();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get bin(): string {
    return join(this.folder, "node_modules/.bin/sensorcast");
  }
}
