import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket as WsSocket } from "ws";
import { serveDashboard } from "../cli/dashboard";
import { LiveClient, type LiveClientOptions } from "../client";
import { findChromium, inBrowser, startChromium } from "./harness/browser";
import { useDeployed } from "./harness/deployed";
import { ManualTimers } from "./harness/manual-timers";

const deployed = useDeployed<{ url: string; token: string; postUrl: string }>("websocket-live");

// The first broadcast waits for functions to start, on a machine that may be busy.
const soon = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });

/** A client of the deployed broadcast with the readings' temperatures that it got, once it is subscribed. */
async function join(options: Partial<LiveClientOptions>) {
  const { url, token } = deployed.current.outputs;
  const live = new LiveClient<{ temp: number }>({ url, token, backoffBase: 1, ...options });
  onTestFinished(() => live.close());
  const temperatures: number[] = [];
  const granted: string[] = [];
  live.on("record", ({ data }) => temperatures.push(data.temp));
  live.on("subscribed", (devices) => granted.push(...devices));
  if (options.devices) await soon(() => expect(granted).toEqual(options.devices));
  return { live, temperatures, granted };
}

async function post(device: string, ...temperatures: number[]): Promise<void> {
  const readings = temperatures.map((temp) => ({
    tsmId: 12100,
    tsmEv: 10,
    tsmTs: 1_767_225_600,
    tsmTuid: device,
    temp,
  }));
  const answer = await fetch(deployed.current.outputs.postUrl, { method: "POST", body: JSON.stringify(readings) });
  expect(await answer.json()).toMatchObject({ accepted: temperatures.length });
}

describe("a live client of the deployed broadcast", () => {
  it("gets what is posted for its devices, and follows its subscriptions", async () => {
    const { live, temperatures, granted } = await join({ devices: ["TSPR1"] });
    await post("TSPR1", 1, 2);
    await soon(() => expect(temperatures.toSorted()).toEqual([1, 2]));
    live.subscribe("TSPR2");
    live.unsubscribe("TSPR1");
    live.subscribe("TSPR3");
    await soon(() => expect(granted).toEqual(["TSPR1", "TSPR2", "TSPR3"]));
    await post("TSPR1", 10);
    await post("TSPR2", 20);
    await post("TSPR3", 30);
    await soon(() => expect(temperatures.toSorted((a, b) => a - b)).toEqual([1, 2, 20, 30]));
  });

  it("stops when its token is wrong", async () => {
    const { live } = await join({ token: "wrong", maxRefusals: 2 });
    await soon(() => expect(live.state).toBe("stopped"));
  });
});

describe.skipIf(!findChromium())(inBrowser("the dashboard of the deployed broadcast"), () => {
  it("shows what is posted", async () => {
    const { url, token } = deployed.current.outputs;
    const served = await serveDashboard({ port: 0, wsUrl: url, token, status: async () => ({ deadLetters: 0 }) });
    onTestFinished(() => served.close());
    const browser = await startChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const subscribed = new Promise<void>((resolve) => {
      page.on("websocket", (socket) => {
        socket.on("framereceived", ({ payload }) => String(payload).includes('"subscribed"') && resolve());
      });
    });
    await page.goto(served.url);
    await subscribed;
    await post("TSPR7", 23.4);
    const row = page.getByRole("row").filter({ hasText: "TSPR7" });
    await expect.poll(() => row.textContent(), { timeout: 15_000 }).toContain("23.4");
  });
});

describe("a live client of the deployed broadcast, over time", () => {
  it("comes back after the gateway closed it as idle, which its pings then prevent", async () => {
    const timers = new ManualTimers();
    const frames: string[] = [];
    class Observed extends WsSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        this.on("message", (data) => frames.push(String(data)));
      }
    }
    const { live, granted } = await join({ devices: ["*"], timers, WebSocket: Observed });
    const states: string[] = [];
    live.on("state", ({ state }) => states.push(state));
    // Idle for the gateway; the client's own waits stand still, and so it cannot ping.
    await deployed.current.emulator.clock.advance("11 minutes");
    await soon(() => expect(states).toEqual(["waiting"]));
    timers.advance(1);
    await soon(() => expect(states).toEqual(["waiting", "connecting", "open"]));
    await soon(() => expect(granted).toEqual(["*", "*"]));
    // Its ping at four minutes, seen by the gateway before its ten are over.
    await deployed.current.emulator.clock.advance("6 minutes");
    timers.advance(4 * 60_000);
    const pongs = () => frames.filter((frame) => frame === '{"type":"pong"}').length;
    await soon(() => expect(pongs()).toBe(1));
    await deployed.current.emulator.clock.advance("6 minutes");
    live.check();
    await soon(() => expect(pongs()).toBe(2));
    expect(states).toEqual(["waiting", "connecting", "open"]);
  });
});
