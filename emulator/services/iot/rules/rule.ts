import type { TopicRulePayload } from "@aws-sdk/client-iot";
import type { Statement } from "../sql";
import type { BoundAction } from "./actions";
import type { functionsOf } from "./context";
import type { Lanes } from "./lanes";

/** A rule of AWS IoT Core. */
export interface Rule {
  readonly name: string;
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** As it was given. */
  readonly payload: TopicRulePayload;
  disabled: boolean;
  readonly statement: Statement;
  readonly actions: readonly BoundAction[];
  readonly errorAction?: BoundAction;
  /** What its statement and templates can ask of other services. */
  readonly functions: ReturnType<typeof functionsOf>;
  /** Keeps the order of its messages; a rule that replaces another goes on with its lanes. */
  readonly lanes: Lanes;
}
