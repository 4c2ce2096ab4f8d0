import { Deque } from "./deque";
import type { Message } from "./message";

/**
 * In which order the available messages of a queue are handed out. The queue decides what is available and what
 * becomes of a message; a lane only keeps the line.
 */
export interface Lane {
  /** A message that arrived, available or still delayed. */
  add(message: Message): void;
  /** A message that was delayed is available. */
  wake(message: Message): void;
  /**
   * Hands out up to `max` messages. `accept` makes a message invisible and says true, or says false when the message
   * left the queue instead (expired, moved to the dead-letter queue).
   */
  take(max: number, accept: (message: Message) => boolean): Message[];
  /** A received message is available again. */
  giveBack(message: Message): void;
  /** A message was deleted; `wasInFlight` tells whether it was hidden at that time. */
  remove(message: Message, wasInFlight: boolean): void;
  clear(): void;
}

/** Standard queues: first in, first out as well as may be; what comes back queues up again at the end. */
export class StandardLane implements Lane {
  private readonly ready = new Deque<Message>();

  add(message: Message): void {
    if (message.state === "ready") this.ready.push(message);
  }

  wake(message: Message): void {
    this.ready.push(message);
  }

  take(max: number, accept: (message: Message) => boolean): Message[] {
    const taken: Message[] = [];
    while (taken.length < max) {
      const message = this.ready.shift();
      if (!message) break;
      // Deleted while it waited in line: cheaper to skip here than to search for it then.
      if (message.state === "ready" && accept(message)) taken.push(message);
    }
    return taken;
  }

  giveBack(message: Message): void {
    this.ready.push(message);
  }

  remove(): void {}

  clear(): void {
    this.ready.clear();
  }
}

interface Group {
  readonly id: string;
  /** In order of sending: delayed and available messages. */
  readonly pending: Deque<Message>;
  /** Handed out since the group was last unlocked, in order; some came back or were deleted meanwhile. */
  taken: Message[];
  /** How many of those are hidden: as long as there is one, the group is locked. */
  inFlight: number;
  /** Is in the line of groups. */
  listed: boolean;
}

/**
 * FIFO queues: strict order within a message group, and nothing of a group while one of its messages is in flight
 * (developer guide: "FIFO queue delivery logic").
 */
export class FifoLane implements Lane {
  private readonly groups = new Map<string, Group>();
  private readonly line = new Deque<Group>();

  add(message: Message): void {
    const group = this.group(message);
    group.pending.push(message);
    this.list(group);
  }

  wake(message: Message): void {
    this.list(this.group(message));
  }

  take(max: number, accept: (message: Message) => boolean): Message[] {
    const taken: Message[] = [];
    while (taken.length < max) {
      const group = this.line.shift();
      if (!group) break;
      group.listed = false;
      // "returns as many messages with the same message group ID as possible" (developer guide).
      while (taken.length < max && this.headIsReady(group)) {
        const message = group.pending.shift()!;
        if (!accept(message)) continue;
        group.taken.push(message);
        group.inFlight++;
        taken.push(message);
      }
      this.settle(group);
    }
    return taken;
  }

  giveBack(message: Message): void {
    const group = this.group(message);
    group.inFlight--;
    this.settle(group);
  }

  remove(message: Message, wasInFlight: boolean): void {
    const group = this.group(message);
    if (wasInFlight) group.inFlight--;
    this.settle(group);
  }

  clear(): void {
    this.groups.clear();
    this.line.clear();
  }

  private group({ groupId: id = "" }: Message): Group {
    let group = this.groups.get(id);
    if (!group) {
      group = { id, pending: new Deque(), taken: [], inFlight: 0, listed: false };
      this.groups.set(id, group);
    }
    return group;
  }

  private headIsReady({ pending }: Group): boolean {
    while (pending.peek()?.state === "gone") pending.shift();
    return pending.peek()?.state === "ready";
  }

  private list(group: Group): void {
    if (group.listed || group.inFlight || !this.headIsReady(group)) return;
    group.listed = true;
    this.line.push(group);
  }

  /** Unlocks the group when nothing of it is hidden any more: what came back goes to the front, in its old order. */
  private settle(group: Group): void {
    if (group.inFlight) return;
    for (let i = group.taken.length - 1; i >= 0; i--)
      if (group.taken[i]!.state !== "gone") group.pending.unshift(group.taken[i]!);
    group.taken = [];
    this.list(group);
    if (!group.pending.size && !group.listed) this.groups.delete(group.id);
  }
}
