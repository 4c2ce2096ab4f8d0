/** Something that is done so many times a second, and what came of it. */
export interface Feeder {
  /** How many messages were accepted. */
  readonly accepted: number;
  /** How often it was refused, or failed. */
  readonly refused: number;
  /** Why, the first time. */
  readonly why: string | undefined;
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Begins to feed, at a steady rate: whether the last one has ended or not. Where a second's worth is still under way, the
 * machine is too slow for the rate, and gets fewer.
 *
 * @param send gives how many messages it got accepted.
 */
export function feed(perSecond: number, send: () => Promise<number>): Feeder {
  const underWay = new Set<Promise<void>>();
  const feeder = {
    accepted: 0,
    refused: 0,
    why: undefined as string | undefined,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
  const once = async () => {
    try {
      // Read after the wait: others have been accepted meanwhile.
      const accepted = await send();
      feeder.accepted += accepted;
    } catch (error) {
      feeder.refused++;
      feeder.why ??= error instanceof Error ? error.message : String(error);
    }
  };
  const timer = setInterval(() => {
    if (underWay.size >= perSecond) return;
    const one = once().finally(() => underWay.delete(one));
    underWay.add(one);
  }, 1000 / perSecond);
  return feeder;
}
