import { createHash, randomBytes } from "node:crypto";
import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { FaultOptions } from "../../../emulator";
import { findMistakes } from "./check";
import { Ledger } from "./ledger";
import { type Body, type Element, type FunctionName, ownDevices, type Step } from "./step";
import type { System } from "./system";
import { Viewer } from "./viewer";

type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

/** How often a sender sends what was not answered by 2xx, once nothing is at fault any more. */
const mostAttempts = 5;

/** Runs one program on a system. Rejects with what was lost, stored twice, or shown to the wrong ones. */
export async function run(system: System, steps: readonly Step[]): Promise<void> {
  const one = new Run(system);
  try {
    for (const step of steps) await one.step(step);
    await one.settle();
    const mistakes = await findMistakes(system, one.ledger, one.startedAt);
    if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  } finally {
    system.emulator.faults.clear();
    await Promise.all(one.ledger.viewers.map((viewer) => viewer.leave(true)));
  }
}

class Run {
  readonly ledger: Ledger;
  readonly startedAt: number;
  private readonly sending: Promise<void>[] = [];
  /** What the senders send again at the end. */
  private readonly unanswered: (() => Promise<boolean>)[] = [];

  constructor(private readonly system: System) {
    this.ledger = new Ledger(++system.runs, system.devices);
    this.startedAt = system.emulator.clock.now();
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case "post":
        return this.start(this.post(step));
      case "publish":
        return this.start(this.publish(step));
      case "mqtt":
        return this.start(this.mqtt(step));
      case "queue":
        return this.start(this.queue(step));
      case "connect":
        return this.connect(step);
      case "leave":
        return this.leave(step);
      case "fault":
        return this.fault(step.fault);
      case "restart":
        return this.restart(step.function);
      case "wait":
        await this.answered();
        return this.pass(step.seconds);
    }
  }

  /** Ends all faults, and lets senders send again what was not taken. */
  async settle(): Promise<void> {
    await this.answered();
    this.system.emulator.faults.clear();
    for (const again of this.unanswered) {
      let taken = false;
      for (let attempt = 0; attempt < mostAttempts && !taken; attempt++) taken = await again();
      if (!taken) throw new Error("a request was not taken although nothing was at fault");
    }
  }

  private start(sends: () => Promise<boolean>): void {
    this.sending.push(
      sends().then((taken) => {
        if (!taken) this.unanswered.push(sends);
      }),
    );
  }

  private answered(): Promise<unknown> {
    return Promise.all(this.sending.splice(0));
  }

  /** A client that says nothing for ten minutes is cut off. */
  private async pass(seconds: number): Promise<void> {
    for (const viewer of this.ledger.viewers) viewer.ping();
    await this.system.emulator.clock.advance(`${seconds} seconds`);
  }

  private device(number: number): string {
    return number < ownDevices ? `p${this.ledger.run}-d${number}` : `sensor-${number - ownDevices + 1}`;
  }

  private post({ elements, again }: StepOf<"post">): () => Promise<boolean> {
    const { ledger } = this;
    const second = Math.floor(this.startedAt / 1000);
    const made = elements.map((element) => this.element(element, second));
    const body = JSON.stringify(made.map(({ json }) => json));
    const audiences = made.map(({ device }) => ledger.audience(device));
    let times = again ? 2 : 1;
    return async () => {
      while (times > 0) {
        const { url, apiKey } = this.system.outputs;
        const headers = { "content-type": "application/json", "x-api-key": apiKey };
        const answer = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
        await answer?.arrayBuffer();
        if (!answer || answer.status >= 500 || answer.status === 429) return false;
        if (answer.status !== 200) throw new Error(`a request was answered with ${answer.status}`);
        if (times-- === (again ? 2 : 1)) {
          for (const [i, { mark, device, broken }] of made.entries()) {
            ledger.accepted.push({ mark, device, store: "table", broken, viewers: audiences[i]! });
          }
        }
      }
      return true;
    };
  }

  private element(element: Element, second: number) {
    const device = this.device(element === "broken" ? 0 : element.device);
    const mark = this.ledger.mark(device);
    const common = { tsmId: 12100, tsmEv: 10, tsmTuid: device, tsmGw: mark };
    if (element === "broken") return { mark, device, broken: true, json: { ...common, tsmTs: "yesterday" } };
    return { mark, device, broken: false, json: { ...common, tsmTs: second + element.second, temp: 21.5 } };
  }

  private publish({ size }: StepOf<"publish">): () => Promise<boolean> {
    const body = randomBytes(size);
    const headers = { AuthDetails: "a-secret-of-the-senders", "content-type": "application/octet-stream" };
    return async () => {
      const answer = await fetch(this.system.outputs.postboxUrl!, { method: "POST", headers, body }).catch(
        () => undefined,
      );
      const text = await answer?.text();
      if (!answer || answer.status >= 500 || answer.status === 429) return false;
      if (answer.status !== 200) throw new Error(`a publish was answered with ${answer.status}`);
      const { id } = JSON.parse(text!) as { id: string };
      this.ledger.published.push({ id, sha256: createHash("sha256").update(body).digest("hex") });
      return true;
    };
  }

  private mqtt({ device: number, payloads }: StepOf<"mqtt">): () => Promise<boolean> {
    const { ledger } = this;
    const device = `sensor-${number + 1}`;
    const viewers = ledger.audience(device);
    const made = payloads.map((payload) => ({ mark: ledger.mark(device), broken: payload === "broken" }));
    return async () => {
      const client = this.system.mqtt[number]!;
      const topic = `devices/${device}/telemetry`;
      await Promise.all(
        made.map(async ({ mark, broken }) => {
          await client.publishAsync(topic, broken ? mark : JSON.stringify({ mark }), { qos: 1 });
          ledger.accepted.push({ mark, device, store: "iot table", broken, viewers });
        }),
      );
      return true;
    };
  }

  private queue({ device: number, bodies }: StepOf<"queue">): () => Promise<boolean> {
    const { ledger } = this;
    const device = this.device(number);
    const viewers = ledger.audience(device);
    const made = bodies.map((body) => this.body(body, device));
    let left = made.map((_, i) => i);
    return async () => {
      const Entries = left.map((i) => ({ Id: `${i}`, MessageBody: made[i]!.text }));
      const QueueUrl = this.system.outputs.liveQueueUrl;
      const answer = await this.system.sqs
        .send(new SendMessageBatchCommand({ QueueUrl, Entries }))
        .catch(() => undefined);
      for (const { Id } of answer?.Successful ?? []) {
        left = left.filter((i) => `${i}` !== Id);
        const { marks, broken } = made[Number(Id)]!;
        for (const mark of marks) ledger.accepted.push({ mark, device, store: "live only", broken, viewers });
      }
      return left.length === 0;
    };
  }

  private body(body: Body, device: string) {
    const record = () => ({ deviceId: device, mark: this.ledger.mark(device) });
    if (body === "poison") {
      const mark = this.ledger.mark(device);
      return { marks: [mark], broken: true, text: `{"mark": "${mark}",` };
    }
    const records = body === "record" ? [record()] : [record(), record(), record()];
    const text = JSON.stringify(body === "record" ? records[0] : records);
    return { marks: records.map(({ mark }) => mark), broken: false, text };
  }

  private async connect({ sees, asks }: StepOf<"connect">): Promise<void> {
    const visible = sees === "all" ? undefined : sees.map((number) => this.device(number));
    const token = ["viewer", ...(visible ?? [])].join(".");
    const viewer = await Viewer.open(this.system.outputs.liveUrl, token, visible && new Set(visible));
    if (!viewer) return;
    this.ledger.viewers.push(viewer);
    // What the components came from knows no subscriptions: everybody gets everything.
    if (!this.system.outputs.functionNames.actions) viewer.subscribed.add("*");
    else await viewer.subscribe(asks === "*" ? ["*"] : asks.map((number) => this.device(number)));
  }

  private async leave({ client, politely }: StepOf<"leave">): Promise<void> {
    const { viewers } = this.ledger;
    await viewers[client % viewers.length]?.leave(politely);
  }

  private fault(options: FaultOptions): void {
    const { functionNames } = this.system.outputs;
    const resource = options.service === "lambda" ? functionNames[options.resource as FunctionName] : options.resource;
    this.system.emulator.faults.inject({ ...options, ...(resource && { resource }) });
  }

  private async restart(name: FunctionName): Promise<void> {
    const { lambda, outputs } = this.system;
    const FunctionName = outputs.functionNames[name];
    // Any change of the configuration ends the environments there are.
    const { Description } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName,
        Description: Description === "again" ? "once more" : "again",
      }),
    );
  }
}
