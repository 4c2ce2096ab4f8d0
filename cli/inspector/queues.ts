import { setTimeout } from "node:timers/promises";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type { Done, Messages, Queue } from "../../dashboard/inspector/api";
import type { DeployedResource } from "../../deploy";
import type { Emulator } from "../../emulator";
import { Refusal } from "../page-server";
import { textOf } from "./names";

/** Messages that are shown of a queue, and characters of each. */
const mostMessages = 50;
const mostText = 20_000;

/** How long an answer waits for the end of a message move task, and between two looks at it, in milliseconds. */
const mostWait = 2_000;
const waitStep = 10;

/** How the messages of a dead-letter queue get where they belong. */
type Replay =
  | { readonly kind: "redrive"; readonly to: readonly string[] }
  | { readonly kind: "function"; readonly name: string; readonly title: string; readonly event: object };

interface Known {
  readonly arn: string;
  readonly url: string;
  readonly name: string;
  readonly replay?: Replay;
  readonly isDeadLetter: boolean;
}

const isQueue = ({ type }: DeployedResource) => type === "aws:sqs/queue:Queue";

/** The queue to which a queue gives up its messages. */
function deadLetterTarget(queue: DeployedResource): string | undefined {
  const policy = textOf(queue, "redrivePolicy");
  return policy ? (JSON.parse(policy) as { deadLetterTargetArn?: string }).deadLetterTargetArn : undefined;
}

/**
 * The function of a component that works off a queue: one called `…-replay-function`, which is told of the queue by a
 * variable called `…DEAD_LETTER_QUEUE` or `…FAILURE_QUEUE`.
 */
function replayFunction(resources: readonly DeployedResource[], url: string): Replay | undefined {
  for (const fn of resources) {
    if (fn.type !== "aws:lambda/function:Function" || !fn.name.endsWith("-replay-function")) continue;
    const environment = fn.outputs.environment?.value as { variables?: Record<string, unknown> } | undefined;
    const variable = Object.entries(environment?.variables ?? {}).find(([, value]) => value === url)?.[0];
    const from = variable?.endsWith("FAILURE_QUEUE") ? { from: "failures" } : {};
    if (variable && /(DEAD_LETTER|FAILURE)_QUEUE$/.test(variable))
      return { kind: "function", name: textOf(fn, "name") ?? fn.id!, title: fn.name, event: from };
  }
  return undefined;
}

/** The queues of a stack: what is in them, and how to empty those of dead letters. */
export class Queues {
  private readonly known: readonly Known[];
  private readonly sqs: SQSClient;
  private readonly lambda: LambdaClient;

