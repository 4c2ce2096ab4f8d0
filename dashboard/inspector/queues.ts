import { byId, make, write } from "../shared/elements";
import { List, type Shown } from "../shared/list";
import type { Message, Messages, Queue } from "./api";
import { counted, timeOf } from "./format";
import { act, ask } from "./server";

/** JSON with line breaks, anything else as it is. */
function readable(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

const figure = (label: string) => {
  const value = make("dd");
  return { value, element: make("div", {}, make("dt", {}, label), value) };
};

/** A message in a queue, with its content: nobody has received it. */
function messageElement({ id, body, cut, state, sentAt, receives, attributes }: Message, now: number): HTMLElement {
  const facts = [id, state, `sent ${timeOf(sentAt, now)}`, receives > 0 && `received ${counted(receives, "time")}`];
  const fields = Object.entries(attributes).map(([name, value]) => make("p", { class: "quiet" }, `${name}: ${value}`));
  const rest = cut ? [make("p", { class: "quiet" }, "The message is longer.")] : [];
  const text = make("pre", { tabindex: "0", "aria-label": `Content of message ${id}` }, readable(body));
  return make("li", {}, make("p", {}, facts.filter((fact) => fact).join(" · ")), ...fields, text, ...rest);
}

/** The queues with their depths; the messages of one are shown when somebody asks for them. */
export class QueuesPanel {
  private readonly list: List<Queue>;
  private readonly open = new Map<string, (now: number) => Promise<void>>();

  constructor(private readonly changed: () => void) {
    this.list = new List(
      byId("queues"),
      ({ arn }) => arn,
      (queue) => this.card(queue),
    );
  }

  async refresh(now: number): Promise<void> {
    const queues = await ask<Queue[]>("queues");
    byId("no-queues").hidden = queues.length > 0;
    this.list.show(queues);
    for (const show of this.open.values()) await show(now);
  }

  private card({ arn, name, isDeadLetter, replay }: Queue): Shown<Queue> {
    const figures = { waiting: figure("Waiting"), inFlight: figure("In flight"), delayed: figure("Delayed") };
    const look = make("button", { type: "button", "aria-expanded": "false" }, "Show messages");
    const again = make("button", { type: "button", title: replay ?? "" }, "Replay");
    const said = make("p", { class: "said", role: "status" });
    const messages = make("ol", { class: "messages", "aria-label": `Messages in ${name}` });
    const badge = make("span", { class: "badge" }, "dead letters");
    badge.hidden = !isDeadLetter;
    again.hidden = replay === undefined;
    messages.hidden = true;

    let last = "";
    let isReplaying = false;
    const show = async (now: number) => {
      const { messages: found, all } = await ask<Messages>(`messages?queue=${encodeURIComponent(arn)}`);
      const text = JSON.stringify(found) + all;
      if (text === last) return;
      last = text;
      const rest = all - found.length;
      messages.replaceChildren(
        ...found.map((message) => messageElement(message, now)),
        ...(found.length === 0 ? [make("li", { class: "quiet" }, "No message is in this queue.")] : []),
        ...(rest > 0 ? [make("li", { class: "quiet" }, `${counted(rest, "more message")} behind them.`)] : []),
      );
    };
    look.addEventListener("click", () => {
      const isOpen = this.open.delete(arn);
      if (!isOpen) this.open.set(arn, show);
      look.setAttribute("aria-expanded", String(!isOpen));
      write(look, isOpen ? "Show messages" : "Hide messages");
      messages.hidden = isOpen;
      this.changed();
    });
    again.addEventListener("click", async () => {
      isReplaying = true;
      again.disabled = true;
      said.classList.remove("bad");
      write(said, "On the way…");
      const { message, failed } = await act("replay", { queue: arn });
      isReplaying = false;
      said.classList.toggle("bad", failed);
      write(said, message);
      this.changed();
    });

    const head = make("div", { class: "head" }, make("h2", {}, name), badge);
    const counts = make("dl", { class: "counts" }, ...Object.values(figures).map(({ element }) => element));
    const buttons = make("div", { class: "buttons" }, look, again);
    return {
      element: make("li", { class: "card queue" }, head, counts, buttons, said, messages),
      update(queue) {
        for (const name of ["waiting", "inFlight", "delayed"] as const) {
          write(figures[name].value, String(queue[name]));
        }
        figures.waiting.value.classList.toggle("alarm", queue.isDeadLetter && queue.waiting > 0);
        look.disabled = messages.hidden && queue.waiting + queue.inFlight + queue.delayed === 0;
        again.disabled = isReplaying || queue.waiting === 0;
      },
    };
  }
}
