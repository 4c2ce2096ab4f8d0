/** Tasks by lane: those of one lane run one after another, in the order in which they came; lanes run side by side. */
export class Lanes {
  private readonly tails = new Map<string, Promise<void>>();

  /** @param report takes what a task throws: it must not keep those behind it in its lane from running. */
  constructor(private readonly report: (error: unknown) => void) {}

  /** Runs a task when those before it in its lane are done, at once where there are none. */
  run(lane: string, task: () => Promise<void>): void {
    const before = this.tails.get(lane);
    const tail = (before ? before.then(task) : task()).catch(this.report);
    this.tails.set(lane, tail);
    void tail.then(() => {
      if (this.tails.get(lane) === tail) this.tails.delete(lane);
    });
  }
}
