import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import {
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { DashboardSite, type DashboardSiteArgs } from "../components";
import { type Deployment, deploy } from "../deploy";
import { findChromium, inBrowser, startChromium } from "./harness/browser";
import { find, warm } from "./harness/deploying";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const lines: string[] = [];
let stack: Deployment;
let s3: S3Client;

const output = (name: string) => String(stack.outputs[name]?.value);
const bucket = () => find(stack, "dashboard-bucket").id!;

async function read(Key: string) {
  const { Body, ...found } = await s3.send(new GetObjectCommand({ Bucket: bucket(), Key }));
  return { ...found, text: await Body!.transformToString() };
}

beforeAll(async () => {
  s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
  stack = await deploy({
    program: resolve(__dirname, ".."),
    stack: "test",
    endpoint: emulator.current.endpoint,
    warm,
    config: { dashboard: true },
    onEvent: (event) => {
      if (event.kind === "done") lines.push(`${event.name}${event.recorded ? ", recorded" : ""}`);
    },
  });
}, 120_000);
afterAll(() => s3?.destroy());

describe("the stack with the dashboard as a website", () => {
  it("stores the page and all that it names, each with its type and how long it may be kept", async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket() }));
    expect(Contents.map(({ Key }) => Key!.replace(/-\w{12}\./, "."))).toEqual([
      "app.js",
      "config.json",
      "icon.svg",
      "index.html",
      "style.css",
    ]);
    const page = await read("index.html");
    expect(page).toMatchObject({ ContentType: "text/html; charset=utf-8", CacheControl: "no-cache" });
    const named = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!);
    const types = await Promise.all(named.map(async (path) => read(path)));
    expect(types.map(({ ContentType }) => ContentType).sort()).toEqual([
      "image/svg+xml",
      "text/css; charset=utf-8",
      "text/javascript; charset=utf-8",
    ]);
    for (const { CacheControl } of types) expect(CacheControl).toContain("immutable");
  });

  it("tells the page where the records come from, and keeps the token out of everything that is public", async () => {
    const config = await read("config.json");
    expect(config).toMatchObject({ ContentType: "application/json", CacheControl: "no-cache" });
    expect(JSON.parse(config.text)).toEqual({ wsUrl: output("liveUrl") });
    const token = output("liveToken");
    expect(token.length).toBeGreaterThan(20);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket() }));
    for (const { Key } of Contents) expect((await read(Key!)).text).not.toContain(token);
  });

  it("lets nobody but its own distribution read the bucket", async () => {
    const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket: bucket() }));
    expect(PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: bucket() }));
    const distribution = find(stack, "dashboard-distribution");
    const arn = distribution.outputs.arn?.value;
    expect(arn).toBe(`arn:aws:cloudfront::000000000000:distribution/${distribution.id}`);
    expect(JSON.parse(Policy!).Statement).toEqual([
      {
        Sid: "DistributionReads",
        Effect: "Allow",
        Principal: { Service: "cloudfront.amazonaws.com" },
        Action: "s3:GetObject",
        Resource: `arn:aws:s3:::${bucket()}/*`,
        Condition: { StringEquals: { "AWS:SourceArn": arn } },
      },
    ]);
  });

  it("serves it over HTTPS from that bucket, signed, with headers that allow its own script and WebSocket alone", () => {
    const distribution = find(stack, "dashboard-distribution");
    const inputs = Object.fromEntries(Object.entries(distribution.inputs).map(([key, { value }]) => [key, value]));
    expect(inputs).toMatchObject({
      defaultRootObject: "index.html",
      priceClass: "PriceClass_100",
      origins: [
        {
          domainName: `${bucket()}.s3.eu-west-1.amazonaws.com`,
          originAccessControlId: find(stack, "dashboard-access-control").id,
        },
      ],
      defaultCacheBehavior: {
        viewerProtocolPolicy: "redirect-to-https",
        allowedMethods: ["GET", "HEAD"],
        responseHeadersPolicyId: find(stack, "dashboard-headers").id,
      },
    });
    const headers = find(stack, "dashboard-headers").inputs.securityHeadersConfig?.value as Record<string, object>;
    const policy = JSON.stringify(headers.contentSecurityPolicy);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain(`connect-src 'self' ${new URL(output("liveUrl")).origin};`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers).toMatchObject({
      frameOptions: { frameOption: "DENY" },
      referrerPolicy: { referrerPolicy: "no-referrer" },
      strictTransportSecurity: { accessControlMaxAgeSec: 63_072_000 },
    });
  });

  it("gives its address, and says that CloudFront is recorded, not emulated", () => {
    expect(output("dashboardUrl")).toMatch(/^https:\/\/d[a-z0-9]+\.cloudfront\.net\/$/);
    expect(stack.recorded).toEqual(
      expect.arrayContaining([
        "aws:cloudfront/distribution:Distribution",
        "aws:cloudfront/originAccessControl:OriginAccessControl",
        "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
      ]),
    );
    expect(lines).toContain("dashboard-distribution, recorded");
    expect(lines).toContain("dashboard-policy");
  });

  it.skipIf(!findChromium())(
    inBrowser("shows live records to whoever opens the stored files with the token in the link"),
    async () => {
      // CloudFront's part, which is to answer with the stored files.
      const cloudfront = createServer(async (request, response) => {
        const path = new URL(request.url!, "http://site").pathname.slice(1);
        const file = await read(path || "index.html").catch(() => undefined);
        // The page lets itself talk to encrypted WebSockets only, and the emulator's is not.
        const text = file?.text.replace("connect-src 'self' wss:", "connect-src 'self' wss: ws:");
        response.writeHead(file ? 200 : 403, file && { "content-type": file.ContentType }).end(text);
      });
      await new Promise<void>((done) => cloudfront.listen(0, "127.0.0.1", done));
      const browser = await startChromium();
      onTestFinished(async () => {
        await browser.close();
        cloudfront.closeAllConnections();
        cloudfront.close();
      });
      const page = await browser.newPage();
      const { port } = cloudfront.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/#token=${encodeURIComponent(output("liveToken"))}`);
      await expect.poll(() => page.getByRole("status").textContent(), { timeout: 10_000 }).toBe("Live");
      expect(await page.evaluate("location.href")).toBe(`http://127.0.0.1:${port}/`);
    },
    30_000,
  );

  it("takes the website away, files and all, when config no longer asks for it", async () => {
    const Bucket = bucket();
    const { resources, outputs, recorded } = await stack.update({ config: {} });
    expect(outputs.dashboardUrl?.value).toBe("");
    expect(recorded).toEqual([]);
    expect(resources.map(({ name }) => name).filter((name) => name.startsWith("dashboard"))).toEqual([]);
    await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toThrow("The specified bucket does not exist");
  });
});

describe("DashboardSite", () => {
  it("names every mistake in its arguments at once", () => {
    const args = {
      files: { "/app.js": { body: "", contentType: "text/javascript" }, "config.json": { body: "", contentType: "" } },
      wsUrl: "https://example.com",
      priceClass: "PriceClass_50",
      token: "secret",
    };
    const make = () => new DashboardSite("page", args as unknown as DashboardSiteArgs);
    for (const part of [
      /DashboardSite "page": token must not be given: there is no such option/,
      /files must hold "index\.html"/,
      /files must not hold "config\.json"/,
      /files\["\/app\.js"\] must be a path without a leading slash/,
      /wsUrl must be a WebSocket URL/,
      /priceClass must be one of PriceClass_100, PriceClass_200, PriceClass_All/,
    ]) {
      expect(make).toThrow(part);
    }
  });
});
