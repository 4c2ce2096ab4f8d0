import type { CreateEventSourceMappingCommandInput, EventSourceMappingConfiguration } from "@aws-sdk/client-lambda";
import type { Identity } from "../../../core/access/identity";
import type { Arn } from "../../../core/arn";
import type { Host } from "../../../core/service";
import type { Invoker } from "../invoker";
import type { FunctionRecord } from "../state";
import type { StreamProgress } from "./stream-progress";

/** An event source mapping. */
export interface Mapping {
  readonly uuid: string;
  /** All that the API shows but the state. */
  config: EventSourceMappingConfiguration;
  enabled: boolean;
  /** What the last poll came to, in the API's words. */
  lastResult: string;
  tags: Record<string, string>;
  /** How far a stream has been processed: stays while the mapping is disabled or changed. */
  progress?: StreamProgress;
}

/** Settings of a mapping, of CreateEventSourceMapping and UpdateEventSourceMapping alike. */
export type MappingSettings = Omit<CreateEventSourceMappingCommandInput, "FunctionName" | "EventSourceArn" | "Tags">;

/** What reads from a source and invokes a function, for one mapping. */
export interface Poller {
  /** Takes nothing more from the source. Batches that run come to their end. */
  stop(): Promise<void>;
}

/** What a poller works with. */
export interface PollerTools {
  readonly host: Host;
  readonly invoker: Invoker;
}

/** A kind of event source. To add one: a file beside this one, and its line in `pollers.ts`. */
export interface SourceKind {
  /** The service in the ARN, for example `sqs`. */
  readonly service: string;
  /** Refuses a role that may not read the source. */
  checkAccess(host: Host, sourceArn: string, reader: Identity): Promise<void>;
  /** Refuses settings that this source does not take; gives those that the mapping is to have. */
  check(
    host: Host,
    source: Arn & { readonly text: string },
    fn: FunctionRecord,
    settings: MappingSettings,
  ): Promise<EventSourceMappingConfiguration>;
  start(mapping: Mapping, tools: PollerTools): Poller;
}
