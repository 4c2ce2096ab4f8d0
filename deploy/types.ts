import type { OutputValue } from "./values";
import type { WarmProgram } from "./warm-program";

/** What was done with a resource. */
export type Action = "create" | "update" | "replace" | "delete" | "same" | "read" | "import";

/** How many resources were made, changed and so on; components count too, the stack itself does not. */
export interface Summary {
  created: number;
  updated: number;
  replaced: number;
  deleted: number;
  same: number;
}

/** One resource of a deployment. */
export interface DeployedResource {
  urn: string;
  /** For example `aws:sqs/queue:Queue`. */
  type: string;
  /** The name in the program, not the physical one. */
  name: string;
  /** URN of the parent; only the stack has none. */
  parent?: string;
  /** The physical id; components have none. */
  id?: string;
  /** What this deployment did with it. */
  action: Action;
  /** True when the type has no local behaviour and was only recorded. */
  recorded: boolean;
  inputs: Record<string, OutputValue>;
  outputs: Record<string, OutputValue>;
}

/** AWS credentials; the embedded emulator takes any. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A config value; objects and lists are given to the program as JSON, for `config.requireObject`. */
export type ConfigValue = string | number | boolean | readonly unknown[] | { readonly [key: string]: unknown };
export type ConfigValues = Readonly<Record<string, ConfigValue>>;

/** What to deploy, and where to. */
export interface DeployOptions {
  /** A folder with `Pulumi.yaml` (or a package's `main`), or an entry file in JavaScript or TypeScript. */
  program: string;
  /** The stack's name; also names `Pulumi.<stack>.yaml`, whose config is read. */
  stack: string;
  /** @default the name in Pulumi.yaml, else the folder's name */
  project?: string;
  /** Wins over Pulumi.<stack>.yaml. A key without a namespace gets the project's: `key` is `<project>:key`. */
  config?: ConfigValues;
  /** Like `config`, but secret: not shown, and outputs made from it are secret too. */
  secretConfig?: ConfigValues;
  /** Where all AWS calls go: `http://localhost:4566`. There is no default, so that nothing reaches a real account by mistake. */
  endpoint: string;
  /** @default `aws:region` of the project's config, else "eu-west-1" */
  region?: string;
  /** @default test / test */
  credentials?: Credentials;
  /**
   * Keeps what is deployed in this JSON file, so that another process can update or destroy it. Without it the state
   * lives as long as the returned {@link Deployment}. Holds inputs and outputs; of code and other assets only hashes.
   */
  stateFile?: string;
  /**
   * Encrypts the secrets in the state file and decrypts `secure:` values of Pulumi.<stack>.yaml. Without it secrets
   * are in the file in clear (the file is readable by its owner only).
   * @default PULUMI_CONFIG_PASSPHRASE
   */
  passphrase?: string;
  /** Extra environment variables for the program. */
  environment?: Readonly<Record<string, string>>;
  /** Ends the program after so many milliseconds. @default 300000 */
  timeout?: number;
  /** Runs the program in a process that has run it before. @default none: each run has a process of its own */
  warm?: WarmProgram;
  /** Told of every step as it happens; `progress()` makes one that prints them. */
  onEvent?: (event: DeployEvent) => void;
}

/** Another run of the same program: what may differ from the first. */
export type UpdateOptions = Partial<
  Pick<DeployOptions, "program" | "config" | "secretConfig" | "environment" | "onEvent" | "warm">
>;

/** A stack as it is after a deployment. */
export interface Deployment {
  /** The stack's outputs, secret ones marked. */
  readonly outputs: Readonly<Record<string, OutputValue>>;
  /** Every resource, parents before their children. */
  readonly resources: readonly DeployedResource[];
  readonly summary: Summary;
  /** The region of its default provider. */
  readonly region: string;
  /** Types that have no local behaviour and were only recorded, for example `aws:ec2/vpc:Vpc`. */
  readonly recorded: readonly string[];
  /** Runs the program again and applies what has changed. Gives the new state; this object keeps the old one. */
  update(options?: UpdateOptions): Promise<Deployment>;
  /** Deletes everything, dependents first. Rejects with a {@link DeployError} that tells what could not be deleted. */
  destroy(): Promise<Summary>;
}

/** What happens during a deployment. */
export type DeployEvent =
  | { kind: "started"; urn: string; type: string; name: string; action: Action }
  | {
      kind: "done";
      urn: string;
      type: string;
      name: string;
      action: Action;
      milliseconds: number;
      /** Recorded, not emulated. */
      recorded: boolean;
      /** The inputs that differ, for an update or a replacement. */
      changed?: string[];
    }
  | { kind: "failed"; urn: string; type: string; name: string; message: string }
  | { kind: "log"; severity: "debug" | "info" | "warning" | "error"; message: string; urn?: string }
  | { kind: "output"; line: string }
  | { kind: "summary"; summary: Summary; recorded: readonly string[]; milliseconds: number; failed: boolean };
