import type { QueueMessage } from "../../../core/bus";
import { AwsError, notEmulated } from "../../../core/errors";
import type { Matcher } from "../../../core/event-pattern";
import { endsOf, limits } from "../../../core/limits";
import { invalidParameter, roleLacks } from "../errors";
import { payloadLimits } from "../invoker";
import { check } from "../names";
import { batchStep } from "./batch-step";
import type { Mapping, MappingSettings, Poller, PollerTools, SourceKind } from "./mapping";
import { failedItems } from "./partial";
import { pause } from "./pause";
import { payloadMatcher } from "./payload-filter";
import { isDenied, SourceRole } from "./source-role";

/** Settings that only streams and brokers have. */
const foreign = [
  "BisectBatchOnFunctionError",
  "DestinationConfig",
  "MaximumRecordAgeInSeconds",
  "MaximumRetryAttempts",
  "ParallelizationFactor",
  "StartingPosition",
  "StartingPositionTimestamp",
  "TumblingWindowInSeconds",
  "Topics",
  "Queues",
  "SourceAccessConfigurations",
  "SelfManagedEventSource",
] as const satisfies readonly (keyof MappingSettings)[];

/** Amazon SQS queues (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). */
export const sqsSource: SourceKind = {
  service: "sqs",

  async check(host, source, fn, settings) {
    const fifo = source.resource.endsWith(".fifo");
    check({
      batchSize: [settings.BatchSize, { range: endsOf(limits.lambda.batch) }],
      maximumBatchingWindowInSeconds: [
        settings.MaximumBatchingWindowInSeconds,
        { range: endsOf(limits.lambda.batchWindow) },
      ],
      "scalingConfig.maximumConcurrency": [
        settings.ScalingConfig?.MaximumConcurrency,
        { range: endsOf(limits.lambda.maximumConcurrency) },
      ],
    });
    const unsupported = foreign.find((name) => settings[name] !== undefined);
    if (unsupported) {
      throw invalidParameter(`Unsupported ${unsupported} parameter for given event source mapping type.`);
    }
    if (settings.ProvisionedPollerConfig) {
      throw notEmulated("lambda", "CreateEventSourceMapping", "ProvisionedPollerConfig");
    }
    const BatchSize = settings.BatchSize ?? 10;
    const window = settings.MaximumBatchingWindowInSeconds ?? 0;
    if (fifo && window > 0) throw invalidParameter("Batching window is not supported for FIFO queues.");
    const { value: most } = limits.lambda.batchWithoutWindow;
    if (fifo && BatchSize > most) throw invalidParameter(`Batch size must be between 1 and ${most} for FIFO queues.`);
    if (BatchSize > most && window === 0) {
      throw invalidParameter(
        `Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than ${most}`,
      );
    }
    const visibility = Number((await attributes(host, source.text)).VisibilityTimeout ?? 30);
    const timeout = fn.latest.config.Timeout!;
    if (visibility < timeout) {
      throw invalidParameter(
        `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
      );
    }
    return {
      BatchSize,
      MaximumBatchingWindowInSeconds: window,
      ScalingConfig: settings.ScalingConfig?.MaximumConcurrency ? settings.ScalingConfig : undefined,
    };
  },

  async checkAccess(host, queueArn, reader) {
    const policy = (await attributes(host, queueArn)).Policy;
    for (const action of ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
      if (host.bus.access.checkCaller(reader, { action, resource: queueArn, policy }))
        throw roleLacks("function", action);
  },

  start: (mapping, tools) => new SqsPoller(mapping, tools),
};

async function attributes(host: PollerTools["host"], queueArn: string): Promise<Record<string, string>> {
  try {
    return await (await host.bus.to("sqs")).attributes(queueArn);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidParameter(
      `Error occurred while ReceiveMessage. SQS Error Code: ${error.detail.queryCode ?? error.code}. SQS Error Message: ${error.message}`,
    );
  }
}

/** A queue hands out at most ten messages at once. */
const receiveLimit = limits.sqs.batch.value;
/** A message ends a poll at once, and nobody sees how long one takes: 20 s, as AWS has it, would be 60,000 of them in two weeks. */
const pollWait = 86_400_000;
/** Batches at a time that polling begins with, and at most comes to (the page above). */
const startBatches = 5;
const mostBatches = limits.lambda.maximumConcurrency.value;
/** Bytes of records in one event, so that it stays below the 6 MB of an invocation with what is around them. */
const eventSize = payloadLimits.RequestResponse - 1_000;
/** How long polling rests when the queue or the function is not there. */
const rest = 1_000;
/** And when the role may not read the queue; a change of IAM ends it sooner. */
const deniedRest = 30_000;

/**
 * Polls a queue for one mapping: one long poll at a time, so that a message is taken the moment it arrives, and as many
 * batches at a time as the function keeps up with.
 */
class SqsPoller implements Poller {
  private readonly stopping = new AbortController();
  /** Ends a long poll; another one may follow. */
  private polling = new AbortController();
  private readonly forgetRole: () => void;
  private readonly loop: Promise<void>;
  private readonly filters: readonly Matcher[];
  private readonly role: SourceRole;
  /** Batches that may run now: grows while batches succeed, shrinks when they fail or are throttled. */
  private allowed: number;
  private inFlight = 0;
  private wake?: () => void;

  constructor(
    private readonly mapping: Mapping,
    private readonly tools: PollerTools,
  ) {
    this.filters = (mapping.config.FilterCriteria?.Filters ?? []).map(({ Pattern }) =>
      payloadMatcher("body", JSON.parse(Pattern!)),
    );
    this.role = new SourceRole(mapping, tools);
    // What a long poll was allowed when it began may be forbidden when a message comes.
    this.forgetRole = this.role.onChange(() => this.endPoll());
    this.allowed = Math.min(startBatches, this.limit);
    this.loop = this.run().catch((error) => tools.host.report(error, `polling ${this.queueArn}`));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.forgetRole();
    this.endPoll();
    this.wake?.();
    await this.loop;
  }

  private endPoll(): void {
    this.polling.abort();
    if (!this.stopped) this.polling = new AbortController();
  }

  private get queueArn(): string {
    return this.mapping.config.EventSourceArn!;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.free();
      if (this.stopped) return;
      try {
        // A function that cannot run would only bring its messages nearer to their dead-letter queue.
        if (this.tools.invoker.find(this.mapping.config.FunctionArn!).fn.reservedConcurrency === 0) {
          await this.pause(rest);
          continue;
        }
        const messages = await this.gather();
        if (this.stopped) await this.giveBack(messages);
        else if (messages.length)
          for (const batch of split(await this.wanted(messages))) await this.startWhenFree(batch);
      } catch (error) {
        if (this.stopped) return;
        if (!(error instanceof AwsError)) throw error;
        this.mapping.lastResult = `PROBLEM: ${error.message}`;
        if (isDenied(error)) await this.pause(deniedRest, (end) => this.role.onChange(end));
        else await this.pause(rest);
      }
    }
  }

  /** Waits until one more batch may run, or polling stops. */
  private async free(): Promise<void> {
    while (this.inFlight >= this.allowed && !this.stopped)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
  }

  /** The parts of a batch too large for one event count one by one. */
  private async startWhenFree(batch: readonly Item[]): Promise<void> {
    await this.free();
    if (this.stopped) await this.giveBack(batch);
    else this.start(batch);
  }

  /** Receives one batch: at once with what there is, or for as long as the batching window is open. */
  private async gather(): Promise<Item[]> {
    const { BatchSize = 10, MaximumBatchingWindowInSeconds = 0 } = this.mapping.config;
    const first = await this.receive(Math.min(BatchSize, receiveLimit), pollWait);
    if (MaximumBatchingWindowInSeconds === 0 || first.length === 0) return first;
    const { clock } = this.tools.host;
    const end = clock.now() + MaximumBatchingWindowInSeconds * 1000;
    // By id: with a window longer than the visibility timeout a message may come twice, and its last handle counts.
    const messages = new Map(first.map((item) => [item.message.messageId, item]));
    let size = bytes(first);
    while (messages.size < BatchSize && size < eventSize && clock.now() < end && !this.stopped) {
      const more = await this.receive(Math.min(BatchSize - messages.size, receiveLimit), end - clock.now());
      for (const item of more) messages.set(item.message.messageId, item);
      size += bytes(more);
    }
    return [...messages.values()];
  }

  private async receive(max: number, waitMs: number): Promise<Item[]> {
    const by = this.role.assume();
    const { signal } = this.polling;
    const messages = await (await this.sqs()).receive(this.queueArn, { max, waitMs, signal, by });
    return messages.map((message) => {
      const record = this.record(message);
      return { message, record, json: JSON.stringify(record) };
    });
  }

  private sqs() {
    return this.tools.host.bus.to("sqs");
  }

  private async giveBack(messages: readonly Item[]): Promise<void> {
    if (messages.length) await (await this.sqs()).changeVisibility(this.queueArn, handles(messages), 0);
  }

  /** What passes the filters. The rest is deleted: a filter of a queue decides for good. */
  private async wanted(messages: Item[]): Promise<Item[]> {
    if (this.filters.length === 0) return messages;
    const wanted = messages.filter(({ record }) => this.filters.some((matches) => matches(record)));
    const kept = new Set(wanted);
    const dropped = messages.filter((item) => !kept.has(item));
    if (dropped.length) await this.delete(dropped);
    return wanted;
  }

  private start(batch: readonly Item[]): void {
    this.inFlight++;
    this.process(batch)
      .catch((error) => {
        if (error instanceof AwsError) this.mapping.lastResult = `PROBLEM: ${error.message}`;
        else this.tools.host.report(error, `a batch of ${this.queueArn}`);
      })
      .finally(() => {
        this.inFlight--;
        this.wake?.();
      });
  }

  /** Failed messages stay as they are: they come back when their visibility timeout is over. */
  private async process(batch: readonly Item[]): Promise<void> {
    const result = await this.tools.host.journal.step(
      () =>
        batchStep(
          "sqs",
          this.queueArn,
          batch.map(({ message }) => message),
        ),
      () => this.invoke(`{"Records":[${batch.map(({ json }) => json).join()}]}`),
    );
    if (!result || result.errorType !== undefined) {
      this.allowed = Math.max(1, Math.floor(this.allowed / 2));
      this.mapping.lastResult = result ? "PROBLEM: Function call failed" : "PROBLEM: Function call was throttled";
      return;
    }
    if (this.inFlight >= this.allowed) this.allowed = Math.min(this.limit, this.allowed + 1);
    this.mapping.lastResult = "OK";
    let done = batch;
    if (this.mapping.config.FunctionResponseTypes?.includes("ReportBatchItemFailures")) {
      const failed = failedItems(result.payload, new Set(batch.map(({ message }) => message.messageId)));
      done = failed === "all" ? [] : batch.filter(({ message }) => !failed.has(message.messageId));
    }
    if (done.length) await this.delete(done);
  }

  private async delete(messages: readonly Item[]): Promise<void> {
    await (await this.sqs()).delete(this.queueArn, handles(messages), this.role.assume());
  }

  private get limit(): number {
    return this.mapping.config.ScalingConfig?.MaximumConcurrency ?? mostBatches;
  }

  /** Invokes the function; while it is throttled, again until the messages' visibility timeout is over. */
  private async invoke(payload: string) {
    const { host, invoker } = this.tools;
    let end: number | undefined;
    for (let wait = 50; ; wait = Math.min(wait * 2, 5_000)) {
      const target = invoker.find(this.mapping.config.FunctionArn!);
      try {
        return await invoker.call({ ...target, payload });
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== "TooManyRequestsException") throw error;
        this.allowed = Math.max(1, this.allowed - 1);
        const start = host.clock.now();
        end ??= start + Number((await (await this.sqs()).attributes(this.queueArn)).VisibilityTimeout ?? 30) * 1000;
        if (this.stopped || start + wait >= end) return undefined;
        await this.pause(wait, (end) => invoker.onFreed(target.fn, end));
      }
    }
  }

  private pause(ms: number, sooner?: (end: () => void) => () => void): Promise<void> {
    return pause(this.tools.host.clock, ms, this.stopping.signal, sooner);
  }

  /** A message as functions see it (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event). */
  private record(message: QueueMessage) {
    const attributes = Object.entries(message.messageAttributes).map(([name, value]) => [
      name,
      {
        ...(value.stringValue !== undefined && { stringValue: value.stringValue }),
        ...(value.binaryValue !== undefined && { binaryValue: value.binaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: value.dataType,
      },
    ]);
    return {
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: message.attributes,
      messageAttributes: Object.fromEntries(attributes),
      ...(message.md5OfMessageAttributes && { md5OfMessageAttributes: message.md5OfMessageAttributes }),
      md5OfBody: message.md5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: this.queueArn,
      awsRegion: this.queueArn.split(":")[3],
    };
  }
}

/** A message with what the function sees of it, as JSON too: quotes and line breaks of a body take more room there. */
interface Item {
  readonly message: QueueMessage;
  readonly record: object;
  readonly json: string;
}

const handles = (messages: readonly Item[]) => messages.map(({ message }) => message.receiptHandle);

const bytes = (messages: readonly Item[]) => messages.reduce((sum, { json }) => sum + Buffer.byteLength(json) + 1, 0);

/** Parts of a batch that fit into an event each. */
function split(messages: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const length = bytes([message]);
    if (size + length > eventSize) {
      parts.push([]);
      size = 0;
    }
    size += length;
    parts.at(-1)!.push(message);
  }
  return parts;
}
