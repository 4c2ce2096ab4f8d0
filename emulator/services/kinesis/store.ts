import { parseArn } from "../../core/arn";
import type { Clock } from "../../core/clock";
import { type Host, type Operations, type Scope, Scoped } from "../../core/service";
import { check, streamNamePattern } from "./checks";
import { invalidArgument, streamNotFound } from "./errors";
import type { Consumer, Stream } from "./stream";

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

/** Every stream of the emulator. */
export class Store {
  private readonly regions = new Scoped(() => new Region());
  readonly clock: Clock;

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
      streamName: [StreamName, { length: [1, 128], pattern: streamNamePattern }],
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
    const name = /^[^/]+\/[^/]+\/consumer\/([^:]+):\d+$/.exec(arn)?.[1];
    if (name === undefined) return { stream };
    const consumer = stream.consumers.get(name);
    if (consumer?.arn !== arn) throw streamNotFound(arn.split("/").slice(1).join("/"), stream.scope.account);
    return { stream, consumer };
  }

  clear(): void {
    for (const { streams } of this.regions.all()) for (const stream of streams.values()) stream.delete();
    this.regions.clear();
  }
}
