import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Denied, Journey, Messages, Overview, Queue, Resource, Timeline } from "../dashboard/inspector/api";
import type { Deployment } from "../deploy";
import { deployDeclared, find } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";
import { serveInspector } from "./harness/inspector";

const emulator = useEmulator();
let stack: Deployment;
let inspector: Awaited<ReturnType<typeof serveInspector>>;
let sqs: SQSClient;

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "sts:AssumeRole" }],
});

beforeAll(async () => {
  stack = await deployDeclared(emulator.current, [
    { type: "component", name: "shop" },
    { type: "sqs.Queue", name: "lost", options: { parent: "$shop" } },
    {
      ...{ type: "sqs.Queue", name: "jobs", options: { parent: "$shop" } },
      args: { redrivePolicy: '{"deadLetterTargetArn":"<lost.arn>","maxReceiveCount":1}' },
    },
    { type: "sqs.Queue", name: "plain" },
    { type: "iam.Role", name: "clerk", args: { assumeRolePolicy: trust } },
    { type: "ec2.Vpc", name: "network", args: { cidrBlock: "10.0.0.0/16" } },
  ]);
  sqs = new SQSClient(settings(emulator.current));
  inspector = await serveInspector(emulator.current, stack);
}, 60_000);
afterAll(() => inspector?.close());

const output = (name: string, field: string) => String(find(stack, name).outputs[field]!.value);
const url = (name: string) => output(name, "url");
const arn = (name: string) => output(name, "arn");
const send = (name: string, MessageBody: string) =>
  sqs.send(new SendMessageCommand({ QueueUrl: url(name), MessageBody }));
/** Receives until the queue gives nothing more, which moves what was received too often. */
const receive = async (name: string, VisibilityTimeout: number) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url(name), VisibilityTimeout }))).Messages ?? [];

