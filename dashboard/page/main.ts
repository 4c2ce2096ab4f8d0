import { LiveClient, type StateChange } from "../../client";
import { byId, make, oncePerFrame, write } from "../shared/elements";
import { Charts } from "./charts";
import { Devices, Rate } from "./devices";
import { Filter } from "./filter";
import { loadSettings, type PageSettings, takeLinkedToken, typedToken } from "./settings";
import { DeviceTable } from "./table";

const words: Record<StateChange["state"], string> = {
  connecting: "Connecting…",
  open: "Live",
  waiting: "Connection lost, trying again…",
  stopped: "Not connected",
  closed: "Closed",
};

const notice = byId("notice");
const reconnect = byId<HTMLButtonElement>("reconnect");
const tokenForm = byId<HTMLFormElement>("token-form");
const seconds = () => Date.now() / 1_000;

function say(problem: string): void {
  notice.hidden = problem === "";
  write(notice, problem);
}

const devices = new Devices();
const rate = new Rate(10);
const charts = new Charts();
const filter = new Filter(() => {
  devices.keep(filter.wants);
  draw();
});
const table = new DeviceTable(filter.toggle);

const more = byId<HTMLButtonElement>("more");
/** Devices with a row and a chart: more of them are a work for the browser that nobody looks at. */
const step = 100;
let shown = step;

const drawRows = () => table.show(devices.all().slice(0, shown), seconds(), filter.has);
const draw = oncePerFrame(() => {
  const all = devices.all();
  drawRows();
  charts.show(all.slice(0, shown));
  const hidden = Math.max(0, all.length - shown);
  more.hidden = hidden === 0;
  write(more, `Show ${Math.min(step, hidden)} more of ${all.length}`);
  filter.suggest(all.map(({ name }) => name));
  write(byId("device-count"), String(devices.count));
  write(byId("total"), String(rate.total));
});

let live: LiveClient | undefined;
let wasOpen = false;

function showWords(state: StateChange["state"], text: string): void {
  const element = byId("state");
  element.dataset.state = state;
  write(element, text);
}

function showState({ state }: StateChange): void {
  showWords(state, words[state]);
  reconnect.hidden = state !== "stopped" && state !== "waiting";
  if (state === "open") {
    wasOpen = true;
    tokenForm.hidden = true;
    say("");
  }
  if (state === "stopped") {
    tokenForm.hidden = false;
    say("The server cannot be reached, or does not accept the token. Connect again, or with another token.");
    // A token that worked is more likely good than the server up: a page left open finds it again.
    if (wasOpen) setTimeout(() => live?.reconnect(), 30_000);
  }
}

function connect(url: string, token: string): void {
  live?.close();
  wasOpen = false;
  tokenForm.hidden = true;
  say("");
  try {
    // Few refusals: somebody is there to read the reason and to give another token.
    live = new LiveClient({ url, devices: filter.devices, maxRefusals: 3, ...(token !== "" && { token }) });
  } catch (error) {
    tokenForm.hidden = false;
    say((error as Error).message);
    return;
  }
  filter.follow(live);
  showState({ state: live.state });
  live.on("state", showState);
  live.on("error", ({ message }) => say(message));
  live.on("records", (records) => {
    const wanted = records.filter(({ device }) => filter.wants(device));
    rate.add(wanted.length);
    for (const record of wanted) devices.add(record, seconds());
    draw();
  });
}

/** Asks for the number of dead letters now and then; where it is not known a dash stands. */
function watchDeadLetters(statusUrl: string): void {
  const figure = byId("dead-letters");
  byId("dead-letters-figure").hidden = false;
  const ask = async () => {
    if (document.hidden) return;
    const answer = await fetch(statusUrl, { cache: "no-store" })
      .then((response) => (response.ok ? response.json() : undefined))
      .catch(() => undefined);
    const count: unknown = answer?.deadLetters;
    write(figure, typeof count === "number" ? String(count) : "–");
    figure.classList.toggle("alarm", typeof count === "number" && count > 0);
  };
  setInterval(ask, 5_000);
  ask();
}

function begin({ wsUrl, token, statusUrl, inspectorUrl }: PageSettings): void {
  const use = (given: string) => {
    typedToken.set(given);
    connect(wsUrl, given);
  };
  tokenForm.addEventListener("submit", (event) => {
    event.preventDefault();
    use(byId<HTMLInputElement>("token").value.trim());
  });
  reconnect.addEventListener("click", () => live?.reconnect());
  more.addEventListener("click", () => {
    shown += step;
    draw();
  });
  if (statusUrl) watchDeadLetters(statusUrl);
  if (inspectorUrl) {
    byId("pages").append(make("a", { href: inspectorUrl }, "Inspector"));
    byId("pages").hidden = false;
  }
  if (token === undefined) {
    // A link opened in a tab that shows the page already loads nothing.
    addEventListener("hashchange", () => {
      const linked = takeLinkedToken();
      if (linked) use(linked);
    });
  }
  const chosen = token ?? typedToken.get();
  if (chosen === undefined) {
    tokenForm.hidden = false;
    showWords("stopped", "Needs a token");
  } else {
    connect(wsUrl, chosen);
  }
}

setInterval(() => {
  write(byId("rate"), rate.tick().toFixed(1));
  drawRows();
}, 1_000);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) live?.check();
});

const linked = takeLinkedToken();
if (linked) typedToken.set(linked);
loadSettings().then(begin, (error: Error) => {
  showWords("closed", "Not set up");
  say(error.message);
});