  /** @param deadLetterUrls queues that count as dead-letter queues whatever leads to them. */
  constructor(
    private readonly emulator: Pick<Emulator, "endpoint" | "inspection">,
    resources: readonly DeployedResource[],
    deadLetterUrls: readonly string[],
  ) {
    const settings = {
      endpoint: emulator.endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
    this.sqs = new SQSClient(settings);
    this.lambda = new LambdaClient(settings);
    const queues = resources.filter(isQueue);
    this.known = queues.map((queue) => {
      const [arn, url] = [textOf(queue, "arn") ?? "", textOf(queue, "url") ?? ""];
      const sources = queues.filter((other) => deadLetterTarget(other) === arn).map(({ name }) => name);
      const redrive = sources.length > 0 ? ({ kind: "redrive", to: sources } as const) : undefined;
      const replay = replayFunction(resources, url) ?? redrive;
      const isDeadLetter = replay !== undefined || deadLetterUrls.includes(url);
      return { ...{ arn, url, name: queue.name, isDeadLetter }, ...(replay && { replay }) };
    });
  }

  /** Those with dead letters first, then other dead-letter queues, then by name. */
  list(): Queue[] {
    const rank = ({ isDeadLetter, waiting }: Queue) => (isDeadLetter ? (waiting > 0 ? 0 : 1) : 2);
    return this.known
      .map(({ arn, name, isDeadLetter, replay }): Queue => {
        const { waiting = 0, "in flight": inFlight = 0, delayed = 0 } = this.emulator.inspection.counts(arn) ?? {};
        return { arn, name, waiting, inFlight, delayed, isDeadLetter, ...(replay && { replay: titleOf(replay) }) };
      })
      .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /** The oldest messages of a queue; it stays as it is. @throws Refusal */
  messages(arn: string): Messages {
    const { arn: known } = this.find(arn);
    const counts = this.emulator.inspection.counts(known) ?? {};
    const messages = this.emulator.inspection.messages(known, mostMessages).map((message) => {
      const { id, body, state, sentAt, receives, attributes } = message;
      const shown = body.slice(0, mostText);
      return { ...{ id, body: shown, cut: shown.length < body.length, state, sentAt, receives }, attributes };
    });
    return { messages, all: Object.values(counts).reduce((sum, count) => sum + count, 0) };
  }

  /** Sends what is in a dead-letter queue on its way again. @throws Refusal with why that does not go */
  async replay(arn: string): Promise<Done> {
    const { name, replay } = this.find(arn);
    if (!replay) throw new Refusal(`Nothing knows where the messages of ${name} belong`);
    return replay.kind === "redrive" ? this.redrive(arn, replay.to) : this.work(replay);
  }

  close(): void {
    this.sqs.destroy();
    this.lambda.destroy();
  }

  private async redrive(SourceArn: string, to: readonly string[]): Promise<Done> {
    const { waiting = 0 } = this.emulator.inspection.counts(SourceArn) ?? {};
    if (waiting === 0) return { message: "There is no message to send back." };
    await this.sqs.send(new StartMessageMoveTaskCommand({ SourceArn })).catch(say);
    const { Status, ApproximateNumberOfMessagesMoved: moved = 0 } = await this.moveTask(SourceArn);
    // As on AWS: who sent a message to the dead letters directly knows where it belongs, and SQS does not.
    if (Status === "FAILED")
      throw new Refusal(
        `${messages(moved)} went back. The next one came from no queue: SQS cannot know where it belongs.`,
      );
    if (Status === "RUNNING") return { message: `${messages(waiting)} on the way back to ${to.join(", ")}.` };
    return { message: `${messages(moved)} back in ${to.join(", ")}.` };
  }

  /** The latest task of a queue once it has ended, or as it is when it takes longer than somebody likes to wait. */
  private async moveTask(SourceArn: string): Promise<ListMessageMoveTasksResultEntry> {
    for (const until = performance.now() + mostWait; ; await setTimeout(waitStep)) {
      const { Results } = await this.sqs.send(new ListMessageMoveTasksCommand({ SourceArn })).catch(say);
      const [task = {}] = Results ?? [];
      if (task.Status !== "RUNNING" || performance.now() > until) return task;
    }
  }

  private async work({ name, title, event }: Extract<Replay, { kind: "function" }>): Promise<Done> {
    const Payload = JSON.stringify(event);
    const answer = await this.lambda.send(new InvokeCommand({ FunctionName: name, Payload })).catch(say);
    const text = Buffer.from(answer.Payload ?? []).toString("utf8");
    const report = JSON.parse(text || "{}") as {
      errorMessage?: string;
      replayed?: number;
      stillFailing?: number;
      failures?: readonly { reason: string }[];
    };
    if (answer.FunctionError) throw new Refusal(`${title} failed: ${report.errorMessage ?? text}`);
    const { replayed = 0, stillFailing = 0, failures = [] } = report;
    const rest =
      stillFailing > 0 ? ` ${messages(stillFailing)} failed again: ${failures[0]?.reason ?? "no reason"}.` : "";
    return { message: `${messages(replayed)} where they belong.${rest}` };
  }

  private find(arn: string): Known {
    const found = this.known.find((queue) => queue.arn === arn);
    if (!found) throw new Refusal("The stack has no such queue");
    return found;
  }
}

const messages = (count: number) => (count === 1 ? "1 message" : `${count} messages`);

const titleOf = (replay: Replay) =>
  replay.kind === "redrive" ? `Back to ${replay.to.join(", ")}` : `With the function ${replay.title}`;

/** What AWS refuses is for whoever pressed the button. */
function say(error: unknown): never {
  throw new Refusal(error instanceof Error ? error.message : String(error));
}
