import type { AwsError } from "../errors";
import type { Context } from "../service";
import type { Injected } from "./injected";
import type { PartialFailureFault } from "./options";
import { resourceMatches } from "./place";
import type { Random } from "./random";
import { asWanted } from "./service-errors";

/** The entries of a batch that fail; all others are done. */
export interface LostEntries {
  readonly size: number;
  has(index: number): boolean;
  /**
   * What an entry fails with; undefined where it is done.
   *
   * @param usual the service's own error for one.
   */
  errorOf(index: number, usual: () => AwsError): AwsError | undefined;
}

const none: LostEntries = { size: 0, has: () => false, errorOf: () => undefined };

/** A fault that keeps some entries of one batch from being done. */
export class PartialFailure {
  constructor(
    private readonly fault: Injected<PartialFailureFault>,
    private readonly random: Random,
    /** Told when it acts. */
    private readonly acted: () => void,
  ) {}

  /** @param resources the ARN of each entry's own resource. */
  choose(resources: readonly string[]): LostEntries {
    const { resource, share = 0.5, code, message } = this.fault.options;
    const indexes = [...resources.keys()];
    const meant = indexes.filter((i) => resource === undefined || resourceMatches(resource, resources[i]!));
    if (meant.length === 0) return none;
    const lost = new Set(this.random.choose(meant, Math.max(1, Math.round(share * meant.length))));
    this.acted();
    return {
      size: lost.size,
      has: (index) => lost.has(index),
      errorOf: (index, usual) => (lost.has(index) ? asWanted(usual(), { code, message }) : undefined),
    };
  }
}

/** The entries of a batch that a fault keeps from being done: asked when the batch as a whole is found to be right. */
export const lostEntries = ({ partial }: Pick<Context, "partial">, resources: readonly string[]): LostEntries =>
  partial?.choose(resources) ?? none;
