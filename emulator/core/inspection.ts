import type { Services } from "./services";

/** How many of what a resource has now, by word: `{ waiting: 3, "in flight": 1, delayed: 0 }`. */
export type Counts = Readonly<Record<string, number>>;

/** A message in a queue as somebody who looks on sees it. Times are in milliseconds since the epoch. */
export interface WaitingMessage {
  readonly id: string;
  readonly body: string;
  readonly state: "waiting" | "in flight" | "delayed";
  readonly sentAt: number;
  /** How often it was received. */
  readonly receives: number;
  /** The queue that gave it up. */
  readonly sourceArn?: string;
  /** Message attributes as text; bytes are in base64. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Looks at what is in an emulator, for tools that show it. Nothing changes by it, and no service is loaded for it. */
export interface Inspection {
  /** Undefined where there is no such resource, or nothing of it is counted. */
  counts(arn: string): Counts | undefined;
  /** The oldest messages of a queue: none is received. None where there is no such queue. */
  messages(queueArn: string, limit: number): readonly WaitingMessage[];
}

export const inspectionOf = (services: Services): Inspection => ({
  counts(arn) {
    for (const { service } of services.all()) {
      const counts = service.counts?.(arn);
      if (counts) return counts;
    }
    return undefined;
  },
  messages: (queueArn, limit) => services.ready("sqs")?.peek(queueArn, limit) ?? [],
});
