import { mayPass } from "../../../core/errors";
import { Redelivery } from "../../../core/redelivery";
import type { Host } from "../../../core/service";

/**
 * AWS tries again where a service is overloaded, and documents neither how often nor when
 * (https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html). 28 tries take two minutes here; longer
 * pauses would leave a stream idle that has room again while thousands of lanes still wait.
 */
const tries = 28;
const pause = (failures: number): number => Math.min(500 * 2 ** (failures - 1), 5_000);
/**
 * Milliseconds after which a call is given up at its first failure, however few tries it had: calls wait for those
 * before them, and a service that stays overloaded must not pile them up without end.
 */
const longestWait = 300_000;

/** Calls that are repeated on the emulator's clock while a service is overloaded. */
export class Retries {
  private readonly redelivery: Redelivery;

  constructor(private readonly host: Pick<Host, "clock" | "report">) {
    this.redelivery = new Redelivery(host, "rule action");
  }

  /**
   * Resolves with undefined when a call succeeded or was forgotten by {@link clear}, with its error when it is given up.
   *
   * @param since when the call began to wait for its turn, in milliseconds since the epoch.
   */
  run(call: () => Promise<unknown>, since: number): Promise<{ error: unknown } | undefined> {
    const { clock } = this.host;
    return new Promise((resolve) => {
      void this.redelivery.start({
        async attempt() {
          await call();
          resolve(undefined);
        },
        pause: (error, failures) =>
          mayPass(error) && failures < tries && clock.now() - since < longestWait ? pause(failures) : undefined,
        giveUp: (error) => resolve({ error }),
        forgotten: () => resolve(undefined),
      });
    });
  }

  /** Forgets the calls that wait. */
  clear(): void {
    this.redelivery.clear();
  }
}
