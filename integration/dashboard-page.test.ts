import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { serveDashboard } from "../cli/dashboard";
import type { ServedPages } from "../cli/page-server";
import { findChromium, inBrowser, startChromium } from "./harness/browser";
import { LiveServer, record } from "./harness/live-server";

let browser: Browser;
let server: LiveServer;
let served: ServedPages;
let deadLetters = 0;

// Generous: a busy machine may be slow, and what arrives at once is not waited for.
const patience = { timeout: 10_000, interval: 10 };
const waitFor = (check: () => void) => vi.waitFor(check, patience);
const polled = (read: () => Promise<string | null>) => expect.poll(read, patience);

describe.skipIf(!findChromium())(inBrowser("the dashboard in a browser"), () => {
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    deadLetters = 0;
    server = await LiveServer.start();
    const status = async () => ({ deadLetters });
    served = await serveDashboard({ port: 0, wsUrl: server.url, token: "good-token", status });
  });
  afterEach(async () => {
    await served.close();
    await server[Symbol.asyncDispose]();
  });

  /** The page in a context of its own, and what its console complained about. */
  async function open(
    path = "",
    options: BrowserContextOptions = {},
    before: (page: Page) => Promise<void> = async () => {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    // The least random wait: it reconnects at once.
    await context.addInitScript("Math.random = () => 0");
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await before(page);
    await page.goto(served.url + path);
    return { page, complaints };
  }

  const state = (page: Page) => polled(() => page.getByRole("status").textContent());
  const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });
  const rowText = (page: Page, name: string) => polled(() => row(page, name).textContent());
  const figure = (page: Page, id: string) => polled(() => page.locator(`#${id}`).textContent());
  const framesOf = (visitor = 0) =>
    server.visitors[visitor]!.frames.map(({ action, devices }) => [action, ...(devices ?? [])]);

  it("connects with its token, subscribes to all devices and shows a record with its chart", async () => {
    const { page, complaints } = await open();
    await state(page).toBe("Live");
    await waitFor(() => expect(framesOf()).toEqual([["subscribe", "*"]]));
    expect(server.visitors[0]!.offered).toContain("good-token");
    server.send([record("1", "sensor-1", { tsmTuid: "sensor-1", temp: 21.54, airp: 100_450, door: "open" })]);
    await rowText(page, "sensor-1").toMatch(/Temperature21\.5.°CAir pressure1004\.5.hPadooropennow/);
    const chart = page.getByRole("img", { name: /^Temperature of sensor-1: last 21\.5/ });
    expect(await chart.locator("canvas").count()).toBe(1);
    await figure(page, "device-count").toBe("1");
    await figure(page, "total").toBe("1");
    expect(complaints).toEqual([]);
  });

  it("shows what a device said by MQTT, and not what IoTStream says about it", async () => {
    const { page } = await open();
    await state(page).toBe("Live");
    const data = { temp: 4.04, position: { latitude: 65.0123456 }, note: "cold" };
    const about = { ident: "truck-7", id: "x", topic: "devices/truck-7/telemetry", clientId: "truck-7" };
    const times = { timestamp: Date.now(), receivedAt: new Date().toISOString() };
    server.send([record("1", "truck-7", { ...about, ...times, data })]);
    await rowText(page, "truck-7").toMatch(/^truck-7Temperature4\.0.°CLatitude65\.01235.°notecoldnow/);
    await page.getByRole("img", { name: /^Temperature of truck-7: last 4\.0/ }).waitFor();
  });

  it("draws the field that is chosen", async () => {
    const { page } = await open();
    await state(page).toBe("Live");
    server.send([record("1", "sensor-1", { temp: 20, humd: 40 }), record("2", "sensor-1", { temp: 22, humd: 44 })]);
    await page.getByLabel("What the chart of sensor-1 shows").selectOption("Humidity");
    await polled(() => page.locator(".chart .value").textContent()).toBe("44.0\u202f%");
  });

  it("shows markup in names, values and errors as text", async () => {
    const { page, complaints } = await open();
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      return dialog.dismiss();
    });
    await state(page).toBe("Live");
    const evil = '<img src=x onerror="alert(1)">';
    server.send([record("1", evil, { temp: 1, "<script>alert(2)</script>": "<b>bold</b>" })]);
    server.send({ type: "error", message: "<i>slanted</i>" });
    await rowText(page, evil).toContain("<script>alert(2)</script><b>bold</b>");
    await polled(() => page.getByRole("alert").textContent()).toBe("<i>slanted</i>");
    await row(page, evil).getByRole("button").click();
    await polled(() => page.getByRole("listitem").textContent()).toContain(evil);
    expect(await page.locator("main img, main script, main b, main i").count()).toBe(0);
    expect(dialogs).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("keeps fields named as parts of every object apart from them", async () => {
    const { page, complaints } = await open();
    await state(page).toBe("Live");
    server.send(`[{"id":"1","device":"__proto__","data":{"__proto__":5,"constructor":6,"toString":"text"}}]`);
    await rowText(page, "__proto__").toContain("constructor6toStringtext");
    expect(complaints).toEqual([]);
  });

  it("reconnects by itself after the server drops it, and goes on showing records", async () => {
    const { page } = await open();
    await state(page).toBe("Live");
    server.send([record("1", "sensor-1", { temp: 20 })]);
    await rowText(page, "sensor-1").toContain("20.0");
    server.drop();
    await waitFor(() => expect(server.visitors).toHaveLength(2));
    await state(page).toBe("Live");
    await waitFor(() => expect(framesOf(1)).toEqual([["subscribe", "*"]]));
    server.send([record("1", "sensor-1", { temp: 99 }), record("2", "sensor-1", { temp: 23 })]);
    await rowText(page, "sensor-1").toContain("23.0");
    await figure(page, "total").toBe("2");
  });

  it("filters by subscribing to the chosen devices only, with the keyboard alone", async () => {
    const { page } = await open();
    await state(page).toBe("Live");
    const readings = (run: string) => ["a", "b", "c"].map((device) => record(run + device, device, { temp: 20 }));
    server.send(readings("1"));
    await figure(page, "device-count").toBe("3");

    await page.getByLabel("Show only", { exact: true }).focus();
    await page.keyboard.type("b");
    await page.keyboard.press("Enter");
    await waitFor(() =>
      expect(framesOf().slice(1)).toEqual([
        ["subscribe", "b"],
        ["unsubscribe", "*"],
        ["subscribe", "b"],
      ]),
    );
    await figure(page, "device-count").toBe("1");
    expect(await page.evaluate("location.search")).toBe("?device=b");
    server.send(readings("2"));
    await figure(page, "total").toBe("4");
    await figure(page, "device-count").toBe("1");

    await page.getByRole("button", { name: "Stop showing only b" }).focus();
    await page.keyboard.press("Enter");
    await waitFor(() =>
      expect(framesOf().slice(4)).toEqual([
        ["subscribe", "*"],
        ["unsubscribe", "b"],
        ["subscribe", "*"],
      ]),
    );
    expect(await page.locator("#filter-state").textContent()).toBe("All devices");
  });

  it("takes no name that no device can have, and says so", async () => {
    const { page, complaints } = await open(`?device=a&device=${"x".repeat(1_001)}`);
    await state(page).toBe("Live");
    await waitFor(() => expect(framesOf()).toEqual([["subscribe", "a"]]));
    const input = page.getByLabel("Show only", { exact: true });
    await input.fill("y".repeat(1_001));
    await page.keyboard.press("Enter");
    const complaint = () =>
      input.evaluate((field) => (field as unknown as { validationMessage: string }).validationMessage);
    await polled(complaint).toContain("1 to 1,000 bytes");
    await input.fill("b");
    await page.keyboard.press("Enter");
    await waitFor(() =>
      expect(framesOf()).toEqual([
        ["subscribe", "a"],
        ["subscribe", "b"],
      ]),
    );
    expect(complaints).toEqual([]);
  });

  it("shows what has no device, without a way to ask for it alone", async () => {
    const { page } = await open();
    await state(page).toBe("Live");
    server.send([{ id: "1", data: { temp: 20 } }]);
    await rowText(page, "(no name)").toContain("20.0");
    expect(await row(page, "(no name)").getByRole("button").count()).toBe(0);
  });

  it("filters from a row's button, and starts with the devices in its address", async () => {
    const { page } = await open("?device=a");
    await state(page).toBe("Live");
    await waitFor(() => expect(framesOf()).toEqual([["subscribe", "a"]]));
    server.send([record("1", "a", { temp: 20 })]);
    const only = page.getByRole("button", { name: "Show only a" });
    await polled(() => only.getAttribute("aria-pressed")).toBe("true");
    await only.click();
    await waitFor(() =>
      expect(framesOf().slice(1)).toEqual([
        ["subscribe", "*"],
        ["unsubscribe", "a"],
        ["subscribe", "*"],
      ]),
    );
  });

  it("keeps a thousand devices, and shows more of them when asked", async () => {
    const { page, complaints } = await open();
    await state(page).toBe("Live");
    const name = (n: number) => `device-${String(n).padStart(4, "0")}`;
    for (let from = 0; from < 1_000; from += 100) {
      server.send(Array.from({ length: 100 }, (_, n) => record(`1-${from + n}`, name(from + n), { temp: 20 })));
    }
    await figure(page, "device-count").toBe("1000");
    const rows = () => page.locator("#rows tr:not(#empty)").count();
    const charts = () => page.locator("#charts article").count();
    expect([await rows(), await charts()]).toEqual([100, 100]);
    const more = page.getByRole("button", { name: "Show 100 more of 1000" });
    await more.focus();
    await page.keyboard.press("Enter");
    await expect.poll(rows, patience).toBe(200);
    expect(await charts()).toBe(200);
    // None was forgotten: one that is not shown is there as soon as it is asked for.
    await page.getByLabel("Show only", { exact: true }).fill(name(999));
    await page.keyboard.press("Enter");
    await rowText(page, name(999)).toContain("20.0");
    await figure(page, "device-count").toBe("1");
    expect(await more.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it("shows how many records come a second, and how many are dead letters", async () => {
    deadLetters = 3;
    const { page } = await open();
    await state(page).toBe("Live");
    await figure(page, "dead-letters").toBe("3");
    server.send(Array.from({ length: 40 }, (_, id) => record(String(id))));
    await figure(page, "rate").toMatch(/^[1-9]/);
  });

  it("asks for another token when its own is refused, and connects with that", async () => {
    server.refuseWith = 403;
    const { page } = await open();
    await state(page).toBe("Not connected");
    expect(await page.getByRole("alert").textContent()).toContain("does not accept the token");
    server.refuseWith = undefined;
    await page.getByLabel("Access token").fill("another-token");
    await page.keyboard.press("Enter");
    await state(page).toBe("Live");
    expect(server.visitors[0]!.offered).toContain("another-token");
  });

  describe("without a token in its settings", () => {
    const links = "token=a%2Bb+c.d";
    const stored = (page: Page) => page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])");
    const noToken = async (page: Page) => {
      await page.route("**/_dashboard/config.json", (route) => route.fulfill({ json: { wsUrl: server.url } }));
    };

    it("asks for one, and keeps it in this tab only", async () => {
      const { page, complaints } = await open("", {}, noToken);
      await state(page).toBe("Needs a token");
      const field = page.getByLabel("Access token");
      expect(await field.getAttribute("type")).toBe("password");
      expect(server.visitors).toHaveLength(0);
      await field.fill("typed-token");
      await page.keyboard.press("Enter");
      await state(page).toBe("Live");
      expect(server.visitors[0]!.offered).toContain("typed-token");
      expect(await field.isVisible()).toBe(false);
      expect(await page.locator("#dead-letters-figure").isVisible()).toBe(false);
      expect(await stored(page)).toBe('[{"sensorcast.token":"typed-token"},{}]');
      await page.reload();
      await state(page).toBe("Live");
      expect(server.visitors[1]!.offered).toContain("typed-token");
      expect(complaints).toEqual([]);
    });

    it("takes it from the link, and out of the address bar at once", async () => {
      const { page } = await open(`?device=a#${links}`, {}, noToken);
      // What the page itself sees: the driver hears of a changed address later.
      const address = () => page.evaluate("location.href");
      expect(await address()).toBe(`${served.url}?device=a`);
      await state(page).toBe("Live");
      expect(server.visitors[0]!.offered).toContain("a+b+c.d");
      expect(await page.evaluate("history.length")).toBe(2);
      await page.evaluate("location.hash = '#token=the-next'");
      await waitFor(() => expect(server.visitors[1]?.offered).toContain("the-next"));
      expect(await address()).toBe(`${served.url}?device=a`);
    });

    it("says so when the link's token is refused, and asks for another", async () => {
      server.refuseWith = 403;
      const { page } = await open("#token=old", {}, noToken);
      await state(page).toBe("Not connected");
      expect(await page.getByRole("alert").textContent()).toContain("does not accept the token");
      server.refuseWith = undefined;
      await page.getByLabel("Access token").fill("new");
      await page.keyboard.press("Enter");
      await state(page).toBe("Live");
      expect(await stored(page)).toBe('[{"sensorcast.token":"new"},{}]');
      expect(await page.getByRole("alert").isVisible()).toBe(false);
    });
  });

  it("fits a narrow phone without scrolling sideways, whatever the names", async () => {
    const { page } = await open("", { viewport: { width: 320, height: 640 } });
    await state(page).toBe("Live");
    const long = "x".repeat(120);
    server.send([record("1", long, { temp: 20, [long]: long }), record("2", "short", { [long.slice(1)]: 5 })]);
    await figure(page, "device-count").toBe("2");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
  });

  it("says so when its settings are missing", async () => {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.route("**/_dashboard/config.json", (route) => route.fulfill({ status: 404, body: "no" }));
    await page.goto(served.url);
    await polled(() => page.getByRole("alert").textContent()).toContain("could not be read (status 404)");
    await state(page).toBe("Not set up");
  });
});
