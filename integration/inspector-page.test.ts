import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { LiveClient } from "../client";
import { findChromium, inBrowser, startChromium } from "./harness/browser";
import { useDeployed } from "./harness/deployed";
import { settings } from "./harness/emulator";
import { serveInspector } from "./harness/inspector";

interface Outputs {
  url: string;
  liveUrl: string;
  deadLetterQueueUrl: string;
  liveDeadLetterQueueUrl: string;
}

const hasBrowser = findChromium() !== undefined;
const patience = { timeout: 15_000, interval: 20 };
const polled = (read: () => Promise<unknown>) => expect.poll(read, patience);

describe.skipIf(!hasBrowser)(inBrowser("the inspector in a browser"), () => {
  const deployed = useDeployed<Outputs>("inspected");
  let browser: Browser;
  let inspector: Awaited<ReturnType<typeof serveInspector>>;

  beforeAll(async () => {
    const { emulator, stack, outputs } = deployed.current;
    browser = await startChromium();
    const deadLetterQueues = [outputs.deadLetterQueueUrl, outputs.liveDeadLetterQueueUrl];
    inspector = await serveInspector(emulator, {
      resources: stack.resources,
      liveUrl: outputs.liveUrl,
      deadLetterQueues,
    });
  });
  afterAll(async () => {
    await browser?.close();
    await inspector?.close();
  });

  /** The page in a context of its own, and what its console complained about. */
  async function open(path = "", options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(inspector.url + path);
    await polled(() => page.locator("#state").textContent()).toBe("Live");
    return { page, complaints };
  }

  const reading = (tsmTuid: string) => ({ tsmId: 12100, tsmEv: 10, tsmTs: 1_767_225_600, tsmTuid, temp: 21.5 });
  const post = (messages: unknown) =>
    fetch(deployed.current.outputs.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(messages),
    });
  const figure = (page: Page, id: string) => polled(async () => Number(await page.locator(`#${id}`).textContent()));

  it("says what to do while nothing has happened, and shows a message's way as soon as it is posted", async () => {
    const { page, complaints } = await open();
    await page.getByText("No message yet: run the curl line from the terminal.").waitFor();
    const live = new LiveClient({ url: deployed.current.outputs.liveUrl, devices: ["*"] });
    onTestFinished(() => live.close());
    await new Promise<void>((resolve) => {
      live.on("subscribed", () => resolve());
    });
    expect((await post([reading("sensor-1")])).status).toBe(200);
    await page.getByRole("link", { name: "POST /prod/thingsee" }).click();
    const steps = page.locator("#steps li .what");
    await polled(() => steps.allTextContents()).toEqual([
      "POST /prod/thingsee API Gateway",
      "ingest-receive-function Lambda function",
      "BatchWriteItem DynamoDB · ingest-table",
      "SendMessage SQS · live-queue",
      "live-queue SQS · 1 message",
      "live-broadcast-function Lambda function",
      expect.stringMatching(/^Query × \d+ DynamoDB · live-connections$/),
      expect.stringMatching(/^To the browser WebSocket · /),
    ]);
    await polled(() => page.locator("#journey-facts").textContent()).toMatch(
      /^API Gateway · status 200 · answered in .* · all done after .* · \d+ steps$/,
    );
    expect(await page.locator("#trace").textContent()).toMatch(/^Trace 1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    const spoken = page.locator("#steps li").first();
    expect(await spoken.textContent()).toMatch(/began after 0\.0.ms, took/);
    await figure(page, "journey-count").toBeGreaterThanOrEqual(1);
    expect(complaints).toEqual([]);
  });

  it("opens the journey that its address names, and says so when it is forgotten", async () => {
    await post([reading("sensor-2")]);
    const { page } = await open();
    const link = page.getByRole("link", { name: "POST /prod/thingsee" }).first();
    const href = await link.getAttribute("href");
    const { page: other } = await open(href!);
    await other.getByRole("heading", { name: "POST /prod/thingsee" }).waitFor();
    expect(await other.locator(`a[href="${href}"]`).getAttribute("aria-current")).toBe("true");
    await other.evaluate("location.hash = '#journeys/987654'");
    await other.getByText("This journey is forgotten").waitFor();
  });

  it("finds those in trouble, and holds the list still when asked", async () => {
    const { page } = await open();
    await post([reading("sensor-3")]);
    await fetch(`${deployed.current.outputs.url}/nowhere`);
    const links = page.getByRole("link", { name: /nowhere|POST/ });
    await page.getByRole("link", { name: "GET /prod/thingsee/nowhere" }).waitFor();
    await page.getByRole("button", { name: "Only in trouble" }).click();
    await polled(() => links.allTextContents()).toEqual([expect.stringMatching(/^GET \/prod\/thingsee\/nowhere.*403/)]);
    await page.getByRole("button", { name: "Only in trouble" }).click();
    await polled(() => links.count()).toBeGreaterThan(1);
    await page.getByRole("button", { name: "Pause" }).click();
    const before = await links.count();
    const count = Number(await page.locator("#journey-count").textContent());
    await post([reading("sensor-3")]);
    await figure(page, "journey-count").toBeGreaterThan(count);
    expect(await links.count()).toBe(before);
  });

  it("shows a dead letter as text, and sends it back where it belongs", async () => {
    const { clock, faults } = deployed.current.emulator;
    const crash = faults.inject({ fault: "crash", service: "lambda", resource: "live-broadcast-function-*" });
    onTestFinished(() => crash.remove());
    await post([reading("<b>bold</b>")]);
    const { page, complaints } = await open("#queues");
    const letters = async () => Number(await page.locator("#dead-letter-count").textContent());
    // Each try hides the message for three minutes.
    await polled(async () => {
      await clock.advance("3 minutes");
      return letters();
    }).toBe(1);
    crash.remove();
    const card = page.locator(".queue", { has: page.getByRole("heading", { name: "live-dead-letters" }) });
    await card.getByRole("button", { name: "Show messages" }).click();
    await polled(() => card.locator("pre").textContent()).toContain('"tsmTuid": "<b>bold</b>"');
    await card.getByRole("button", { name: "Replay" }).click();
    await polled(() => card.getByRole("status").textContent()).toMatch(/^1 message back in live-queue/);
    await figure(page, "dead-letter-count").toBe(0);
    await card.getByText("No message is in this queue.").waitFor();
    expect(await card.getByRole("button", { name: "Replay" }).isEnabled()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it("replays with the component's own function, and says what fails again", async () => {
    // No reading at all: it goes to the dead letters, and nothing makes a reading of it.
    await post({ nonsense: true });
    const { page } = await open("#queues");
    const card = page.locator(".queue", { has: page.getByRole("heading", { name: "ingest-dead-letters" }) });
    const replay = card.getByRole("button", { name: "Replay" });
    expect(await replay.getAttribute("title")).toBe("With the function ingest-replay-function");
    await replay.click();
    await polled(() => card.getByRole("status").textContent()).toMatch(
      /^0 messages where they belong\. 1 message failed again: .*tsmTuid/,
    );
  });

  it("shows what was denied, to whom, and the statement that would allow it", async () => {
    const { emulator } = deployed.current;
    const [iam, sts] = [new IAMClient(settings(emulator)), new STSClient(settings(emulator))];
    const Principal = { AWS: "arn:aws:iam::000000000000:root" };
    const Statement = [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }];
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "stranger", AssumeRolePolicyDocument }));
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "one" }));
    const { page } = await open("#denied");
    await page.getByText("Nothing was denied.").waitFor();
    const stranger = new SQSClient({
      ...settings(emulator),
      credentials: {
        accessKeyId: Credentials!.AccessKeyId!,
        secretAccessKey: Credentials!.SecretAccessKey!,
        sessionToken: Credentials!.SessionToken!,
      },
    });
    const { liveDeadLetterQueueUrl: QueueUrl } = deployed.current.outputs;
    await expect(stranger.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toThrow();
    await page.getByRole("heading", { name: "stranger may not sqs:SendMessage" }).waitFor();
    const statement = JSON.parse((await page.getByLabel("The statement").textContent())!);
    expect(statement).toEqual({
      Effect: "Allow",
      Action: "sqs:SendMessage",
      Resource: expect.stringMatching(/^arn:aws:sqs:eu-west-1:000000000000:live-dead-letters-/),
    });
    await figure(page, "denial-count").toBe(1);
  });

  it("moves the clock with its buttons and with words, and says what it does not understand", async () => {
    const { clock } = deployed.current.emulator;
    const { page } = await open("#queues");
    const before = clock.advanced;
    await page.getByRole("button", { name: "+1 h" }).click();
    await polled(async () => clock.advanced - before).toBeGreaterThan(3_590_000);
    await polled(() => page.locator("#ahead").textContent()).toMatch(/ ahead of this machine$/);
    const field = page.getByLabel("How far to move the clock");
    await field.fill("90 seconds");
    await page.keyboard.press("Enter");
    await polled(async () => clock.advanced - before).toBeGreaterThan(3_680_000);
    await polled(() => page.locator("#clock-said").textContent()).toBe("The clock is 90 seconds further.");
    await polled(() => field.inputValue()).toBe("");
    await field.fill("a while");
    await page.keyboard.press("Enter");
    await polled(() => page.locator("#clock-said").textContent()).toMatch(
      /^"a while" is not a duration; say "90 seconds"/,
    );
    expect(clock.advanced - before).toBeLessThan(3_700_000);
  });

  it("turns faults on and off with a button, and shows how often they acted", async () => {
    const { faults } = deployed.current.emulator;
    onTestFinished(() => faults.clear());
    const { page } = await open("#faults");
    await page.getByText("No fault is on.").waitFor();
    const preset = page.getByRole("button", { name: "SQS delivers twice" });
    await preset.click();
    await polled(() => preset.getAttribute("aria-pressed")).toBe("true");
    expect(faults.list().map(({ options }) => options)).toEqual([{ fault: "duplicate", service: "sqs" }]);
    await preset.click();
    await polled(() => preset.getAttribute("aria-pressed")).toBe("false");
    await page.getByLabel("Another one").selectOption("throttles");
    await page.getByLabel("Service", { exact: true }).selectOption("Kinesis");
    await page.getByRole("button", { name: "Turn on" }).click();
    await polled(() => page.locator(".fault").textContent()).toMatch(/^throttleKinesisacted in 0 of 0 cases/);
    await page.getByRole("button", { name: "Turn throttle off" }).click();
    await polled(async () => faults.list().length).toBe(0);
  });

  it("shows the stack's resources by component with what is in them, and finds some by name", async () => {
    const { page } = await open("#resources");
    const line = (name: string) => page.locator("#resources li", { hasText: name }).first();
    await polled(() => line("ingest-table").textContent()).toMatch(/^ingest-tableDynamoDB table\d+ items/);
    await page.getByRole("heading", { name: "live", exact: true }).waitFor();
    await page.getByLabel("Find").fill("live sqs");
    await polled(() => page.locator("#resource-count").textContent()).toMatch(/^\d resources$/);
    expect(await line("ingest-table").isVisible()).toBe(false);
    expect(await line("live-dead-letters").isVisible()).toBe(true);
  });

  it("can be used with the keyboard alone", async () => {
    await post([reading("sensor-9")]);
    const { page } = await open();
    await page.getByRole("link", { name: "POST /prod/thingsee" }).first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    // Only in trouble, Pause, then the first journey.
    for (let n = 0; n < 3; n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("#journey-what").waitFor();
    await page.getByRole("link", { name: "Queues" }).press("Enter");
    await page.getByRole("heading", { name: "live-queue" }).waitFor();
  });

  it("is one click from the dashboard, and back", async () => {
    const { page } = await open();
    await page.getByRole("link", { name: "Dashboard" }).click();
    await page.waitForURL(inspector.dashboardUrl!);
    await page.getByRole("link", { name: "Inspector" }).click();
    await page.waitForURL(inspector.url);
  });

  it("fits a narrow phone without scrolling sideways, with the timeline in the place of the list", async () => {
    const { page } = await open("", { viewport: { width: 320, height: 640 } });
    const width = () => page.evaluate("document.documentElement.scrollWidth");
    await page.getByRole("link", { name: "POST /prod/thingsee" }).first().click();
    await page.getByRole("heading", { name: "POST /prod/thingsee" }).waitFor();
    expect(await page.locator("#journeys").isVisible()).toBe(false);
    expect(await width()).toBe(320);
    await page.getByRole("link", { name: "All journeys" }).click();
    await page.locator("#journeys").waitFor();
    expect(await width()).toBe(320);
    for (const [panel, content] of [
      ["Queues", ".queue"],
      ["Denied", ".denial"],
      ["Faults", "#presets button"],
      ["Resources", "#resources li"],
    ] as const) {
      await page.getByRole("link", { name: panel }).click();
      await page.locator(content).first().waitFor();
      expect(await width()).toBe(320);
    }
  });
});
