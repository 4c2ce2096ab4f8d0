import { limits } from "../../core/limits";
import type { Received } from "./queue";

/** A duplicate within this time is accepted and not delivered (developer guide: "FIFO delivery logic"). */
const window = limits.sqs.deduplication.value;

interface Seen {
  readonly at: number;
  readonly messageId: string;
  readonly sequenceNumber: string;
}

/** Remembers for five minutes what a FIFO queue took in, so that a sender may try again without harm. */
export class Deduplication {
  // In order of time, so that forgetting starts at the front.
  private readonly seen = new Map<string, Seen>();
  private sequence = 0n;

  /** The first message with this key, when it came less than five minutes ago. */
  find(key: string, now: number): Seen | undefined {
    for (const [old, { at }] of this.seen) {
      if (at + window > now) break;
      this.seen.delete(old);
    }
    return this.seen.get(key);
  }

  remember(key: string, messageId: string, now: number): string {
    // 20 digits that only grow, with gaps, as on AWS.
    const sequenceNumber = String(18_850_000_000_000_000_000n + ++this.sequence * 256n);
    this.seen.set(key, { at: now, messageId, sequenceNumber });
    return sequenceNumber;
  }
}

/** The answers to receive attempts of the last five minutes, by ReceiveRequestAttemptId. */
export class Attempts {
  private readonly attempts = new Map<string, { at: number; handles: readonly string[] }>();

  remember(id: string, received: readonly Received[], now: number): void {
    this.attempts.delete(id);
    this.attempts.set(id, { at: now, handles: received.map(({ handle }) => handle) });
  }

  /** The handles that the attempt was answered with. */
  find(id: string, now: number): readonly string[] | undefined {
    for (const [old, { at }] of this.attempts) {
      if (at + window > now) break;
      this.attempts.delete(old);
    }
    return this.attempts.get(id)?.handles;
  }
}
