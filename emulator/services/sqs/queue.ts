import { randomBytes } from "node:crypto";
import type { Clock, Timer } from "../../core/clock";
import type { Faults } from "../../core/faults/faults";
import { limits } from "../../core/limits";
import { type Attributes, type Settings, settingsOf } from "./attributes";
import {
  notAvailableForVisibilityChange,
  overLimit,
  queueDoesNotExist,
  receiptHandleExpired,
  receiptHandleIsInvalid,
  visibilityTooLong,
} from "./errors";
import { DueHeap } from "./heap";
import { FifoLane, type Lane, StandardLane } from "./lanes";
import type { Message } from "./message";
import { Waiters } from "./waiters";

/** What tells the second one of two messages of the same id. */
const copyMark = "C";

const keyOf = ({ id, isCopy }: Message): string => (isCopy ? `${id}${copyMark}` : id);

/** A message may stay hidden this long in all from one receive on. */
const longestVisibility = limits.sqs.visibility.value * 1000;

/** Messages received and not deleted: standard queues answer OverLimit, FIFO queues just give no more. */
const inFlightLimit = limits.sqs.inFlight.value;

/** What a queue asks of the service around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly faults: Faults;
  /** Moves a message that was received too often; false when there is no such queue, and the message is delivered. */
  deadLetter(targetArn: string, message: Message, source: Queue): boolean;
}

/** What a consumer wants. */
export interface Demand {
  readonly max: number;
  /** @default the queue's VisibilityTimeout */
  readonly visibilityMs?: number;
}

/** A message as it was handed out: the handle belongs to this receive only. */
export interface Received {
  readonly message: Message;
  readonly handle: string;
}

/**
 * A queue and the life of its messages. Time is read, not counted: what fell due is looked up in a heap before every
 * use, and the clock is asked to call back only while somebody waits for a message.
 */
export class Queue {
  readonly createdAt: number;
  modifiedAt: number;
  purgedAt = Number.NEGATIVE_INFINITY;
  tags: Record<string, string> = {};
  attributes: Attributes;
  settings: Settings;
  /** How many messages wait for their delay, are available, are hidden. */
  readonly counts = { delayed: 0, ready: 0, inFlight: 0, gone: 0 };

  private readonly messages = new Map<string, Message>();
  private readonly lane: Lane;
  private readonly due = new DueHeap<Message>();
  private readonly waiters: Waiters;
  /** The message that waits for another one to overtake it. */
  private late?: Message;
  private alarm?: { at: number; timer: Timer };
  /** No message can expire before this time. */
  private nextExpiry = Number.POSITIVE_INFINITY;
  /** Marks the receipt handles of this queue, so that those of another, or of a deleted one, are told apart. */
  private readonly mark = randomBytes(9).toString("base64url");

  constructor(
    readonly name: string,
    readonly arn: string,
    readonly fifo: boolean,
    attributes: Attributes,
    private readonly around: Surroundings,
  ) {
    this.attributes = attributes;
    this.settings = settingsOf(attributes);
    this.lane = fifo ? new FifoLane() : new StandardLane();
    this.createdAt = this.modifiedAt = around.clock.now();
    this.waiters = new Waiters(around.clock);
  }

  /** Takes over changed attributes. */
  configure(attributes: Attributes): void {
    const { delayMs } = this.settings;
    this.attributes = attributes;
    this.settings = settingsOf(attributes);
    this.modifiedAt = this.around.clock.now();
    this.nextExpiry = Number.NEGATIVE_INFINITY;
    // "For FIFO queues, the per-queue delay setting is retroactive" (developer guide: "Amazon SQS delay queues").
    if (this.fifo && delayMs !== this.settings.delayMs)
      for (const message of this.messages.values())
        if (message.state === "delayed") this.wait(message, message.sentAt + this.settings.delayMs);
    this.serve();
  }

  /** Takes in a message that is available `delayMs` from now. */
  add(message: Message, delayMs: number): void {
    const late = this.late?.state === "delayed" ? this.late : undefined;
    const wait = this.waitToBeOvertaken(late === undefined && delayMs === 0);
    this.put(message, wait ?? delayMs);
    this.late = wait === undefined ? undefined : message;
    if (late) this.wakeUp(late);
    if (this.waiters.size) this.serve();
  }

  /** Takes a message in. */
  private put(message: Message, delayMs: number): void {
    const now = this.around.clock.now();
    this.messages.set(keyOf(message), message);
    this.nextExpiry = Math.min(this.nextExpiry, message.keptSince + this.settings.retentionMs);
    message.state = delayMs > 0 ? "delayed" : "ready";
    this.counts[message.state]++;
    if (delayMs > 0) this.wait(message, now + delayMs);
    this.lane.add(message);
  }

