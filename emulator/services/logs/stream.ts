/** One log event as it is kept. */
export interface LogEvent {
  /** Grows with the timestamp, then with the order of arrival; 56 digits as on AWS. */
  readonly id: string;
  /** Milliseconds since the epoch, as the writer said. */
  readonly timestamp: number;
  readonly message: string;
  /** When it came in. */
  readonly ingestedAt: number;
}

/** The first index whose event is not before `isBefore`. */
function lowerBound(events: readonly LogEvent[], isBefore: (event: LogEvent) => boolean): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(events[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface TimeRange {
  /** Inclusive, milliseconds since the epoch. */
  readonly startTime?: number;
  /** Exclusive. */
  readonly endTime?: number;
}

/** A log stream: events in the order of their time. */
export class LogStream {
  lastIngestedAt?: number;
  private events: LogEvent[] = [];

  constructor(
    readonly name: string,
    readonly createdAt: number,
    private readonly now: () => number,
    /** Numbers events across streams: tools that follow a group tell events apart by their id. */
    private readonly nextNumber: () => number,
    /** Milliseconds, or undefined when events are kept forever. */
    private readonly retention: () => number | undefined,
  ) {}

  append(written: readonly { timestamp: number; message: string }[]): LogEvent[] {
    const ingestedAt = this.now();
    this.lastIngestedAt = ingestedAt;
    return written.map(({ timestamp, message }) => {
      const id = `${String(timestamp).padStart(20, "0")}${String(this.nextNumber()).padStart(36, "0")}`;
      const event = { id, timestamp, message, ingestedAt };
      const last = this.events[this.events.length - 1];
      if (!last || last.timestamp <= timestamp) this.events.push(event);
      else
        this.events.splice(
          lowerBound(this.events, (other) => other.timestamp <= timestamp),
          0,
          event,
        );
      return event;
    });
  }

  /** The events that are still kept. */
  all(): readonly LogEvent[] {
    const kept = this.retention();
    if (kept !== undefined) {
      const oldest = this.now() - kept;
      if (this.events[0] && this.events[0].timestamp < oldest)
        this.events.splice(
          0,
          lowerBound(this.events, ({ timestamp }) => timestamp < oldest),
        );
    }
    return this.events;
  }

  /** Indexes into {@link all} of the events in a time range: from the first up to, and without, the second. */
  range({ startTime, endTime }: TimeRange): [start: number, end: number] {
    const events = this.all();
    return [
      startTime === undefined ? 0 : lowerBound(events, ({ timestamp }) => timestamp < startTime),
      endTime === undefined ? events.length : lowerBound(events, ({ timestamp }) => timestamp < endTime),
    ];
  }

  /** The index in {@link all} of the first event whose id is not smaller. */
  indexOf(id: string): number {
    return lowerBound(this.all(), (event) => event.id < id);
  }
}