describe("the inspector's server", () => {
  const json = { "content-type": "application/json" };
  const foreign: [string, (own: string) => Record<string, string>][] = [
    ["another site's page", () => ({ origin: "https://attacker.example", "sec-fetch-site": "cross-site", ...json })],
    ["a page of another port", () => ({ origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site", ...json })],
    ["an old browser that does not say from where", () => ({ origin: "http://attacker.example", ...json })],
    ["a sandboxed frame", () => ({ origin: "null", ...json })],
    ["who says no origin", () => json],
    [
      "a name that somebody points to this machine",
      () => ({ host: "attacker.example", origin: "http://attacker.example", ...json }),
    ],
    ["a form, which needs no leave of the browser", (own) => ({ origin: own, "content-type": "text/plain" })],
  ];

  it.each(foreign)("changes nothing for %s", async (_, headers) => {
    const before = emulator.current.clock.advanced;
    const body = JSON.stringify({ duration: "1 day" });
    const { status } = await inspector.send("POST", "api/clock", headers(inspector.origin), body);
    expect([403, 415]).toContain(status);
    expect(emulator.current.clock.advanced).toBe(before);
  });

  it.each([
    ["another site's page", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" }],
    ["a page of another port", { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }],
    ["a name that somebody points to this machine", { host: "attacker.example" }],
  ])("tells nothing to %s", async (_, headers) => {
    for (const path of ["", "api/resources", `api/messages?queue=${arn("jobs")}`, "api/changes"]) {
      const { status, body } = await inspector.send("GET", path, headers);
      expect(status).toBe(403);
      expect(body).not.toContain("jobs");
    }
  });

  it("answers no preflight, so that no browser lets another page send JSON", async () => {
    const headers = { origin: "https://attacker.example", "access-control-request-method": "POST" };
    const answer = await inspector.send("OPTIONS", "api/clock", headers);
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("keeps its answers from other pages and out of frames, and lets its page run nothing but its own script", async () => {
    const { headers } = await inspector.send("GET", "");
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';.*frame-ancestors 'none'$/,
    );
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it("gives the page all that it names", async () => {
    const { body } = await inspector.send("GET", "");
    const named = [...body.matchAll(/(?:src|href)="((?:app|style|icon)[^"]+)"/g)].map(([, path]) => path!);
    expect(named).toHaveLength(3);
    for (const path of named) {
      expect(await inspector.send("GET", path)).toMatchObject({
        status: 200,
        headers: { "cache-control": expect.stringContaining("immutable") },
      });
    }
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });

  it.each(["no-such", "__proto__", "constructor", "../overview", "clock/more"])(
    "has nothing at api/%s",
    async (path) => {
      expect((await inspector.send("GET", `api/${path}`)).status).toBe(404);
      expect((await inspector.post(path, {})).status).toBe(404);
    },
  );

  it("takes neither too much nor what is no JSON", async () => {
    const own = { origin: inspector.origin, ...json };
    const send = (body: string) => inspector.send("POST", "api/clock", own, body);
    expect(await send("{")).toMatchObject({ status: 400 });
    expect(await send(JSON.stringify({ duration: "x".repeat(100_000) }))).toMatchObject({ status: 413 });
    for (const input of ["null", "[]", '"text"', "{}", '{"duration":5}', '{"duration":{"a":1}}']) {
      expect(await send(input)).toMatchObject({ status: 400 });
    }
  });
});

describe("what the inspector tells", () => {
  it("has the stack's resources below their components, with what is in them", async () => {
    await send("plain", "one");
    const resources = await inspector.get<Resource[]>("resources");
    const byName = new Map(resources.map((resource) => [resource.name, resource]));
    expect(byName.get("jobs")).toMatchObject({ parent: byName.get("shop")!.urn, id: arn("jobs"), recorded: false });
    expect(byName.get("plain")).toMatchObject({ counts: { waiting: 1, "in flight": 0, delayed: 0 } });
    expect(byName.get("network")).toMatchObject({ type: "aws:ec2/vpc:Vpc", recorded: true });
    expect(byName.get("network")).not.toHaveProperty("counts");
    await receive("plain", 1_000);
    const after = await inspector.get<Resource[]>("resources");
    expect(after.find(({ name }) => name === "plain")!.counts).toEqual({ waiting: 0, "in flight": 1, delayed: 0 });
  });

  it("follows a message from its sender to who took it", async () => {
    await send("jobs", "a parcel");
    await receive("jobs", 0);
    const [journey] = await inspector.get<Journey[]>("journeys");
    expect(journey).toMatchObject({ what: "SendMessage", where: "SQS · jobs", status: 200, steps: 2, troubled: false });
    const timeline = await inspector.get<Timeline>(`journey?id=${journey!.id}`);
    expect(timeline.rows.map(({ what, where, depth }) => [what, where, depth])).toEqual([
      ["SendMessage", "SQS · jobs", 0],
      ["ReceiveMessage", "SQS · jobs", 1],
    ]);
    expect(JSON.stringify(timeline)).not.toContain("parcel");
    const { status } = await inspector.send("GET", "api/journey?id=999999");
    expect(status).toBe(404);
  });

  it("shows a message's content only when asked for its queue, and takes it from nobody", async () => {
    const before = await inspector.get<Messages>(`messages?queue=${arn("lost")}`);
    await send("lost", "the <b>content</b>");
    const { messages, all } = await inspector.get<Messages>(`messages?queue=${arn("lost")}`);
    expect(all).toBe(before.all + 1);
    expect(messages.at(-1)).toMatchObject({ body: "the <b>content</b>", state: "waiting", receives: 0, cut: false });
    expect(await inspector.get<Queue[]>("queues")).toContainEqual(
      expect.objectContaining({ name: "lost", waiting: all, inFlight: 0 }),
    );
    expect(await inspector.get(`messages?queue=${arn("lost")}x`)).toEqual({ message: "The stack has no such queue" });
  });

  it("sends dead letters back to the queue that gave them up", async () => {
    while ((await receive("lost", 1_000)).length > 0);
    await send("jobs", "work");
    for (let n = 0; n < 5; n++) await receive("jobs", 0);
    const queues = await inspector.get<Queue[]>("queues");
    expect(queues[0]).toMatchObject({ name: "lost", isDeadLetter: true, replay: "Back to jobs" });
    expect(queues.find(({ name }) => name === "jobs")).not.toHaveProperty("replay");
    expect(await inspector.post("replay", { queue: arn("lost") })).toMatchObject({
      status: 200,
      message: expect.stringMatching(/^\d messages? back in jobs\.$/),
    });
    await emulator.current.clock.advance("1 second");
    expect((await inspector.get<Messages>(`messages?queue=${arn("jobs")}`)).messages).toContainEqual(
      expect.objectContaining({ body: "work", receives: 0 }),
    );
    await send("lost", "sent here by hand");
    expect(await inspector.post("replay", { queue: arn("lost") })).toEqual({
      status: 400,
      message: expect.stringContaining("came from no queue: SQS cannot know where it belongs"),
    });
    expect(await inspector.post("replay", { queue: arn("plain") })).toEqual({
      status: 400,
      message: "Nothing knows where the messages of plain belong",
    });
    const [journey] = (await inspector.get<Journey[]>("journeys?troubled")).filter(({ troubled }) => troubled);
    const { rows } = await inspector.get<Timeline>(`journey?id=${journey!.id}`);
    expect(rows.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["SendMessage", "To the dead letters", "Back to its queue"]),
    );
  });

  it("tells what IAM refused once, how often, and the statement that would allow it", async () => {
    const sts = new STSClient(settings(emulator.current));
    const { Credentials: made } = await sts.send(
      new AssumeRoleCommand({ RoleArn: arn("clerk"), RoleSessionName: "monday" }),
    );
    const credentials = {
      ...{ accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey! },
      sessionToken: made!.SessionToken!,
    };
    const clerk = new SQSClient({ ...settings(emulator.current), credentials });
    for (const MessageBody of ["a", "b"]) {
      await expect(clerk.send(new SendMessageCommand({ QueueUrl: url("plain"), MessageBody }))).rejects.toThrow(
        /denied|authorized/,
      );
    }
    const [denied] = await inspector.get<Denied[]>("denials");
    expect(denied).toMatchObject({ who: "clerk", action: "sqs:SendMessage", resource: arn("plain"), times: 2 });
    expect(denied!.place).toBe("role clerk");
    expect(JSON.parse(denied!.statement!)).toEqual({
      ...{ Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("plain") },
    });
    expect(await inspector.get<Overview>("overview")).toMatchObject({ denials: 1 });
  });

  it("moves the clock, and says what it does not take for a duration", async () => {
    const { now, aheadMs } = await inspector.get<Overview>("overview");
    expect(await inspector.post("clock", { duration: "14 days" })).toEqual({
      status: 200,
      message: "The clock is 14 days further.",
    });
    const after = await inspector.get<Overview>("overview");
    // The time that passes meanwhile is not added on top.
    expect(after.aheadMs - aheadMs).toBeGreaterThan(13.9 * 86_400_000);
    expect(after.now).toBeGreaterThanOrEqual(now + 14 * 86_400_000);
    expect(await inspector.post("clock", { duration: "soon" })).toEqual({
      status: 400,
      message: '"soon" is not a duration; say "90 seconds", "2 hours" or "14 days"',
    });
    expect(await inspector.post("clock", { duration: "1000 days" })).toMatchObject({ status: 400 });
  });

  it("turns faults on and off", async () => {
    const options = { fault: "error", service: "sqs", operation: "ListQueues" };
    expect(await inspector.post("faults", options)).toMatchObject({
      status: 200,
      message: "error is on: SQS ListQueues.",
    });
    const [fault] = await inspector.get<{ id: string; hits: number; ended: boolean }[]>("faults");
    expect(fault).toMatchObject({ hits: 0, ended: false });
    expect(await inspector.get<Overview>("overview")).toMatchObject({ faults: 1 });
    expect(await inspector.post("faults/remove", { id: fault!.id })).toMatchObject({ status: 200 });
    expect(emulator.current.faults.list()).toEqual([]);
    expect(await inspector.post("faults/remove", { id: fault!.id })).toMatchObject({ status: 400 });
    expect(await inspector.post("faults", { fault: "rain" })).toMatchObject({
      status: 400,
      message: expect.stringContaining('fault is "rain"; it has to be one of throttle'),
    });
  });

  it("says that something changed, once for many changes, as long as somebody listens", async () => {
    const [response] = (await once(httpGet(`${inspector.url}api/changes`), "response")) as [IncomingMessage];
    expect(response.headers["content-type"]).toBe("text/event-stream");
    let text = "";
    response.on("data", (chunk) => {
      text += chunk;
    });
    const events = () => text.split("event: change\n").length - 1;
    await expect.poll(events, { interval: 5 }).toBe(1);
    for (let n = 0; n < 20; n++) await send("plain", String(n));
    await expect.poll(events, { interval: 5, timeout: 5_000 }).toBeGreaterThan(1);
    expect(events()).toBeLessThan(20);
    response.destroy();
    await once(response, "close");
  });
});
