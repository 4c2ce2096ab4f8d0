import { parseArn } from "../../core/arn";
import type { Clock, Timer } from "../../core/clock";
import { limits } from "../../core/limits";
import { type Host, type Operations, type Scope, Scoped } from "../../core/service";
import { check, streamNamePattern } from "./checks";
import { invalidArgument, streamNotFound } from "./errors";
import { type Consumer, hour, type Stream } from "./stream";

export type Sdk = typeof import("@aws-sdk/client-kinesis");

export type KinesisOperations = Operations<Sdk>;

/** The streams of one account in one region, by name. */
export class Region {
  readonly streams = new Map<string, Stream>();
}

/** How requests name a stream. */
export interface StreamReference {
  StreamName?: string;
  StreamARN?: string;
}

const streamArnPattern = /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+$/;

/** The ARN of a consumer, which begins with that of its stream. */
export const consumerArn = /^[^/]+\/[^/]+\/consumer\/([^:]+):\d+$/;

/** Every stream of the emulator. */
export class Store {
  private readonly regions = new Scoped(() => new Region());
  readonly clock: Clock;
  /** What waits for the end of records' retention. */
  private readonly trimming = new Map<Stream, Timer>();

  constructor(readonly host: Host) {
    this.clock = host.clock;
  }

  region(scope: Scope): Region {
    return this.regions.of(scope);
  }

  /** The stream that a request names, by its name in the caller's account and region or by its ARN. */
  find(reference: StreamReference, scope: Scope): Stream {
    const { StreamName, StreamARN } = reference;
    check({
      streamARN: [StreamARN, { length: [1, 2048], pattern: streamArnPattern }],
      streamName: [StreamName, { length: [1, limits.kinesis.name.value], pattern: streamNamePattern }],
    });
    if (StreamARN === undefined) {
      if (StreamName === undefined) throw invalidArgument("Either StreamARN or StreamName must be provided.");
      return this.named(StreamName, scope);
    }
    const stream = this.byArn(StreamARN);
    if (StreamName !== undefined && parseArn(StreamARN)!.resource !== `stream/${StreamName}`) {
      throw invalidArgument(`StreamARN ${StreamARN} and StreamName ${StreamName} are not of the same stream.`);
    }
    return stream;
  }

  named(name: string, scope: Scope): Stream {
    const stream = this.regions.of(scope).streams.get(name);
    if (!stream) throw streamNotFound(name, scope.account);
    return stream;
  }

  /** The stream of an ARN, its own or that of one of its consumers. */
  byArn(arn: string): Stream {
    const parsed = parseArn(arn);
    const name = parsed && /^stream\/([^/]+)/.exec(parsed.resource)?.[1];
    if (!name || parsed.service !== "kinesis") throw invalidArgument(`Invalid ARN: ${arn}`);
    return this.named(name, parsed);
  }

  /** The stream and, where the ARN is that of a consumer, the consumer. */
  resource(arn: string): { stream: Stream; consumer?: Consumer } {
    const stream = this.byArn(arn);
    const name = consumerArn.exec(arn)?.[1];
    if (name === undefined) return { stream };
    const consumer = stream.consumers.get(name);
    if (consumer?.arn !== arn) throw streamNotFound(arn.split("/").slice(1).join("/"), stream.scope.account);
    return { stream, consumer };
  }

  /** The stream of an ARN, if there is one. */
  at(arn: string): Stream | undefined {
    const parsed = parseArn(arn);
    const name = parsed?.service === "kinesis" ? /^stream\/([^/]+)$/.exec(parsed.resource)?.[1] : undefined;
    return parsed && name ? this.regions.of(parsed).streams.get(name) : undefined;
  }

  /** Lets records go when their retention has ended, also where nobody reads or writes any more. */
  trimLater(stream: Stream, delay = stream.retentionHours * hour): void {
    if (this.trimming.has(stream)) return;
    const trim = () => {
      this.trimming.delete(stream);
      stream.trim(this.clock.now());
      if (stream.hasRecords) this.trimLater(stream, hour);
    };
    this.trimming.set(stream, this.clock.after(delay, trim));
  }

  /** Takes a stream away with its records. */
  delete(stream: Stream): void {
    this.region(stream.scope).streams.delete(stream.name);
    this.trimming.get(stream)?.cancel();
    this.trimming.delete(stream);
    stream.delete();
  }

  clear(): void {
    for (const timer of this.trimming.values()) timer.cancel();
    this.trimming.clear();
    for (const { streams } of this.regions.all()) for (const stream of streams.values()) stream.delete();
    this.regions.clear();
  }
}
