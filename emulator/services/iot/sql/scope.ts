import type { Expression, SqlVersion, Variables } from "./ast";
import { sqlEvaluationFailed } from "./errors";
import { parseJson, type Value } from "./values";

type Awaitable<T> = T | Promise<T>;

/** What a rule's SQL can see and do for one message. One object per message: results are shared by its identity. */
export interface SqlContext {
  /** The topic of the message; for Basic Ingest without `$aws/rules/rule-name/`. */
  readonly topic: string;
  readonly payload: Buffer;
  /** The MQTT client; undefined for messages over HTTP (`n/a` in SQL). */
  readonly clientId?: string;
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Milliseconds since 1970 of the emulator's clock. */
  readonly timestamp: number;
  /** Undefined for messages that did not come over MQTT. */
  readonly traceId?: string;
  readonly accountId: string;
  readonly region: string;
  readonly newUuid: () => string;
  /** A number of [0, 1). */
  readonly random: () => number;
  readonly mqttProperties?: MqttProperties;
  /** `aws_lambda()`. A rejection fails the evaluation. */
  readonly invokeLambda?: (functionArn: string, input: unknown) => Awaitable<unknown>;
  /** `get_thing_shadow()`: the shadow document; undefined when there is none. */
  readonly getThingShadow?: (thingName: string, shadowName: string | undefined, roleArn: string) => Awaitable<unknown>;
  /** `get_dynamodb()`: the item as plain JSON; undefined when there is none. */
  readonly getDynamoDbItem?: (tableName: string, key: Record<string, unknown>, roleArn: string) => Awaitable<unknown>;
  /** `get_registry_data()`, for example of `DescribeThing`. */
  readonly getRegistryData?: (api: string, thingName: string, roleArn: string) => Awaitable<unknown>;
}

/** MQTT 5 properties of the message. https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5-properties */
export interface MqttProperties {
  readonly formatIndicator?: "UNSPECIFIED_BYTES" | "UTF8_DATA";
  readonly contentType?: string;
  readonly responseTopic?: string;
  /** Base64. */
  readonly correlationData?: string;
  /** In the order in which they were sent; a key may come more than once. */
  readonly userProperties?: readonly (readonly [key: string, value: string])[];
}

/** Thrown inside an evaluation that must wait for a call to another service. */
class Waiting {
  constructor(readonly promise: Promise<unknown>) {}
}

/** One message: its payload is decoded once, and SET variables keep their value for the statement and all templates. */
class Message {
  readonly variables = new Map<Expression, Value>();
  private readonly documents = new Map<SqlVersion, Value>();

  constructor(readonly context: SqlContext) {}

  json(version: SqlVersion): Value {
    if (!this.documents.has(version)) {
      this.documents.set(version, parseJson(this.context.payload.toString("utf8"), version));
    }
    return this.documents.get(version);
  }
}

const messages = new WeakMap<SqlContext, Message>();

function messageOf(context: SqlContext): Message {
  const known = messages.get(context);
  if (known) return known;
  const message = new Message(context);
  messages.set(context, message);
  return message;
}

/** Elements that nested queries may look at for one message: a query within a query multiplies what a device sends. */
const mostElements = 1_000_000;

/** One attempt at an evaluation. After each wait it starts anew, with the answers of all earlier calls in order. */
export class Run {
  private cursor = 0;
  private elements = 0;
  readonly values: Map<Expression, Value>;

  constructor(
    private readonly message: Message,
    readonly version: SqlVersion,
    readonly variables: Variables,
    private readonly answers: unknown[],
  ) {
    this.values = new Map(message.variables);
  }

  get context(): SqlContext {
    return this.message.context;
  }

  /** The payload as JSON; undefined when it is not. */
  get document(): Value {
    return this.message.json(this.version);
  }

  /** What differs from call to call is asked once and remembered, so that a repeated evaluation takes the same way. */
  once(ask: () => unknown): unknown {
    if (this.cursor < this.answers.length) return this.answers[this.cursor++];
    const answer = ask();
    if (answer instanceof Promise) throw new Waiting(answer);
    this.answers.push(answer);
    this.cursor++;
    return answer;
  }

  /** Counts an element that a nested query looks at. */
  element(): void {
    if (++this.elements > mostElements)
      throw sqlEvaluationFailed(`The nested queries look at more than ${mostElements} elements for one message`);
  }

  keep(): void {
    for (const [expression, value] of this.values) this.message.variables.set(expression, value);
  }
}

/** What names refer to: the payload, or the element of a nested query. */
export interface Scope {
  readonly run: Run;
  readonly root: Value;
  /** Inside a nested query. */
  readonly nested: boolean;
}

/** Evaluates, at once unless a function has to wait for another service. */
export function execute<T>(
  context: SqlContext,
  version: SqlVersion,
  variables: Variables,
  evaluate: (scope: Scope) => T,
): Awaitable<T> {
  const message = messageOf(context);
  const answers: unknown[] = [];
  const attempt = (): Awaitable<T> => {
    const run = new Run(message, version, variables, answers);
    try {
      const result = evaluate({ run, root: run.document, nested: false });
      run.keep();
      return result;
    } catch (error) {
      if (!(error instanceof Waiting)) throw error;
      return error.promise.then((answer) => {
        answers.push(answer);
        return attempt();
      });
    }
  };
  return attempt();
}
