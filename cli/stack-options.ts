import { access, constants, open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ConfigValues, Deployment, DeployOptions } from "../deploy";
import { UsageError } from "./arguments";
import { columns, paint } from "./screen";

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;

/** Options of every command that deals with a program's stack. */
export const programOptions = { program: text, stack: text, config: list, secret: list } as const;

export const programUsage = `  --program <folder>     The Pulumi program: a folder with Pulumi.yaml, or its entry file. Default the current folder.
  --stack <name>         The stack, whose Pulumi.<stack>.yaml is read. Default dev.
  --config <key=value>   A config value, before those of the files; may be given several times.
  --secret <key=value>   The same, kept secret.`;

/** Options of the commands that reach an AWS that is there already. */
export const remoteOptions = { ...programOptions, endpoint: text, region: text, state: text } as const;

export const remoteUsage = `${programUsage}
  --endpoint <url>       Where all AWS calls go, such as http://localhost:4566. Default AWS_ENDPOINT_URL.
  --region <region>      Default aws:region of the program's config, else eu-west-1.
  --state <file>         What is deployed, for the next time. Default .sensorcast/<stack>.state.json beside the program.
                         PULUMI_CONFIG_PASSPHRASE encrypts the secrets in it.`;

interface ProgramValues {
  readonly program?: string;
  readonly stack?: string;
  readonly config?: readonly string[];
  readonly secret?: readonly string[];
}

interface RemoteValues extends ProgramValues {
  readonly endpoint?: string;
  readonly region?: string;
  readonly state?: string;
}

/** `key=value` pairs. A value may hold further equals signs. */
function pairs(option: string, texts: readonly string[] = []): ConfigValues {
  return Object.fromEntries(
    texts.map((pair) => {
      const at = pair.indexOf("=");
      // Not the pair itself: it may be a secret.
      if (at < 1)
        throw new UsageError(`${option}: a value is given as <key>=<value>, for instance ${option} ttlDays=30`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

export function readProgram({ program = ".", stack = "dev", config, secret }: ProgramValues) {
  return { program, stack, config: pairs("--config", config), secretConfig: pairs("--secret", secret) };
}

/**
 * What `deploy` and `destroy` need.
 *
 * @throws UsageError when no endpoint is told: a real account is not reached by mistake.
 */
export function readRemote(values: RemoteValues): DeployOptions & { stateFile: string } {
  const program = readProgram(values);
  const endpoint = values.endpoint ?? process.env.AWS_ENDPOINT_URL;
  if (!endpoint) {
    throw new UsageError(
      "--endpoint is missing: where the AWS is, such as http://localhost:4566 of `sensorcast emulator`. For AWS itself use `pulumi up`.",
    );
  }
  const folder = /\.[cm]?[jt]s$/.test(program.program) ? dirname(program.program) : program.program;
  return {
    ...program,
    endpoint,
    region: values.region,
    credentials: credentialsOf(process.env),
    stateFile: resolve(values.state ?? join(folder, ".sensorcast", `${program.stack}.state.json`)),
  };
}

function credentialsOf(env: NodeJS.ProcessEnv): DeployOptions["credentials"] {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}

/** The outputs as plain values, secrets in clear. */
export const plainOutputs = ({ outputs }: Pick<Deployment, "outputs">): Record<string, unknown> =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));

/** Keeps secrets off the screen; empty outputs, too. */
export function outputLines({ outputs }: Pick<Deployment, "outputs">): string {
  const shown = Object.entries(outputs)
    .filter(([, { value }]) => value !== undefined && value !== null && value !== "")
    .map(([name, { value, secret }]): [string, string] => [
      name,
      secret ? paint("dim", "[secret]") : typeof value === "string" ? value : JSON.stringify(value),
    ]);
  return columns(shown);
}

/** Before anything is deployed, and not after: a file that cannot be written is a mistake on the command line. */
export const checkOutputsFile = (file: string): Promise<void> =>
  access(dirname(resolve(file)), constants.W_OK).catch(() => {
    throw new UsageError(`--outputs ${file}: there is no folder ${dirname(resolve(file))} that can be written to`);
  });

/** Writes outputs for their owner's eyes only: secrets are among them. */
export async function writeOutputs(file: string, outputs: object): Promise<void> {
  await using handle = await open(resolve(file), "w", 0o600);
  // A file from before keeps its rights: they are taken away before the secrets are in it.
  if ((await handle.stat()).isFile()) await handle.chmod(0o600);
  await handle.writeFile(`${JSON.stringify(outputs, null, 2)}\n`);
}
