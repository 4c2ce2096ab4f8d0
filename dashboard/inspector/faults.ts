import { byId, make, write } from "../shared/elements";
import { List, type Shown } from "../shared/list";
import type { ActiveFault, Resource } from "./api";
import { counted } from "./format";
import { act, ask } from "./server";

/** What people try first. */
const presets = [
  {
    label: "DynamoDB throttles half of the calls",
    fault: { fault: "throttle", service: "dynamodb", probability: 0.5 },
  },
  {
    label: "DynamoDB takes half of a batch",
    fault: { fault: "partialFailure", service: "dynamodb", probability: 0.5 },
  },
  { label: "SQS delivers twice", fault: { fault: "duplicate", service: "sqs" } },
  { label: "Functions crash, 1 in 10", fault: { fault: "crash", service: "lambda", probability: 0.1 } },
  { label: "Every call is 300 ms slower", fault: { fault: "latency", delayMs: 300 } },
  { label: "Connections are cut, 1 in 10", fault: { fault: "drop", probability: 0.1 } },
] as const;

const kinds = {
  throttle: "throttles",
  error: "fails",
  latency: "is 1 s slower",
  drop: "cuts the connection",
  partialFailure: "takes half of a batch",
  crash: "crashes",
  timeout: "times out",
  duplicate: "delivers twice",
  reorder: "delivers in another order",
} as const;

const services = {
  "": "Every service",
  dynamodb: "DynamoDB",
  sqs: "SQS",
  lambda: "Lambda",
  kinesis: "Kinesis",
  s3: "S3",
  sns: "SNS",
  events: "EventBridge",
  iotdata: "AWS IoT",
  "execute-api": "API Gateway",
} as const;

const isSame = (one: object, other: object) =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

function fill(select: HTMLSelectElement, options: Readonly<Record<string, string>>): void {
  select.append(...Object.entries(options).map(([value, label]) => make("option", { value }, label)));
}

/** Faults that are on, and the buttons that turn them on and off. */
export class FaultsPanel {
  private readonly list: List<ActiveFault>;
  private readonly presets = presets.map(({ label, fault }) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, label);
    button.addEventListener("click", () => {
      const id = this.active.find((one) => isSame(one.options, fault))?.id;
      void (id === undefined ? this.turnOn(fault) : this.turnOff(id));
    });
    return { button, fault };
  });
  /** Those that can still act. */
  private active: readonly ActiveFault[] = [];

  constructor(private readonly changed: () => void) {
    this.list = new List(
      byId("fault-list"),
      ({ id }) => id,
      (fault) => this.row(fault),
    );
    byId("presets").append(...this.presets.map(({ button }) => button));
    this.prepareForm();
  }

  async refresh(): Promise<void> {
    const faults = await ask<ActiveFault[]>("faults");
    byId("no-faults").hidden = faults.length > 0;
    this.list.show(faults);
    this.active = faults.filter(({ ended }) => !ended);
    for (const { button, fault } of this.presets) {
      const isOn = this.active.some(({ options }) => isSame(options, fault));
      button.setAttribute("aria-pressed", String(isOn));
    }
  }

  /** Offers the names of resources in the form. */
  suggest(resources: readonly Resource[]): void {
    const names = resources.flatMap(({ id }) => (id?.startsWith("arn:") ? [id.split(/[:/]/).at(-1)!] : []));
    byId("resource-names").replaceChildren(...[...new Set(names)].map((value) => make("option", { value })));
  }

  private prepareForm(): void {
    const [kind, service] = [byId<HTMLSelectElement>("fault-kind"), byId<HTMLSelectElement>("fault-service")];
    fill(service, services);
    fill(kind, kinds);
    byId<HTMLFormElement>("fault").addEventListener("submit", async (event) => {
      event.preventDefault();
      const resource = byId<HTMLInputElement>("fault-resource").value.trim();
      const probability = Number(byId<HTMLSelectElement>("fault-chance").value);
      await this.turnOn({
        fault: kind.value,
        ...(service.value !== "" && { service: service.value }),
        ...(resource !== "" && { resource }),
        ...(probability < 1 && { probability }),
        ...(kind.value === "latency" && { delayMs: 1_000 }),
      });
    });
  }

  private async turnOn(fault: object): Promise<void> {
    this.say(await act("faults", fault));
  }

  private async turnOff(id: string): Promise<void> {
    this.say(await act("faults/remove", { id }));
  }

  private say({ message, failed }: { message: string; failed: boolean }): void {
    const said = byId("fault-said");
    write(said, message);
    said.classList.toggle("bad", failed);
    this.changed();
  }

  private row({ id, fault, where }: ActiveFault): Shown<ActiveFault> {
    const hits = make("p", { class: "quiet" });
    const off = make("button", { type: "button", "aria-label": `Turn ${fault} off` }, "Turn off");
    off.addEventListener("click", () => void this.turnOff(id));
    const words = make("div", {}, make("h2", {}, fault), make("p", {}, where), hits);
    return {
      element: make("li", { class: "card fault" }, words, off),
      update: (now) => {
        const over = now.ended ? " · over" : "";
        write(hits, `acted in ${now.hits} of ${counted(now.matched, "case")}${over}`);
      },
    };
  }
}
