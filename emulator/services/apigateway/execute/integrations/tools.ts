import type { Clock } from "../../../../core/clock";
import { withDeadline } from "../../../../core/gateway/deadline";
import type { Host } from "../../../../core/service";
import { timedOut } from "../failures";
import type { Templates } from "../templates";

/** What integrations work with. */
export interface Tools {
  readonly host: Host;
  readonly templates: Templates;
}

/** Gives up waiting for `work` after `ms` milliseconds of the emulator's clock: 504. */
export const within = <T>(clock: Clock, ms: number, work: Promise<T>, giveUp?: () => void): Promise<T> =>
  withDeadline(clock, ms, work, () => {
    giveUp?.();
    return timedOut();
  });
