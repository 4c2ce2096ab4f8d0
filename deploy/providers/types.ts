import type { Output, OutputInstance, Resource } from "@pulumi/pulumi";
import type { Archive, Asset } from "../assets";
import type { Clients } from "./clients";

/** The arguments of a Pulumi resource as a resource type receives them: no Inputs, resources as ids, our assets. */
export type PlainArgs<T> =
  // biome-ignore lint/suspicious/noExplicitAny: matches every promise and output
  T extends PromiseLike<any> | OutputInstance<any> | Resource
    ? never
    : T extends string | number | boolean | undefined | null
      ? T
      : [keyof T] extends [never] // Pulumi declares assets and archives as classes without members
        ? Archive | Asset
        : T extends readonly (infer Item)[]
          ? PlainArgs<Item>[]
          : { [K in keyof T]: PlainArgs<T[K]> };

/** The outputs of a Pulumi resource class, all optional: inputs are echoed by the engine. */
export type PlainOutputs<R> = {
  // biome-ignore lint/suspicious/noExplicitAny: matches every output
  [K in keyof R as R[K] extends Output<any> ? (K extends "urn" | "id" ? never : K) : never]?: R[K] extends Output<
    infer V
  >
    ? V
    : never;
};

/** What a resource type may use. One per resource. */
export interface ProviderContext {
  readonly clients: Clients;
  readonly region: string;
  /** Where the program runs. */
  readonly directory: string;
  readonly endpoint: URL;
  /** Whether the endpoint is on this machine, so that URLs of deployed APIs point there too. */
  readonly local: boolean;
  /** The 12 digits of the account behind the credentials; asked once. */
  account(): Promise<string>;
  /** The resource's own tags over the provider's default tags. */
  tags(own: Record<string, string> | undefined): Record<string, string>;
  /** Tells the user something that is not an error. */
  warn(message: string): void;
  /** Time that the program allows for this operation, in milliseconds. @default 120000 */
  readonly timeout: number;
}

/** A resource as the state knows it. */
export interface Known<Args, Outputs> {
  readonly inputs: Args;
  readonly outputs: Outputs;
}

/** A resource before an update. */
export interface Previous<Args, Outputs> extends Known<Args, Outputs> {
  /** Whether one of these inputs differs from the new ones; assets are compared by their content. */
  changed(...properties: (keyof Args & string)[]): boolean;
}

/** How one Pulumi resource type is created, read, changed and deleted at an endpoint. */
export interface ResourceType<Args = never, Outputs = unknown> {
  /** The property that gets `<name>-<7 hex digits>` when the program leaves it out. */
  readonly autoname?: {
    readonly property: keyof Args & string;
    /** The longest name that AWS takes. */
    readonly max: number;
    /** Upper-case letters are not allowed (buckets). */
    readonly lowerCase?: true;
    /** Dashes are not allowed (topic rules): underscores stand for them. */
    readonly underscores?: true;
    /** A suffix that AWS demands for these inputs, for example `.fifo`. */
    readonly suffix?: (inputs: Args) => string;
  };
  /** Properties (or paths such as `code.s3Key`) that cannot be changed in place. Without `update`, every change replaces. */
  readonly replaceOn?: readonly string[];
  /** Only one can exist at a time even under a generated name: the old one goes first. */
  readonly deleteBeforeReplace?: true;
  readonly secretOutputs?: readonly (keyof Outputs & string)[];
  /** Outputs come from `read` when `create` gives none. */
  create(inputs: Args, context: ProviderContext): Promise<{ id: string; outputs?: Outputs }>;
  /** The outputs of an existing one, or undefined when there is none. `known` is missing for imports and `get`. */
  read?(id: string, context: ProviderContext, known?: Known<Args, Outputs>): Promise<Outputs | undefined>;
  /** Asked when inputs differ: whether that needs a new resource after all, or nothing. */
  diff?(
    id: string,
    old: Known<Args, Outputs>,
    inputs: Args,
    context: ProviderContext,
  ): Promise<{ replace?: boolean; same?: boolean }>;
  /** Outputs come from `read` when it gives none. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an update that answers nothing is the usual case
  update?(id: string, inputs: Args, old: Previous<Args, Outputs>, context: ProviderContext): Promise<Outputs | void>;
  /** Errors that say "not found" count as done. Without it nothing is left to do at the endpoint. */
  delete?(id: string, known: Known<Args, Outputs>, context: ProviderContext): Promise<void>;
}

/** Gives a resource type the types of its Pulumi class: `resourceType<QueueArgs, Queue>({ ... })`. */
export const resourceType = <Args, R>(type: ResourceType<PlainArgs<Args>, PlainOutputs<R>>) =>
  type as unknown as AnyResourceType;

/** A resource type whose argument types are not known any more; the engine handles only these. */
export type AnyResourceType = ResourceType<Record<string, unknown>, Record<string, unknown>>;
