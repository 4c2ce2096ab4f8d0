import { type Deployment, type DeployOptions, deploy, type UpdateOptions, WarmProgram } from "../deploy";
import {
  type Clock,
  type Denial,
  type Emulator,
  type EmulatorOptions,
  type FaultControl,
  startEmulator,
} from "../emulator";
import { denialText } from "./denials";

/** What a client of the AWS SDK needs to reach the stack's AWS. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For S3: a bucket's name stands in the path, since `<bucket>.localhost` does not resolve everywhere. */
  readonly forcePathStyle: true;
}

/** What to start; all that {@link deploy} takes but the endpoint. */
export interface StackOptions extends Omit<DeployOptions, "endpoint" | "stack" | "stateFile"> {
  /** Runs the program in a process that has run others. @default one for all stacks of this process */
  readonly warm?: WarmProgram;
  /** The stack's name; `Pulumi.<stack>.yaml` is read for it. @default "test" */
  readonly stack?: string;
  /** Settings of the embedded AWS, such as `enforceIam: false`. @default a free port */
  readonly emulator?: EmulatorOptions;
  /**
   * An embedded AWS that is there already, for several stacks on one. It stays when the stack ends, and the stack is
   * destroyed on it. @default one of the stack's own
   */
  readonly on?: Emulator;
}

/** The outputs of a program as plain values; secrets in clear. */
export type StackOutputs = Record<string, unknown>;

/** Runs the programs of all stacks of this process: the second one does not load Pulumi and the AWS SDK again. */
const programs = new WarmProgram();

type ClientClass<Client> = new (settings: ClientSettings) => Client;

/** A deployed program and the AWS that it runs on. */
export interface TestStack<Outputs extends object = StackOutputs> extends AsyncDisposable {
  /** What the program exports, resolved; secrets in clear. */
  readonly outputs: Outputs;
  /** The AWS that it runs on. */
  readonly emulator: Emulator;
  /** Its time: `clock.advance("14 days")` runs what falls due until then, `clock.idle()` waits for what is under way. */
  readonly clock: Clock;
  /** Makes calls, functions and deliveries fail on purpose. */
  readonly faults: FaultControl;
  /** What IAM refused so far, with the statements that would have allowed it. */
  readonly denials: readonly Denial[];
  /** Every resource of the stack, with its inputs and outputs. */
  readonly resources: Deployment["resources"];
  /** For clients that {@link client} cannot make: `new SQSClient(stack.settings)`. */
  readonly settings: ClientSettings;
  /**
   * A client of the AWS SDK that reaches the stack's AWS; the same one each time, and ended with the stack.
   *
   * ```ts
   * const { Items } = await stack.client(DynamoDBClient).send(new ScanCommand({ TableName: stack.outputs.tableName }));
   * ```
   */
  client<Client extends { destroy(): void }>(Class: ClientClass<Client>): Client;
  /**
   * {@link denials} as a text for people, each once; empty when there were none. Give it to what your test runner prints
   * of a test that fails.
   */
  denialReport(): string;
  /** Runs the program again and applies what has changed; `outputs` and `resources` are the new ones afterwards. */
  update(options?: UpdateOptions): Promise<void>;
  /** Ends everything: clients, then the AWS with all that is on it. Doing it twice does no harm. */
  close(): Promise<void>;
}

/**
 * Deploys a Pulumi program on an embedded AWS of its own, for tests: no account, no Docker, no Pulumi CLI.
 *
 * ```ts
 * await using stack = await startStack<{ url: string; queueUrl: string }>({ program: "." });
 * await fetch(stack.outputs.url, { method: "POST", body: "{}" });
 * await stack.clock.idle();
 * ```
 *
 * @throws DeployError when the program cannot be deployed; nothing stays behind.
 */
export async function startStack<Outputs extends object = StackOutputs>(
  options: StackOptions,
): Promise<TestStack<Outputs>> {
  const { emulator: settings, on, stack = "test", ...rest } = options;
  const emulator = on ?? (await startEmulator({ port: 0, ...settings }));
  try {
    return new Stack<Outputs>(
      emulator,
      await deploy({ warm: programs, ...rest, stack, endpoint: emulator.endpoint }),
      options,
    );
  } catch (error) {
    if (!on) await emulator.close();
    throw error;
  }
}

class Stack<Outputs extends object> implements TestStack<Outputs> {
  readonly settings: ClientSettings;
  private readonly clients = new Map<ClientClass<{ destroy(): void }>, { destroy(): void }>();
  private closing?: Promise<void>;

  constructor(
    readonly emulator: Emulator,
    private deployment: Deployment,
    private readonly options: StackOptions,
  ) {
    this.settings = {
      endpoint: emulator.endpoint,
      region: deployment.region,
      credentials: options.credentials ?? { accessKeyId: "test", secretAccessKey: "test" },
      forcePathStyle: true,
    };
  }

  get outputs(): Outputs {
    const values = Object.entries(this.deployment.outputs).map(([name, { value }]) => [name, value]);
    return Object.fromEntries(values) as Outputs;
  }

  get resources() {
    return this.deployment.resources;
  }

  get clock() {
    return this.emulator.clock;
  }

  get faults() {
    return this.emulator.faults;
  }

  get denials() {
    return this.emulator.denials;
  }

  client<Client extends { destroy(): void }>(Class: ClientClass<Client>): Client {
    const known = this.clients.get(Class);
    if (known) return known as Client;
    const made = new Class(this.settings);
    this.clients.set(Class, made);
    return made;
  }

  denialReport(): string {
    return [...new Set(this.denials.map(denialText))].join("\n");
  }

  async update(options?: UpdateOptions): Promise<void> {
    this.deployment = await this.deployment.update(options);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    for (const client of this.clients.values()) client.destroy();
    if (this.options.on) await this.deployment.destroy();
    else await this.emulator.close();
  }
}
