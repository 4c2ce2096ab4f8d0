import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { _Record as ApiRecord } from "@aws-sdk/client-dynamodb-streams";
import type { ObjectCannedACL } from "@aws-sdk/client-s3";
import type { WriteRecordsRequest } from "@aws-sdk/client-timestream-write";
import type { ActingService, Authorizer } from "./access/authorizer";
import type { IdentityPolicies } from "./access/decide";
import type { Identity } from "./access/identity";
import type { WaitingMessage } from "./inspection";
import type { Causes } from "./journal/entry";
import type { PolicyDocument } from "./policy";
import type { PortCaller } from "./service-caller";
import type { DataRecordDetail, StreamReader } from "./stream-reader";

/** The result of a synchronous invocation, as the Lambda Invoke API gives it. */
export interface InvokeResult {
  /** UTF-8 JSON of the answer, or of the error object when {@link functionError} is set. */
  readonly payload: string;
  /** "Unhandled" when the function threw, timed out or crashed. */
  readonly functionError?: "Unhandled" | "Handled";
  readonly executedVersion: string;
}

/** A message as SQS hands it to a consumer. */
export interface QueueMessage {
  /** What it came of, for the journal. */
  readonly causes?: Causes;
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly md5OfMessageAttributes?: string;
  /** System attributes: ApproximateReceiveCount, SentTimestamp, SenderId, MessageGroupId ... all as text. */
  readonly attributes: Record<string, string>;
  readonly messageAttributes: Record<
    string,
    { dataType: string; stringValue?: string; binaryValue?: string /* base64 */ }
  >;
}

/** Credentials that STS made for a role. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiration: number;
  /** The assumed-role ARN of the session. */
  readonly arn: string;
}

