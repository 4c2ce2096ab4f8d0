import type { Registered } from "./engine";
import type { ProviderContext } from "./providers/types";
import { vpcConstruct } from "./remote-vpc";
import type { PlainObject, WireObject } from "./values";

/** Registers a child of the component. */
export type RegisterChild = (
  type: string,
  name: string,
  inputs: WireObject,
  options?: { parent?: string; dependencies?: string[] },
) => Promise<Registered>;

/**
 * Builds here what a package's provider would build elsewhere: registers the children of a remote component and gives
 * its outputs.
 */
export type LocalConstruct = (
  name: string,
  inputs: PlainObject,
  register: RegisterChild,
  context: ProviderContext,
) => Promise<WireObject>;

/** The remote components that can be built here, by type. Add one to support it. */
export const localConstructs: Record<string, LocalConstruct> = { "awsx:ec2:Vpc": vpcConstruct };
