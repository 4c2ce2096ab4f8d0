import { byId, write } from "../shared/elements";
import { DenialsPanel } from "./denials";
import { FaultsPanel } from "./faults";
import { JourneysPanel } from "./journeys";
import { OverviewBar } from "./overview";
import { QueuesPanel } from "./queues";
import { ResourcesPanel } from "./resources";
import { Refused } from "./server";

const words = { connecting: "Connecting…", open: "Live", waiting: "Connection lost, trying again…" } as const;

function showState(state: keyof typeof words): void {
  const element = byId("state");
  element.dataset.state = state;
  write(element, words[state]);
}

function say(problem: string): void {
  const notice = byId("notice");
  notice.hidden = problem === "";
  write(notice, problem);
}

const changed = () => void refresh();
const overview = new OverviewBar(changed);
const journeys = new JourneysPanel(changed);
const faults = new FaultsPanel(changed);
const resources = new ResourcesPanel((all) => faults.suggest(all));

const panels: Readonly<Record<string, { refresh(now: number): Promise<void> }>> = {
  journeys,
  queues: new QueuesPanel(changed),
  denied: new DenialsPanel(),
  faults,
  resources,
};

/** The panel that the address names, and what in it. */
function place(): { name: string; id: string | undefined } {
  const [name = "", id] = location.hash.slice(1).split("/");
  return Object.hasOwn(panels, name) ? { name, id } : { name: "journeys", id: undefined };
}

function showPanel(): void {
  const { name, id } = place();
  for (const panel of Object.keys(panels)) byId(`panel-${panel}`).hidden = panel !== name;
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".tabs a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "journeys") journeys.choose(id);
}

let busy = false;
let again = false;

/** Asks for what is on the screen; once at a time, and once more when something changed meanwhile. */
async function refresh(): Promise<void> {
  if (busy || document.hidden) {
    again = true;
    return;
  }
  busy = true;
  again = false;
  try {
    await overview.refresh();
    await panels[place().name]!.refresh(overview.now);
    say("");
  } catch (error) {
    // That the server cannot be reached is said by the state of the connection.
    if (error instanceof Refused) say(error.message);
    else if (!(error instanceof TypeError)) throw error;
  } finally {
    busy = false;
  }
  if (again) changed();
}

addEventListener("hashchange", () => {
  showPanel();
  changed();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && again) changed();
});

// The address says which panel is shown: the link that skips to the content must not change it.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});

const events = new EventSource("api/changes");
events.addEventListener("open", () => showState("open"));
events.addEventListener("error", () => showState("waiting"));
events.addEventListener("change", changed);

// The names of resources are offered in the form for faults.
void resources.refresh().catch(() => {});
showPanel();
changed();
