import type { Action } from "@aws-sdk/client-iot";
import type { Bus } from "../../../../core/bus";
import type { Constraint } from "../../../../core/constraint";
import type { Scope } from "../../../../core/service";
import type { PortCaller } from "../../../../core/service-caller";
import type { Message, MessageBroker } from "../../broker";
import type { Template } from "../../sql";
import type { Region } from "../../state";

/** The actions of a rule, as the API names them. */
export type ActionName = Exclude<keyof Action, "$unknown">;
export type ConfigOf<Name extends ActionName> = NonNullable<Action[Name]>;

/** What an action runs for: a message, and what the rule made of it. */
export interface Firing {
  /** As it came in. */
  readonly message: Message;
  readonly region: Region;
  /** Leads to what CloudWatch Logs say of the message. */
  readonly traceId: string;
  /** Fills a template for the message. */
  fill(template: Template): string | Promise<string>;
  /** What the statement selected, or the report of failures for an error action. */
  readonly payload: Buffer;
  /** Whether the payload is JSON. */
  readonly isJson: boolean;
}

/** One run of an action, with all its templates filled. */
export interface Call {
  /** Calls with the same lane keep their order. */
  readonly lane: string;
  /** What failures name as `failedResource`. */
  readonly resource: string;
  /** What failures say of the call behind the topic, such as `Stream: readings, PartitionKey: a`. */
  readonly detail: string;
  /** @param by the session of the action's role, or AWS IoT itself where it has none. */
  send(by: PortCaller): Promise<unknown>;
}

/** What actions use of the rule that has them, and of the emulator. */
export interface Surroundings {
  readonly rule: { readonly name: string; readonly arn: string };
  readonly scope: Scope;
  readonly bus: Bus;
  readonly broker: MessageBroker;
  /** Reads a substitution template. Throws where the text is none, with the member's name. */
  template(text: string, member: string): Template;
}

export interface CompiledAction {
  /** The resource as the rule has it. */
  readonly resource: string;
  prepare(firing: Firing): Promise<Call>;
}

/** How one kind of action works. */
export interface ActionKind<Name extends ActionName> {
  /** What failures name as `failedAction`. */
  readonly title: string;
  /** What it was to do, for "Failed to ...". */
  readonly attempt: string;
  /** The service as AWS's Java SDK names it in the text of its exceptions. */
  readonly service: string;
  /** The constraints of its members, by name. */
  readonly members: Partial<Record<keyof ConfigOf<Name>, Constraint>>;
  compile(config: ConfigOf<Name>, surroundings: Surroundings): CompiledAction;
}

/** Gives an action the types of its configuration. */
export const defineAction = <Name extends ActionName>(_name: Name, kind: ActionKind<Name>): ActionKind<Name> => kind;

export const required: Constraint = { required: true };
export const oneOf = (...values: string[]): Constraint => ({ oneOf: values });
