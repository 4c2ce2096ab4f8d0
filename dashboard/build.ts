import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { buildSync } from "esbuild";

/** A file of the page, ready to be served or stored. */
export interface PageFile {
  readonly body: string;
  readonly contentType: string;
  /** The HTML may change at any time; the others carry a hash of their content in their name. */
  readonly cacheControl: string;
}

export interface DashboardOptions {
  /** Where the page asks for its settings, relative to itself. @default "config.json", the file beside it */
  configPath?: string;
  /**
   * Origins that the page may talk to besides its own.
   * @default every wss: one, since a website learns its WebSocket's URL only from its settings
   */
  connect?: readonly string[];
}

const page = resolve(__dirname, "..", "..", "dashboard", "page");

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * What the page may do: run its own script and style, talk to the named origins, and nothing else. Trusted Types make
 * the browser itself refuse a string that is written as HTML.
 */
export const contentSecurityPolicy = (connect: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${connect.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

/** The same for the header of every answer, which can also forbid other sites to show the page in a frame. */
export const policyHeader = (wsUrl: string): string =>
  `${contentSecurityPolicy([new URL(wsUrl).origin])}; frame-ancestors 'none'`;

function bundle(): Map<string, string> {
  const result = buildSync({
    entryPoints: { app: join(page, "main.ts"), style: join(page, "style.css") },
    bundle: true,
    minify: true,
    write: false,
    outdir: page,
    format: "esm",
    target: ["chrome111", "firefox115", "safari16.4"],
    legalComments: "none",
    logLevel: "silent",
    // The page needs no project settings, and must not read those of a project that it is installed in.
    tsconfigRaw: {},
  });
  return new Map(result.outputFiles.map(({ path, text }) => [extname(path), text]));
}

/**
 * Builds the page: its files by path, without a leading slash, `index.html` first. Without a promise, so that a Pulumi
 * program can make a resource of each file.
 */
export function buildDashboard(options: DashboardOptions = {}): Map<string, PageFile> {
  const { configPath = "config.json", connect = ["wss:"] } = options;
  const bundles = bundle();
  const [icon, html] = ["icon.svg", "index.html"].map((name) => readFileSync(join(page, name), "utf8")) as [
    string,
    string,
  ];
  const asset = (name: string, extension: string, body: string): [string, PageFile] => {
    const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
    const contentType = contentTypes[extension]!;
    return [`${name}-${hash}${extension}`, { body, contentType, cacheControl: "public, max-age=31536000, immutable" }];
  };
  const [script, style, image] = [
    asset("app", ".js", bundles.get(".js")!),
    asset("style", ".css", bundles.get(".css")!),
    asset("icon", ".svg", icon),
  ];
  const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  const values: Record<string, string> = {
    CSP: contentSecurityPolicy(connect),
    CONFIG: configPath,
    SCRIPT: script[0],
    STYLE: style[0],
    ICON: image[0],
  };
  const index: PageFile = {
    body: html.replace(/%([A-Z]+)%/g, (_, name: string) => escaped(values[name]!)),
    contentType: contentTypes[".html"]!,
    cacheControl: "no-cache",
  };
  return new Map([["index.html", index], script, style, image]);
}
