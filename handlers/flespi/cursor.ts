/**
 * Where a receiver is in its channel. All before the key is handled, so it only moves when a page is; and it moves from
 * the key that the page began at, so that of two receivers at the same place one moves it and the other one learns.
 */
export interface Cursor {
  /**
   * Takes the channel until a time (milliseconds since 1970) and gives the key; undefined while another receiver has it.
   * Who has it already takes it for longer.
   */
  open(until: number): Promise<string | undefined>;
  /** Moves the key on. False when it is somewhere else by now, and then nothing is changed. */
  move(from: string, to: string): Promise<boolean>;
  /** Gives the channel back: to whoever comes, or to nobody before a time. */
  close(notBefore?: number): Promise<void>;
}

/** The first key of a channel. */
export const BEGINNING = "0";
