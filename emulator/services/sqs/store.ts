import { formatArn, parseArn } from "../../core/arn";
import type { Clock } from "../../core/clock";
import type { Faults } from "../../core/faults/faults";
import type { Causes } from "../../core/journal/entry";
import type { Journal } from "../../core/journal/journal";
import { type Scope, Scoped } from "../../core/service";
import { invalidAddress, missingParameter, queueDoesNotExist } from "./errors";
import { Attempts, Deduplication } from "./fifo";
import type { Message } from "./message";
import type { MoveTask } from "./moves";
import { Queue, type Surroundings } from "./queue";

/** A queue with what only a FIFO queue keeps. */
export class StoredQueue extends Queue {
  readonly deduplication = new Deduplication();
  readonly attempts = new Attempts();
  readonly moveTasks: MoveTask[] = [];
}

/** The queues of one account and region, by name. */
export class Region {
  readonly queues = new Map<string, StoredQueue>();

  constructor(readonly scope: Scope) {}
}

/** `/<account>/<name>` at the end of a queue URL, whatever stands before it. */
const queuePath = /\/(\d{12})\/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)\/?$/;

/** The region in the host (`sqs.eu-west-1.…`, `eu-west-1.queue.…`) or the path (`/queue/eu-west-1/…`) of other emulators' URLs. */
const urlRegion =
  /\/\/(?:sqs\.([a-z]{2}(?:-[a-z]+)+-\d)\.|([a-z]{2}(?:-[a-z]+)+-\d)\.queue\.)|\/queue\/([a-z0-9-]+)\/\d{12}\//;

/** Every queue of the emulator. */
export class Store implements Surroundings {
  private readonly regions = new Scoped((scope) => new Region(scope));
  /** URLs are the same few again and again: their parts are read once. */
  private readonly urls = new Map<string, { account: string; name: string; region?: string }>();

  constructor(
    readonly clock: Clock,
    readonly faults: Faults,
    readonly journal: Journal,
  ) {}

  region(scope: Scope): Region {
    return this.regions.of(scope);
  }

  /** The queue behind a QueueUrl, in the region that the URL or else the caller's signature names. */
  byUrl(url: string | undefined, { region }: Pick<Scope, "region">): StoredQueue {
    if (!url) throw missingParameter("QueueUrl");
    const parts = this.readUrl(url);
    if (!parts) throw invalidAddress(url);
    const queue = this.regions.of({ account: parts.account, region: parts.region ?? region }).queues.get(parts.name);
    if (!queue) throw queueDoesNotExist();
    return queue;
  }

  /** The ARN that a QueueUrl stands for, whether or not there is such a queue; undefined for what is no such URL. */
  arnOf(url: string | undefined, { region }: Pick<Scope, "region">): string | undefined {
    const parts = url ? this.readUrl(url) : undefined;
    return parts && formatArn("sqs", parts.region ?? region, parts.account, parts.name);
  }

  private readUrl(url: string) {
    const known = this.urls.get(url);
    if (known) return known;
    const match = queuePath.exec(url);
    if (!match) return undefined;
    const named = urlRegion.exec(url);
    const parts = { account: match[1]!, name: match[2]!, region: named?.[1] ?? named?.[2] ?? named?.[3] };
    if (this.urls.size > 10_000) this.urls.clear();
    this.urls.set(url, parts);
    return parts;
  }

  byArn(arn: string): StoredQueue | undefined {
    const parsed = parseArn(arn);
    if (parsed?.service !== "sqs") return undefined;
    return this.regions.of(parsed).queues.get(parsed.resource);
  }

  /** Queues of the same account and region that name this one as their dead-letter queue. */
  sourcesOf(queue: Queue): StoredQueue[] {
    const arn = parseArn(queue.arn)!;
    return [...this.regions.of(arn).queues.values()].filter((q) => q.settings.redrive?.targetArn === queue.arn);
  }

  deadLetter(targetArn: string, message: Message, source: Queue): boolean {
    const target = this.byArn(targetArn);
    if (!target) return false;
    const now = this.clock.now();
    target.add(
      {
        ...message,
        sourceArn: source.arn,
        causes: this.moved("DeadLetter", source, target, message),
        // ApproximateReceiveCount goes on: the first receive after five failed ones shows 6.
        receivesHere: 0,
        keptSince: target.fifo ? now : message.keptSince,
        dueAt: 0,
      },
      0,
    );
    return true;
  }

  /** Tells the journal of a message that goes to another queue. */
  moved(operation: "DeadLetter" | "Redrive", from: Queue, to: Queue, { causes }: Message): Causes | undefined {
    return this.journal.note(() => ({
      ...{ kind: "move", service: "sqs", operation, resources: [to.arn, from.arn], causes },
    }));
  }

  clear(): void {
    for (const region of this.regions.all()) {
      for (const queue of region.queues.values()) {
        for (const task of queue.moveTasks) task.stop();
        queue.close();
      }
    }
    this.regions.clear();
    this.urls.clear();
  }
}
