import type { AwsError } from "../errors";
import type { Injected } from "./injected";
import type { CrashFault, ThrottleFault, TimeoutFault } from "./options";
import { asWanted } from "./service-errors";

/** An end that a run of a function is to have. */
export interface ForcedEnd {
  readonly kind: "crash" | "timeout";
  /** Whether the handler does its work first. */
  readonly after: boolean;
  /** Whether the function's whole timeout passes first. */
  readonly wait: boolean;
}

/** What a fault does to one run of a function. */
export class FaultyRun {
  constructor(private readonly fault: Injected<ThrottleFault | CrashFault | TimeoutFault>) {}

  get kind(): ThrottleFault["fault"] | ForcedEnd["kind"] {
    return this.fault.options.fault;
  }

  /** The end that it forces; undefined where the run does not begin. */
  get end(): ForcedEnd | undefined {
    const { options } = this.fault;
    if (options.fault === "throttle") return undefined;
    const wait = options.fault === "timeout" && options.wait === true;
    return { kind: options.fault, after: options.after === true, wait };
  }

  /** The refusal of a run that does not begin. */
  refusal(usual: AwsError): AwsError {
    const { options } = this.fault;
    return options.fault === "throttle" ? asWanted(usual, options) : usual;
  }
}