/** Somebody who signs requests. */
export interface SigningIdentity extends Identity {
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A bundle of S3 object bytes and what is kept with them. */
export interface ObjectContent {
  readonly body: Buffer;
  readonly contentType?: string;
  readonly metadata: Record<string, string>;
  readonly versionId?: string;
  readonly etag: string;
}

/** Attributes of an item, as the API of DynamoDB writes them. */
export type TableItem = Record<string, AttributeValue>;

/** A change to an item, as the API of DynamoDB Streams shows it. */
export type TableRecord = ApiRecord;

/** The changes of a table. */
export interface TableStream {
  readonly arn: string;
  readonly label: string;
  readonly tableName: string;
  readonly keySchema: readonly { AttributeName: string | undefined; KeyType: "HASH" | "RANGE" | undefined }[];
  readonly viewType: "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly enabled: boolean;
  /** Its only shard. */
  readonly shardId: string;
  readonly firstSequenceNumber: string;
  /** Of a stream that is switched off. */
  readonly lastSequenceNumber: string | undefined;
  readonly reader: StreamReader<TableRecord>;
  /** The first position with this sequence number or a later one. */
  positionOf(sequenceNumber: string): number;
  /** Undefined where the record is not there yet, or no more. */
  sequenceNumberAt(position: number): string | undefined;
}

/** The types of single values in Timestream. */
export type TimestreamScalar = "DOUBLE" | "BIGINT" | "VARCHAR" | "BOOLEAN" | "TIMESTAMP";

/** A value in Timestream, as text that is the same for the same value: a TIMESTAMP is in nanoseconds since the epoch. */
export interface TimestreamValue {
  readonly type: TimestreamScalar;
  readonly text: string;
}

/** A record of Timestream. */
export interface TimestreamRow {
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  readonly dimensions: ReadonlyMap<string, string>;
  readonly measureName: string;
  readonly multi: boolean;
  /** By name; the value of a record that has only one is at "". */
  readonly values: ReadonlyMap<string, TimestreamValue>;
}

/** A column of a Timestream table; `measure_value::double` and the like are of kind `measure_value`. */
export interface TimestreamColumn {
  readonly name: string;
  readonly kind: "dimension" | "measure_name" | "time" | "attribute" | "measure_value";
  readonly type: TimestreamScalar;
}

/** The properties of an MQTT 5 message that reach subscribers and rules. */
export interface MqttProperties {
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  /** Whether the payload is UTF-8 text. */
  readonly payloadFormatIndicator?: boolean;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  /** In the order in which they were sent; a name may come more than once. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

/** What the broker knows of an MQTT client. Times are in milliseconds since the epoch. */
export interface MqttClientState {
  readonly connected: boolean;
  readonly thingName?: string;
  readonly cleanSession: boolean;
  readonly sourceIp: string;
  readonly sourcePort?: number;
  /** Seconds, as it counts. */
  readonly keepAlive: number;
  readonly connectedSince: number;
  readonly disconnectedSince?: number;
  readonly disconnectReason?: string;
  readonly subscriptions: readonly { readonly topicFilter: string; readonly qos: number }[];
}

/**
 * What services ask of each other. A service reaches another only through these, by ARN; it never imports it.
 * Failures are thrown as AwsError of the service that was asked. `by` says on whose behalf: the service that is asked
 * refuses what its resource's policy, or those of the role, do not allow.
 */
export interface Ports {
  lambda: {
    /** Runs a function (ARN with optional version or alias) and waits for its answer. */
    invoke(
      functionArn: string,
      payload: string,
      options?: {
        /** X-Ray header passed on to the function. */
        traceId?: string;
        by?: PortCaller;
        /** Whether no client waits for the answer: the clock lets it finish before it moves on. */
        inBackground?: boolean;
      },
    ): Promise<InvokeResult>;
    /** Queues an event as an asynchronous invocation: two retries, then the failure destination. */
    invokeAsync(functionArn: string, payload: string, by?: PortCaller): Promise<void>;
    /** The resource policy of a function (ARN with optional version or alias); throws when there is no such function. */
    policy(functionArn: string): Promise<string | undefined>;
  };
  sqs: {
    send(
      queueArn: string,
      message: {
        body: string;
        messageAttributes?: QueueMessage["messageAttributes"];
        groupId?: string;
        deduplicationId?: string;
      },
      by?: PortCaller,
    ): Promise<{ messageId: string }>;
    /** Waits until at least one message can be had, `waitMs` passed or `signal` fired. */
    receive(
      queueArn: string,
      options: { max: number; waitMs: number; signal?: AbortSignal; by?: PortCaller },
    ): Promise<readonly QueueMessage[]>;
    delete(queueArn: string, receiptHandles: readonly string[], by?: PortCaller): Promise<void>;
    changeVisibility(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
    /** The oldest messages, left as they are; none where there is no such queue. */
    peek(queueArn: string, limit: number): readonly WaitingMessage[];
    /** Resolves with the queue's attributes as GetQueueAttributes names them; throws when there is no such queue. */
    attributes(queueArn: string): Promise<Record<string, string>>;
  };
  sns: {
    /** Publishes to the topic's subscribers. Throws NotFoundException or a validation error. */
    publish(
      topicArn: string,
      message: {
        message: string;
        /** Up to 100 characters. */
        subject?: string;
        /** `json`: the message is an object with a text for each protocol, and `default`. */
        messageStructure?: "json";
        messageAttributes?: QueueMessage["messageAttributes"];
      },
      by?: PortCaller,
    ): Promise<{ messageId: string }>;
    /** Resolves with the topic's attributes as GetTopicAttributes names them; throws when there is no such topic. */
    attributes(topicArn: string): Promise<Record<string, string>>;
  };
  /** One item, by the table's name. Each throws what the operation of that name throws. */
  dynamodb: {
    getItem(
      scope: { account: string; region: string },
      table: string,
      key: TableItem,
      by?: PortCaller,
    ): Promise<TableItem | undefined>;
    putItem(scope: { account: string; region: string }, table: string, item: TableItem, by?: PortCaller): Promise<void>;
    /** Sets these attributes of an item, which is made where it is missing. */
    updateItem(
      scope: { account: string; region: string },
      table: string,
      key: TableItem,
      values: TableItem,
      by?: PortCaller,
    ): Promise<void>;
    deleteItem(
      scope: { account: string; region: string },
      table: string,
      key: TableItem,
      by?: PortCaller,
    ): Promise<void>;
  };
  dynamodbStreams: {
    /** The streams of tables, those of the last 24 hours that are off by now, too; oldest first. */
    list(scope: { account: string; region: string }, tableName?: string): Promise<readonly TableStream[]>;
    /** Throws ResourceNotFoundException when there is no such stream. */
    find(streamArn: string): Promise<TableStream>;
    /** Reads a stream. The reader asks again at each read whether `by` may. */
    open(streamArn: string, by?: PortCaller): Promise<StreamReader<TableRecord>>;
  };
  kinesis: {
    /** Puts a record. Throws ResourceNotFoundException, ProvisionedThroughputExceededException or a validation error. */
    putRecord(
      streamArn: string,
      record: { data: Buffer; partitionKey: string; explicitHashKey?: string },
      by?: PortCaller,
    ): Promise<{ shardId: string; sequenceNumber: string }>;
    /**
     * Reads a stream, by its ARN or that of one of its consumers. Throws when there is no such stream. The reader asks again
     * at each read whether `by` may.
     */
    open(arn: string, by?: PortCaller): Promise<StreamReader<DataRecordDetail>>;
  };
  timestream: {
    /** Writes records as WriteRecords does. Throws its errors, RejectedRecordsException for those that were not written. */
    writeRecords(scope: { account: string; region: string }, request: WriteRecordsRequest, by?: PortCaller): void;
    /** What a table has by now. Throws when there is no such database or table. */
    table(
      scope: { account: string; region: string },
      database: string,
      table: string,
    ): { columns: readonly TimestreamColumn[]; rows: readonly TimestreamRow[] };
  };
  s3: {
    getObject(bucket: string, key: string, versionId?: string, by?: PortCaller): Promise<ObjectContent>;
    putObject(
      bucket: string,
      key: string,
      body: Buffer,
      options?: {
        contentType?: string;
        metadata?: Record<string, string>;
        acl?: ObjectCannedACL;
        by?: PortCaller;
      },
    ): Promise<{ etag: string; versionId?: string }>;
  };
  logs: {
    /** Makes the group and stream where they are missing, as Lambda and API Gateway do, and appends. Never throws for a missing group. */
    write(
      scope: { account: string; region: string },
      group: string,
      stream: string,
      events: readonly { timestamp: number; message: string }[],
      by?: PortCaller,
    ): void;
    hasGroup(scope: { account: string; region: string }, group: string): boolean;
  };
  events: {
    /** Puts an event of an AWS service on the default bus of an account and region, whose rules decide about it. */
    put(
      scope: { account: string; region: string },
      event: { source: string; detailType: string; resources: readonly string[]; detail: object },
    ): void;
  };
  sts: {
    /**
     * Credentials of a role for a service that acts as it, without a caller's AssumeRole call. Throws AccessDenied where
     * there is no such role or it does not trust the service.
     */
    roleCredentials(acting: ActingService, durationSeconds?: number): Promise<SessionCredentials>;
    /** Credentials of somebody who is known already, whatever policies there are. */
    credentialsFor(identity: Identity, durationSeconds?: number): SessionCredentials;
    /** Who an access key id stands for, and its secret; undefined when nobody made such a key. Throws ExpiredToken. */
    identify(accessKeyId: string): Promise<SigningIdentity | undefined>;
  };
  iam: {
    /** A role as IAM keeps it; undefined when there is none. */
    role(
      roleArn: string,
    ): Promise<{ arn: string; id: string; name: string; trustPolicy: string; maxSessionSeconds: number } | undefined>;
    /** A user's own access key; undefined when there is none. */
    accessKey(
      accessKeyId: string,
    ): Promise<{ secretAccessKey: string; active: boolean; arn: string; userId: string; userName: string } | undefined>;
    /** The policies that hang on a role or user; undefined when there is none of that ARN. */
    policiesOf(arn: string): IdentityPolicies | undefined;
    /** Who may assume a role; undefined when there is no such role. */
    trustPolicy(roleArn: string): PolicyDocument | undefined;
    /** A managed policy, of an account or of AWS; undefined when there is none. */
    managedPolicy(arn: string): PolicyDocument | undefined;
    /** The roles of all accounts with the policies that hang on them. */
    roles(): Iterable<{ readonly arn: string; readonly policies: readonly PolicyDocument[] }>;
    /** How often anything was changed: who keeps a decision asks anew when this has grown. */
    changes(): number;
    /** Calls the listener after each change. Returns what ends it. */
    onChange(listener: () => void): () => void;
  };
  iot: {
    /**
     * Publishes a message through the broker of an account and region. Throws InvalidRequestException for a topic that
     * cannot be published to, and for a payload that is too large.
     */
    publish(
      scope: { account: string; region: string },
      message: {
        topic: string;
        payload: Buffer;
        qos?: 0 | 1;
        retain?: boolean;
        /** The identity that publishes, and where from: what rules see. */
        principal?: string;
        sourceIp?: string;
        mqttProperties?: MqttProperties;
      },
    ): void;
    /** The last retained message of each topic; `lastModified` is in milliseconds since the epoch. */
    retained(scope: {
      account: string;
      region: string;
    }): ReadonlyMap<string, { payload: Buffer; qos: 0 | 1; lastModified: number; mqttProperties?: MqttProperties }>;
    /** A client that is connected, or whose session is kept; undefined for any other. */
    client(scope: { account: string; region: string }, clientId: string): Promise<MqttClientState | undefined>;
    /** Ends a client's connection; false when it has none. */
    disconnect(
      scope: { account: string; region: string },
      clientId: string,
      options: { cleanSession?: boolean; preventWill?: boolean },
    ): Promise<boolean>;
    /** The shadows of an account and region: documents as the Device Shadow service has them, and its errors. */
    shadows(scope: { account: string; region: string }): {
      get(name: { thing: string; shadow?: string }): object;
      update(name: { thing: string; shadow?: string }, payload: Buffer): object;
      delete(name: { thing: string; shadow?: string }): object;
      /** Names of the named shadows of a thing, sorted. */
      names(thing: string): string[];
    };
  };
  apigateway: {
    /** The role that API Gateway writes logs with, which UpdateAccount of REST APIs sets for all kinds; undefined until then. */
    cloudwatchRole(scope: { account: string; region: string }): string | undefined;
  };
  cognito: {
    /** The public keys of a user pool by its ARN, as a JWK set, and its issuer URLs; undefined when there is no such pool. */
    keySet(userPoolArn: string): Promise<{ issuers: readonly string[]; keys: readonly JsonWebKey[] } | undefined>;
  };
}

export type JsonWebKey = { kid: string; kty: string; alg: string; use: string; n: string; e: string };

/**
 * The way between services. The bus finds and, when needed, loads the service that owns a port.
 *
 * ```ts
 * const { payload } = await (await host.bus.to("lambda")).invoke(functionArn, event);
 * ```
 */
export interface Bus {
  /** Asks IAM and the policies of resources what callers and services may do. */
  readonly access: Authorizer;
  to<Name extends keyof Ports>(port: Name): Promise<Ports[Name]>;
  /** The port if its service is already loaded; for hot paths and for work that must not load a service. */
  ready<Name extends keyof Ports>(port: Name): Ports[Name] | undefined;
}
