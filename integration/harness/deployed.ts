import { resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Deployment, type DeployOptions, deploy } from "../../deploy";
import { type Emulator, startEmulator } from "../../emulator";

/** A deployed program of `integration/programs/` and the emulator that it is deployed to. */
export interface Deployed<Outputs> {
  readonly emulator: Emulator;
  readonly stack: Deployment;
  readonly outputs: Outputs;
}

/** Deploys a program for one test file, to an emulator of its own. Read it inside tests only. */
export function useDeployed<Outputs>(
  program: string,
  config?: (emulator: Emulator) => DeployOptions["config"],
): { readonly current: Deployed<Outputs> } {
  let deployed: Deployed<Outputs> | undefined;
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0 });
    const path = resolve(__dirname, "../../dist/integration/programs", `${program}.js`);
    const { endpoint } = emulator;
    const stack = await deploy({ program: path, stack: "test", endpoint, config: config?.(emulator) });
    const outputs = Object.fromEntries(Object.entries(stack.outputs).map(([name, { value }]) => [name, value]));
    deployed = { emulator, stack, outputs: outputs as Outputs };
  }, 120_000);
  afterAll(() => emulator?.close());
  return {
    get current() {
      if (!deployed) throw new Error("the program is deployed before the first test; use it inside a test");
      return deployed;
    },
  };
}
