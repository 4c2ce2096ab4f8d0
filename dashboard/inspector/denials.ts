import { byId, make, write } from "../shared/elements";
import { List, type Shown } from "../shared/list";
import type { Denied } from "./api";
import { counted, timeOf } from "./format";
import { ask } from "./server";

type Item = Denied & { now: number };

function card({ who, action, resource, reason, place, statement }: Item): Shown<Item> {
  const when = make("span");
  const title = make("h2", {}, who, " may not ", make("code", {}, action));
  const on = resource === "*" ? "any resource" : make("code", {}, resource);
  const facts = make("p", { class: "quiet" }, when, ...(reason === "" ? [] : [`, ${reason}`]));
  const element = make("li", { class: "card denial" }, title, make("p", {}, "on ", on), facts);
  if (statement === undefined) {
    element.append(make("p", {}, `A Deny in ${place} stands against it: no statement would allow it.`));
  } else {
    const copy = make("button", { type: "button" }, "Copy");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(statement);
      write(copy, "Copied");
    });
    const text = make("pre", { tabindex: "0", "aria-label": "The statement" }, statement);
    element.append(make("p", {}, `This statement in ${place} would allow it:`), text, copy);
  }
  return {
    element,
    update: ({ time, times, now }) => {
      write(when, times === 1 ? timeOf(time, now) : `${counted(times, "time")}, last ${timeOf(time, now)}`);
    },
  };
}

/** What IAM refused, newest first, with the statements that would allow it. */
export class DenialsPanel {
  private readonly list = new List<Item>(
    byId("denials"),
    ({ who, action, resource }) => [who, action, resource].join("\n"),
    card,
  );

  async refresh(now: number): Promise<void> {
    const denials = await ask<Denied[]>("denials");
    byId("no-denials").hidden = denials.length > 0;
    this.list.show(denials.map((denial) => ({ ...denial, now })));
  }
}
