import { randomUUID } from "node:crypto";
import type { ListMessageMoveTasksResultEntry } from "@aws-sdk/client-sqs";
import { parseArn } from "../../core/arn";
import type { Timer } from "../../core/clock";
import { limits } from "../../core/limits";
import type { Context, Operations } from "../../core/service";
import { invalidParameter, invalidValue, missingParameter, resourceNotFound } from "./errors";
import type { Message } from "./message";
import type { Store, StoredQueue } from "./store";

type Status = "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED";

/** Moves the messages of a dead-letter queue back, or to another queue, at a given pace. */
export class MoveTask {
  readonly id = randomUUID();
  readonly startedAt: number;
  readonly toMove: number;
  status: Status = "RUNNING";
  moved = 0;
  failure?: string;
  private timer?: Timer;

  constructor(
    private readonly store: Store,
    readonly source: StoredQueue,
    readonly destinationArn: string | undefined,
    readonly perSecond: number | undefined,
  ) {
    this.startedAt = store.clock.now();
    this.toMove = source.approximateCounts().ready;
    this.timer = store.clock.after(0, () => this.step());
  }

  get handle(): string {
    return Buffer.from(JSON.stringify({ taskId: this.id, sourceArn: this.source.arn })).toString("base64");
  }

  stop(status: Status = "CANCELLED", failure?: string): void {
    if (this.status !== "RUNNING") return;
    this.status = status;
    this.failure = failure;
    this.timer?.cancel();
  }

  private step(): void {
    this.share();
    if (this.moved >= this.toMove) this.stop("COMPLETED");
    if (this.status === "RUNNING") this.timer = this.store.clock.after(1000, () => this.step());
  }

  /** Moves one second's share, or everything when no pace was asked for. */
  private share(): void {
    for (let left = this.perSecond ?? this.toMove; left > 0 && this.moved < this.toMove; left--) {
      const message = this.source.withdraw();
      const target = message && this.targetOf(message);
      if (message && target) {
        const causes = this.store.moved("Redrive", this.source, target, message);
        target.add({ ...this.renewed(message), causes }, 0);
        this.moved++;
        continue;
      }
      if (message) {
        this.source.add({ ...message }, 0);
        this.stop("FAILED", "AWS.SimpleQueueService.NonExistentQueue");
      } else {
        this.stop("COMPLETED");
      }
      break;
    }
  }

  private targetOf(message: Message): StoredQueue | undefined {
    const arn = this.destinationArn ?? message.sourceArn;
    return arn ? this.store.byArn(arn) : undefined;
  }

  /** "redriven messages are considered new messages with a new messageID and enqueueTime" (developer guide: DLQ redrive). */
  private renewed(message: Message): Message {
    const now = this.store.clock.now();
    return {
      ...message,
      id: randomUUID(),
      sentAt: now,
      keptSince: now,
      sourceArn: undefined,
      receiveCount: 0,
      receivesHere: 0,
      firstReceivedAt: 0,
      receivedAt: 0,
      dueAt: 0,
    };
  }
}

const noSource = () => resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");

function parseHandle(handle: string): { taskId: string; sourceArn: string } | undefined {
  try {
    const { taskId, sourceArn } = JSON.parse(Buffer.from(handle, "base64").toString()) as Record<string, unknown>;
    if (typeof taskId === "string" && typeof sourceArn === "string") return { taskId, sourceArn };
  } catch {
    // Not one of ours.
  }
  return undefined;
}

/** The queue that a task takes messages from, whether or not there is such a task. */
export const sourceOfTask = (handle: string | undefined): string | undefined => parseHandle(handle ?? "")?.sourceArn;

function readHandle(handle: string | undefined): { taskId: string; sourceArn: string } {
  if (!handle) throw missingParameter("TaskHandle");
  const parsed = parseHandle(handle);
  if (!parsed) throw invalidParameter("Value for parameter TaskHandle is invalid.");
  return parsed;
}

function describe(task: MoveTask): ListMessageMoveTasksResultEntry {
  return {
    // The handle is for cancelling, so only a running task shows it.
    TaskHandle: task.status === "RUNNING" ? task.handle : undefined,
    Status: task.status,
    SourceArn: task.source.arn,
    DestinationArn: task.destinationArn,
    MaxNumberOfMessagesPerSecond: task.perSecond,
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    FailureReason: task.failure,
    StartedTimestamp: task.startedAt,
  };
}

/** StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks. */
export const moveOperations = (store: Store) =>
  ({
    StartMessageMoveTask({ SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond: pace }, context: Context) {
      const source = sourceOf(store, SourceArn, context);
      if (!store.sourcesOf(source).length)
        throw invalidParameter("Source queue must be configured as a Dead Letter Queue.");
      const { least, value: most } = limits.sqs.moveRate;
      if (pace !== undefined && (pace < least || pace > most))
        throw invalidValue(pace, "MaxNumberOfMessagesPerSecond", `Must be >= ${least} and <= ${most}, if provided.`);
      if (DestinationArn !== undefined) {
        const destination = store.byArn(DestinationArn);
        if (!destination)
          throw resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.");
        if (destination.arn === source.arn)
          throw invalidParameter("Source queue arn and destination queue arn cannot be the same.");
        if (destination.fifo !== source.fifo)
          throw invalidParameter("Source and destination queues must be of the same type.");
      }
      if (source.moveTasks.some(({ status }) => status === "RUNNING"))
        throw invalidParameter(
          "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        );
      const task = new MoveTask(store, source, DestinationArn, pace);
      source.moveTasks.unshift(task);
      // AWS lists the ten most recent tasks.
      source.moveTasks.length = Math.min(source.moveTasks.length, 10);
      return { TaskHandle: task.handle };
    },

    CancelMessageMoveTask({ TaskHandle }) {
      const { taskId, sourceArn } = readHandle(TaskHandle);
      const source = store.byArn(sourceArn);
      if (!source) throw noSource();
      const task = source.moveTasks.find(({ id }) => id === taskId);
      if (task?.status !== "RUNNING") throw resourceNotFound("Task does not exist.");
      task.stop();
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },

    ListMessageMoveTasks({ SourceArn, MaxResults = 1 }, context) {
      const source = sourceOf(store, SourceArn, context);
      if (MaxResults < 1 || MaxResults > 10)
        throw invalidValue(MaxResults, "MaxResults", "Must be between 1 and 10, if provided.");
      return { Results: source.moveTasks.slice(0, MaxResults).map(describe) };
    },
  }) satisfies Operations<typeof import("@aws-sdk/client-sqs")>;

function sourceOf(store: Store, arn: string | undefined, context: Context): StoredQueue {
  if (!arn) throw missingParameter("SourceArn");
  const parsed = parseArn(arn);
  if (parsed?.service !== "sqs")
    throw invalidParameter(
      "You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
    );
  const queue = parsed.region === context.region ? store.byArn(arn) : undefined;
  if (!queue) throw noSource();
  return queue;
}
