import type { MqttProperties } from "../../core/bus";
import type { Clock } from "../../core/clock";

/** A message that the broker has accepted, from whatever side: MQTT, HTTP, a rule, a shadow, a lifecycle event. */
export interface Message {
  /** For Basic Ingest without `$aws/rules/<rule>/`, as the SQL function topic() sees it. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Of the MQTT client that sent it. */
  readonly clientId?: string;
  /** The certificate id of its sender, or the id of the IAM identity that signed. */
  readonly principal?: string;
  readonly sourceIp?: string;
  readonly mqttProperties?: MqttProperties;
  /** How many rules have republished it, one after the other: rules that feed each other must end. */
  readonly rounds?: number;
  /** Shared by all messages that came of one: how many of them rules have republished. */
  readonly family: { republished: number };
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** The only rule that sees it, and nobody else: it came by Basic Ingest. */
  readonly basicIngestRule?: string;
}

/** What a publisher may say beside topic and payload. */
export type PublishOptions = Partial<Omit<Message, "topic" | "payload" | "timestamp" | "basicIngestRule">>;

/** The last retained message of a topic. */
export interface Retained extends Pick<Message, "payload" | "qos" | "mqttProperties"> {
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

/** Where messages go on to subscribers; there is none before the first client connects. */
export interface Delivery {
  /** @param isRepeated whether subscribers have had it before, and may have it twice. */
  deliver(message: Message, isRepeated?: boolean): void;
}

/** Takes `$aws/rules/<rule>/` off a topic (https://docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html). */
export function splitBasicIngest(topic: string): { rule: string; topic: string } | undefined {
  const [, rule, rest] = /^\$aws\/rules\/([^/]+)\/(.+)$/s.exec(topic) ?? [];
  return rule === undefined || rest === undefined ? undefined : { rule, topic: rest };
}

/**
 * The message broker of one account and region: tells each accepted message to its subscribers and to its listeners
 * (rules, shadows), and keeps the retained ones.
 *
 * Who publishes has been checked before: neither rights nor limits are looked at here.
 */
export class MessageBroker {
  /** Each is told of every accepted message, after it has gone on its way to subscribers. */
  readonly listeners = new Set<(message: Message) => void>();
  readonly retained = new Map<string, Retained>();
  delivery?: Delivery;
  /** The message that listeners are being told of: what they publish at once, such as a shadow's answer, comes of it. */
  private telling?: Message;

  /**
   * @param report takes what a listener throws: one that fails must not keep a message from the others.
   * @param comesTwice whether a fault brings a message of a topic once more.
   */
  constructor(
    readonly clock: Clock,
    private readonly report: (error: unknown, where: string) => void,
    private readonly comesTwice: (topic: string) => boolean,
  ) {}

  /** Publishes for AWS's side: HTTP, rules that republish, shadows, lifecycle events. */
  publish(topic: string, payload: Buffer | string, options: PublishOptions = {}): void {
    const message = this.message(topic, typeof payload === "string" ? Buffer.from(payload) : payload, options);
    if (message.basicIngestRule === undefined) {
      if (message.retain) this.retain(message);
      this.delivery?.deliver(message);
    }
    this.tell(message);
    this.repeat(message);
  }

  /** Brings a message once more where a fault has it so: those of QoS 1 come at least once. */
  repeat(message: Message): void {
    if (message.qos === 0 || !this.comesTwice(message.topic)) return;
    if (message.basicIngestRule === undefined) this.delivery?.deliver(message, true);
    this.tell(message);
  }

  /** A message as it counts, with Basic Ingest told from the rest. */
  message(topic: string, payload: Buffer, options: PublishOptions): Message {
    const ingest = splitBasicIngest(topic);
    return {
      qos: 0,
      family: this.telling?.family ?? { republished: 0 },
      ...(this.telling?.rounds !== undefined && { rounds: this.telling.rounds }),
      ...options,
      topic: ingest?.topic ?? topic,
      payload,
      // Nobody can subscribe to what is ingested, so there is nothing to retain it for.
      retain: ingest ? false : (options.retain ?? false),
      timestamp: this.clock.now(),
      ...(ingest && { basicIngestRule: ingest.rule }),
    };
  }

  /** Tells the listeners of a message that subscribers have had already. */
  tell(message: Message): void {
    const before = this.telling;
    this.telling = message;
    for (const listener of this.listeners) {
      try {
        listener(message);
      } catch (error) {
        this.report(error, `message on ${message.topic}`);
      }
    }
    this.telling = before;
  }

  /** Keeps a message as the last of its topic; one without payload takes the kept one away (MQTT 3.1.1, 3.3.1.3). */
  retain({ topic, payload, qos, mqttProperties }: Pick<Message, "topic" | "payload" | "qos" | "mqttProperties">): void {
    if (payload.length === 0) {
      this.retained.delete(topic);
      return;
    }
    const kept = { payload, qos, mqttProperties, lastModified: this.clock.now() };
    this.retained.set(topic, kept);
    const expiry = mqttProperties?.messageExpiryInterval;
    if (expiry === undefined) return;
    this.clock.after(expiry * 1000, () => {
      if (this.retained.get(topic) === kept) this.retained.delete(topic);
    });
  }
}