  /** Hands out what is available now. */
  receive({ max, visibilityMs = this.settings.visibilityMs }: Demand): Received[] {
    const now = this.around.clock.now();
    this.catchUp(now);
    const room = inFlightLimit - this.counts.inFlight;
    if (room <= 0) return [];
    const taken = this.lane.take(Math.min(max, room), (message) => this.handOut(message, now, visibilityMs));
    const received = taken.map((message) => ({ message, handle: this.handleOf(message) }));
    // Zero seconds: received, and available to the next consumer at once.
    if (visibilityMs === 0) for (const message of taken) this.release(message);
    if (this.around.faults.active) for (const message of taken) this.copy(message);
    return received;
  }

  /** Waits up to `waitMs` for messages; woken in the same tick in which one becomes available. */
  receiveWithin(waitMs: number, demand: Demand, signal?: AbortSignal): Received[] | Promise<Received[]> {
    const received = this.receive(demand);
    // Long polls and FIFO queues get nothing at the limit, and no error (API reference: ReceiveMessage, OverLimit).
    if (waitMs <= 0 && !this.fifo && !received.length && this.counts.inFlight >= inFlightLimit) throw overLimit();
    if (received.length || waitMs <= 0 || signal?.aborted) return received;
    const answer = this.waiters.join(demand, waitMs, signal);
    this.setAlarm();
    return answer;
  }

  delete(handle: string): void {
    const { message, current } = this.find(handle);
    this.catchUp(this.around.clock.now());
    // A message that is gone already is deleted as often as one likes.
    if (!message) return;
    if (this.fifo && (!current || message.state !== "inFlight")) throw receiptHandleExpired(handle);
    // On a standard queue an older handle succeeds and deletes nothing while a later receive holds the message
    // (API reference, DeleteMessage: the most recent handle must be used).
    if (current) this.forget(message);
  }

  changeVisibility(handle: string, visibilityMs: number): void {
    const now = this.around.clock.now();
    const { message, current } = this.find(handle);
    this.catchUp(now);
    if (!message) throw notAvailableForVisibilityChange(handle);
    // Recorded on AWS: a handle whose time is over is answered with success, and nothing happens.
    if (!current || message.state !== "inFlight") {
      if (this.fifo) throw receiptHandleExpired(handle);
      return;
    }
    if (now + visibilityMs > message.receivedAt + longestVisibility) throw visibilityTooLong(visibilityMs / 1000);
    if (visibilityMs > 0) this.wait(message, now + visibilityMs);
    else this.release(message);
    this.serve();
  }

  /** The handed-out message and its handle again, hidden anew; undefined when it is no longer hidden under that handle. */
  repeat(handle: string, visibilityMs: number): Received | undefined {
    const now = this.around.clock.now();
    this.catchUp(now);
    const { message, current } = this.find(handle);
    if (!message || !current || message.state !== "inFlight") return undefined;
    this.wait(message, now + visibilityMs);
    return { message, handle };
  }

  /** Takes an available message out for a message move task. */
  withdraw(): Message | undefined {
    this.catchUp(this.around.clock.now());
    const [message] = this.lane.take(1, (candidate) => {
      this.counts.ready--;
      this.counts.inFlight++;
      candidate.state = "inFlight";
      return true;
    });
    if (message) this.forget(message);
    return message;
  }

  purge(): void {
    for (const message of this.messages.values()) message.state = "gone";
    this.messages.clear();
    this.lane.clear();
    this.due.clear();
    Object.assign(this.counts, { delayed: 0, ready: 0, inFlight: 0 });
    this.nextExpiry = Number.POSITIVE_INFINITY;
  }

  /** The oldest messages as they are now. */
  peek(limit: number): Message[] {
    this.catchUp(this.around.clock.now());
    return [...this.messages.values()].slice(0, limit);
  }

  /** Numbers as of now. */
  approximateCounts() {
    this.catchUp(this.around.clock.now());
    return this.counts;
  }

  /** Ends the queue: whoever waits is told that it does not exist. */
  close(error: Error = queueDoesNotExist()): void {
    this.purge();
    this.alarm?.timer.cancel();
    this.waiters.fail(error);
  }

  private handOut(message: Message, now: number, visibilityMs: number): boolean {
    if (message.keptSince + this.settings.retentionMs <= now) {
      this.drop(message);
      return false;
    }
    const { redrive } = this.settings;
    if (redrive && message.receivesHere >= redrive.maxReceiveCount) {
      if (this.around.deadLetter(redrive.targetArn, message, this)) {
        this.drop(message);
        return false;
      }
    }
    message.receiveCount++;
    message.receivesHere++;
    message.receivedAt = now;
    message.firstReceivedAt ||= now;
    message.state = "inFlight";
    this.counts.ready--;
    this.counts.inFlight++;
    if (visibilityMs > 0) this.wait(message, now + visibilityMs);
    return true;
  }

