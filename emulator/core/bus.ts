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

/** A bundle of S3 object bytes and what is kept with them. */
export interface ObjectContent {
  readonly body: Buffer;
  readonly contentType?: string;
  readonly metadata: Record<string, string>;
  readonly versionId?: string;
  readonly etag: string;
}

/**
 * What services ask of each other. A service reaches another only through these, by ARN; it never imports it.
 * Failures are thrown as AwsError of the service that was asked.
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
        /** The service principal that calls, such as `apigateway.amazonaws.com`, and the source ARN: for the resource policy, which is not enforced yet. */
        principal?: string;
        sourceArn?: string;
        sourceAccount?: string;
      },
    ): Promise<InvokeResult>;
    /** Queues an event as an asynchronous invocation: two retries, then the failure destination. */
    invokeAsync(
      functionArn: string,
      payload: string,
      options?: { principal?: string; sourceArn?: string; sourceAccount?: string },
    ): Promise<void>;
  };
  sqs: {
    send(
      queueArn: string,
      message: {
        body: string;
        messageAttributes?: QueueMessage["messageAttributes"];
        groupId?: string;
        deduplicationId?: string;
        /** The service principal that sends (for the queue's policy), and the resource it does so for. */
        principal?: string;
        sourceArn?: string;
      },
    ): Promise<{ messageId: string }>;
    /** Waits until at least one message can be had, `waitMs` passed or `signal` fired. */
    receive(
      queueArn: string,
      options: { max: number; waitMs: number; signal?: AbortSignal },
    ): Promise<readonly QueueMessage[]>;
    delete(queueArn: string, receiptHandles: readonly string[]): Promise<void>;
    changeVisibility(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
    /** Resolves with the queue's attributes as GetQueueAttributes names them; throws when there is no such queue. */
    attributes(queueArn: string): Promise<Record<string, string>>;
  };
  s3: {
    getObject(bucket: string, key: string, versionId?: string): Promise<ObjectContent>;
    putObject(
      bucket: string,
      key: string,
      body: Buffer,
      options?: { contentType?: string; metadata?: Record<string, string> },
    ): Promise<{ etag: string; versionId?: string }>;
  };
  logs: {
    /** Makes the group and stream where they are missing, as Lambda and API Gateway do, and appends. Never throws for a missing group. */
    write(
      scope: { account: string; region: string },
      group: string,
      stream: string,
      events: readonly { timestamp: number; message: string }[],
    ): void;
  };
  sts: {
    /** Credentials of a role for a service, without a caller's AssumeRole call. */
    roleCredentials(roleArn: string, sessionName: string, durationSeconds?: number): Promise<SessionCredentials>;
    /** The secret behind an access key id, for SigV4 checks; undefined when nobody made such a key. */
    secretFor(
      accessKeyId: string,
    ): Promise<
      { secretAccessKey: string; sessionToken?: string; arn: string; account: string; userId: string } | undefined
    >;
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
  to<Name extends keyof Ports>(port: Name): Promise<Ports[Name]>;
  /** The port if its service is already loaded; for hot paths and for work that must not load a service. */
  ready<Name extends keyof Ports>(port: Name): Ports[Name] | undefined;
}
