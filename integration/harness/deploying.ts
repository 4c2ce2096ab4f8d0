import { type DeployEvent, type Deployment, type DeployOptions, deploy, WarmProgram } from "../../deploy";
import type { Emulator } from "../../emulator";

/** One resource of the program `integration/programs/declared`; that program says what the strings may hold. */
export interface Declared {
  /** `sqs.Queue`, a full type such as `acme:index:Rocket`, "component" or "remote". */
  type: string;
  name: string;
  /** What other resources call it. @default its name */
  key?: string;
  args?: Record<string, unknown>;
  options?: Record<string, unknown>;
}

export const program = (name: string) => `integration/programs/${name}`;

/** Runs the programs of all files that share this process. */
export const warm = new WarmProgram();

/** Deploys the resources that a test declares. */
export const deployDeclared = (
  emulator: Pick<Emulator, "endpoint">,
  resources: Declared[],
  { outputs = {}, ...options }: Partial<DeployOptions> & { outputs?: Record<string, string> } = {},
): Promise<Deployment> =>
  deploy({
    program: program("declared"),
    stack: "test",
    endpoint: emulator.endpoint,
    warm,
    ...options,
    config: { resources, outputs, ...options.config },
  });

/** What an update needs to deploy other resources. */
export const declaring = (resources: Declared[], outputs: Record<string, string> = {}) => ({
  config: { resources, outputs },
});

/** The resource of a deployment with this name (and kind, where names are used twice). */
export function find({ resources }: Deployment, name: string, kind = "") {
  const found = resources.find((resource) => resource.name === name && resource.type.endsWith(kind));
  if (!found) throw new Error(`there is no ${kind} ${name} in ${resources.map((resource) => resource.name)}`);
  return found;
}

/** What was done, in order: "create jobs", "delete jobs". */
export function recorder() {
  const steps: string[] = [];
  const events: DeployEvent[] = [];
  const onEvent = (event: DeployEvent) => {
    events.push(event);
    if (event.kind === "done" && event.type !== "pulumi:pulumi:Stack") steps.push(`${event.action} ${event.name}`);
  };
  return { steps, events, onEvent };
}