  private wait(message: Message, at: number): void {
    message.dueAt = at;
    this.due.push(at, message);
    // Entries of deleted or changed messages stay behind; clear them out before they outnumber the living.
    if (this.due.size > 2 * (this.counts.delayed + this.counts.inFlight) + 1024) this.due.retain(isCurrent);
    if (this.waiters.size) this.setAlarm();
  }

  private release(message: Message): void {
    message.state = "ready";
    this.counts.inFlight--;
    this.counts.ready++;
    this.lane.giveBack(message);
  }

  /** Does what fell due by `now`: delays and invisibility that ended, messages past their retention. */
  private catchUp(now: number): void {
    for (let next = this.due.peek(); next && next.at <= now; next = this.due.peek()) {
      this.due.pop();
      if (!isCurrent(next)) continue;
      const message = next.item;
      if (message.state === "inFlight") {
        this.release(message);
      } else this.wakeUp(message);
    }
    if (this.nextExpiry <= now) this.expire(now);
  }

  /** A message whose delay is over. */
  private wakeUp(message: Message): void {
    message.state = "ready";
    this.counts.delayed--;
    this.counts.ready++;
    this.lane.wake(message);
  }

  /** How long a fault makes a message wait for another one; FIFO queues keep their order. */
  private waitToBeOvertaken(isFree: boolean): number | undefined {
    const { faults } = this.around;
    if (this.fifo || !faults.active) return undefined;
    return faults.reorders({ service: "sqs", operation: "SendMessage", resources: [this.arn] }, isFree);
  }

  /**
   * Lets a fault deliver a received message once more: as if one of SQS's servers had missed that it was received, and
   * may miss that it is deleted (developer guide, "Amazon SQS at-least-once delivery").
   */
  private copy(message: Message): void {
    if (this.fifo || message.isCopy) return;
    const copy = { ...message, isCopy: true as const, dueAt: 0 };
    if (this.messages.has(keyOf(copy))) return;
    const place = { service: "sqs", operation: "ReceiveMessage", resources: [this.arn] };
    if (!this.around.faults.duplicates(place)) return;
    this.put({ ...copy, receiveCount: message.receiveCount - 1, receivesHere: message.receivesHere - 1 }, 0);
  }

  private expire(now: number): void {
    this.nextExpiry = Number.POSITIVE_INFINITY;
    for (const message of this.messages.values()) {
      const end = message.keptSince + this.settings.retentionMs;
      if (end <= now) this.unlink(message);
      else this.nextExpiry = Math.min(this.nextExpiry, end);
      // Messages stand in the order of arrival; only a dead-letter queue gets older ones later.
      if (end > now && !message.sourceArn) break;
    }
  }

  /** Removes a message that its lane still knows; in a FIFO queue that may make the next of its group available. */
  private forget(message: Message): void {
    this.unlink(message);
    if (this.waiters.size) this.serve();
  }

  private unlink(message: Message): void {
    const wasInFlight = message.state === "inFlight";
    this.drop(message);
    this.lane.remove(message, wasInFlight);
  }

  private drop(message: Message): void {
    this.counts[message.state]--;
    message.state = "gone";
    this.messages.delete(keyOf(message));
  }

  private handleOf(message: Message): string {
    return `AQEB${this.mark}${message.id}${message.receivesHere.toString(36)}${message.isCopy ? copyMark : ""}`;
  }

  private find(handle: string): { message?: Message; current: boolean } {
    const id = handle.slice(16, 52);
    const [, receive, copy] = /^([0-9a-z]+)(C?)$/.exec(handle.slice(52)) ?? [];
    if (!handle.startsWith(`AQEB${this.mark}`) || id.length !== 36 || receive === undefined)
      throw receiptHandleIsInvalid(handle);
    const message = this.messages.get(`${id}${copy}`);
    return { message, current: message?.receivesHere.toString(36) === receive };
  }

  /** Gives what is available to those who wait, in the order in which they came. */
  private serve(): void {
    if (!this.waiters.size) return;
    this.catchUp(this.around.clock.now());
    while (this.waiters.size && this.counts.ready) {
      if (this.counts.inFlight >= inFlightLimit) break;
      const received = this.receive(this.waiters.first);
      if (!received.length) break;
      this.waiters.answer(received);
    }
    this.setAlarm();
  }

  /** Asks the clock to call when the next message falls due, as long as somebody waits for one. */
  private setAlarm(): void {
    const next = this.due.peek();
    if (!next || !this.waiters.size) return;
    if (this.alarm && this.alarm.at <= next.at) return;
    this.alarm?.timer.cancel();
    const timer = this.around.clock.after(next.at - this.around.clock.now(), () => {
      this.alarm = undefined;
      this.serve();
    });
    this.alarm = { at: next.at, timer };
  }
}

const isCurrent = ({ at, item }: { at: number; item: Message }) =>
  item.dueAt === at && (item.state === "delayed" || item.state === "inFlight");
