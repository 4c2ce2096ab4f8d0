import * as EB from "@aws-sdk/client-eventbridge";
import * as SQS from "@aws-sdk/client-sqs";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";
import { account, makeOpenQueue, takeUntil } from "./topics";

/** The service principal that rules send as. */
export const principal = "events.amazonaws.com";
/** A role for the targets that need one. */
export const eventsRole = `arn:aws:iam::${account}:role/events`;
/** The ARN of something of this account, of EventBridge where no service is named. */
export const arnOf = (resource: string, service = "events") => `arn:aws:${service}:eu-west-1:${account}:${resource}`;

/** A pattern that matches every event. */
export const everything = JSON.stringify({ source: [{ prefix: "" }] });

/** Name and message of what a call is refused with. */
export const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "accepted",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Rules of one emulator, each for events of a source of its own. */
export class Rules {
  readonly events: EB.EventBridge;
  readonly sqs: SQS.SQSClient;
  private count = 0;

  constructor(emulator: Emulator) {
    this.events = new EB.EventBridge(settings(emulator));
    this.sqs = new SQS.SQSClient(settings(emulator));
  }

  newName(): string {
    return `rule-${++this.count}`;
  }

  /** A rule for the events of one source, and its targets. */
  async make(Targets: EB.Target[], { Name = this.newName(), ...more }: Partial<EB.PutRuleCommandInput> = {}) {
    const source = `test.${Name}`;
    await this.events.putRule({ Name, EventPattern: JSON.stringify({ source: [source] }), ...more });
    if (Targets.length > 0) await this.events.putTargets({ Rule: Name, EventBusName: more.EventBusName, Targets });
    return { name: Name, source, arn: arnOf(`rule/${Name}`) };
  }

  /** A rule with a queue for its events, whose policy lets it send. */
  async toQueue(target: Partial<EB.Target> = {}) {
    const Name = this.newName();
    const queue = await makeOpenQueue(this.sqs, principal, arnOf(`rule/${Name}`));
    const rule = await this.make([{ Id: "queue", Arn: queue.arn, ...target }], { Name });
    return { ...rule, queue };
  }

  /** Puts one event. Gives its entry of the answer. */
  async put(Source: string, detail: unknown = {}, more: Partial<EB.PutEventsRequestEntry> = {}) {
    const entry = { Source, DetailType: "Reading", Detail: JSON.stringify(detail), ...more };
    const { Entries = [] } = await this.events.putEvents({ Entries: [entry] });
    return Entries[0]!;
  }

  /** Waits for this many messages in a queue. Gives what their bodies hold. */
  async bodies(url: string, number = 1) {
    return (await takeUntil(this.sqs, url, number)).map(({ Body }) => JSON.parse(Body!));
  }
}
