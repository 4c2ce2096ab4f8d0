import { resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Deployment, type DeployOptions, deploy } from "../../deploy";
import type { Emulator, EmulatorOptions } from "../../emulator";
import { noteAccess } from "./access-notes";
import { useDenials } from "./denials";
import { warm } from "./deploying";
import { startAws } from "./emulator";

/** A deployed program of `integration/programs/` and the emulator that it is deployed to. */
export interface Deployed<Outputs> {
  readonly emulator: Emulator;
  readonly stack: Deployment;
  readonly outputs: Outputs;
}

type Config = (emulator: Emulator) => DeployOptions["config"];

/** Deploys a program to an emulator of its own, which ends with `close`. */
export async function startDeployed<Outputs>(
  program: string,
  config?: Config,
  options: EmulatorOptions = {},
): Promise<Deployed<Outputs> & { close(): Promise<void> }> {
  const emulator = await startAws(options);
  try {
    const notes = noteAccess(emulator);
    const path = resolve(__dirname, "../../dist/integration/programs", `${program}.js`);
    const { endpoint } = emulator;
    const stack = await deploy({ program: path, stack: "test", endpoint, warm, config: config?.(emulator) });
    const outputs = Object.fromEntries(Object.entries(stack.outputs).map(([name, { value }]) => [name, value]));
    const close = async () => {
      await notes?.write(program, stack);
      await emulator.close();
    };
    return { emulator, stack, outputs: outputs as Outputs, close };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}

/**
 * Deploys a program for one test file, to an emulator of its own. Read it inside tests only. A test that fails is told
 * what IAM refused meanwhile.
 */
export function useDeployed<Outputs>(
  program: string,
  config?: Config,
  options?: EmulatorOptions,
): { readonly current: Deployed<Outputs> } {
  let deployed: Awaited<ReturnType<typeof startDeployed<Outputs>>> | undefined;
  beforeAll(async () => {
    deployed = await startDeployed<Outputs>(program, config, options);
  }, 120_000);
  useDenials(() => deployed?.emulator);
  afterAll(() => deployed?.close());
  return {
    get current() {
      if (!deployed) throw new Error("the program is deployed before the first test; use it inside a test");
      return deployed;
    },
  };
}
