import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveDashboard } from "../cli/dashboard";
import type { ServedPages } from "../cli/page-server";
import { buildDashboard } from "../dashboard/build";

let served: ServedPages;
let status: () => Promise<{ deadLetters: number }>;

beforeEach(async () => {
  status = async () => ({ deadLetters: 7 });
  const options = { port: 0, wsUrl: "ws://127.0.0.1:4566/_aws/execute-api/abc/live", token: "dG9rZW4" };
  served = await serveDashboard({ ...options, status: () => status() });
});
afterEach(() => served.close());

/** A request with headers that `fetch` does not let a program choose. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const sent = request(new URL(served.url), { path, method, headers }, async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode!, headers: response.headers, body });
    });
    sent.on("error", reject).end();
  });
}

const config = "/_dashboard/config.json";

describe("the dashboard's server", () => {
  it("listens on this machine only, and gives the page all that it names", async () => {
    expect(new URL(served.url).hostname).toBe("127.0.0.1");
    const page = await ask("/");
    expect(page).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    const named = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => `/${path}`);
    expect(named).toHaveLength(3);
    for (const path of named) {
      const { status, headers, body } = await ask(path);
      expect({ status, cached: headers["cache-control"] }).toEqual({
        status: 200,
        cached: expect.stringContaining("immutable"),
      });
      expect(body.length).toBeGreaterThan(100);
    }
  });

  it("lets the page run nothing but its own script, and talk to the broadcast only", async () => {
    const { headers, body } = await ask("/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("connect-src 'self' ws://127.0.0.1:4566;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });

  it("gives the page its settings, and lets nobody keep them", async () => {
    const { status, headers, body } = await ask(config, { "sec-fetch-site": "same-origin" });
    expect({ status, cached: headers["cache-control"] }).toEqual({ status: 200, cached: "no-store" });
    expect(JSON.parse(body)).toEqual({
      wsUrl: "ws://127.0.0.1:4566/_aws/execute-api/abc/live",
      token: "dG9rZW4",
      statusUrl: "/_dashboard/status",
    });
  });

  it.each([
    ["another site's page", { "sec-fetch-site": "cross-site" }],
    ["a page of another port", { "sec-fetch-site": "same-site" }],
    ["a name that somebody points to this machine", { host: "attacker.example:80" }],
  ])("keeps the token from %s", async (_, headers) => {
    const { status, body } = await ask(config, headers);
    expect(status).toBe(403);
    expect(body).not.toContain("dG9rZW4");
  });

  it("opens from a link on another site", async () => {
    expect(await ask("/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).toMatchObject({
      status: 200,
    });
  });

  it("tells the number of dead letters, and that it is not known where it cannot be asked", async () => {
    expect(JSON.parse((await ask("/_dashboard/status")).body)).toEqual({ deadLetters: 7 });
    status = () => Promise.reject(new Error("secret internals"));
    const failed = await ask("/_dashboard/status");
    expect(failed.status).toBe(503);
    expect(failed.body).not.toContain("secret");
    status = () => {
      throw new Error("secret internals");
    };
    expect(await ask("/_dashboard/status")).toMatchObject({ status: 503 });
  });

  it.each(["/no-such-file", "/../package.json", "/%2e%2e/package.json", "/page/main.ts", "/__proto__"])(
    "answers 404 to %s",
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404 });
    },
  );

  it("answers only GET and HEAD", async () => {
    expect(await ask("/", {}, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(await ask("/", {}, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("says so when its port is taken", async () => {
    const again = serveDashboard({ port: Number(new URL(served.url).port), wsUrl: "ws://x/", token: "", status });
    await expect(again).rejects.toThrow(/EADDRINUSE/);
  });
});

describe("the dashboard as a website", () => {
  it("asks for config.json beside it, and may talk to encrypted WebSockets only", () => {
    const files = buildDashboard();
    const { body, contentType, cacheControl } = files.get("index.html")!;
    expect({ contentType, cacheControl }).toEqual({
      contentType: "text/html; charset=utf-8",
      cacheControl: "no-cache",
    });
    expect(body).toContain('name="sensorcast-config" content="config.json"');
    expect(body).toContain("connect-src 'self' wss:;");
  });

  it("is the same at each build, in files named by what is in them", () => {
    const [first, second] = [buildDashboard(), buildDashboard()];
    expect([...first]).toEqual([...second]);
    expect([...first.keys()].join(" ")).toMatch(
      /^index\.html app-[0-9a-f]{12}\.js style-\w{12}\.css icon-\w{12}\.svg$/,
    );
  });

  it("is small: page, script and style together under 120 KB", () => {
    const bytes = [...buildDashboard().values()].reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    expect(bytes).toBeLessThan(120 * 1024);
  });
});
