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

const sources = resolve(__dirname, "..", "..", "dashboard");

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
    ["connect-src 'self'", ...connect].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

/** What only the header of an answer can forbid: that other sites show the page in a frame. */
export const inHeader = (policy: string): string => `${policy}; frame-ancestors 'none'`;

/** The policy for the header of every answer of the dashboard. */
export const policyHeader = (wsUrl: string): string => inHeader(contentSecurityPolicy([new URL(wsUrl).origin]));

function bundle(folder: string): Map<string, string> {
  const result = buildSync({
    entryPoints: { app: join(folder, "main.ts"), style: join(folder, "style.css") },
    bundle: true,
    minify: true,
    write: false,
    outdir: folder,
    format: "esm",
    target: ["chrome111", "firefox115", "safari16.4"],
    legalComments: "none",
    logLevel: "silent",
    // The page needs no project settings, and must not read those of a project that it is installed in.
    tsconfigRaw: {},
  });
  return new Map(result.outputFiles.map(({ path, text }) => [extname(path), text]));
}

/** Builds a page: its files by path, without a leading slash, `index.html` first, with values in place of `%NAME%`. */
function build(name: string, values: Readonly<Record<string, string>>): Map<string, PageFile> {
  const folder = join(sources, name);
  const bundles = bundle(folder);
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const icon = readFileSync(join(sources, "shared", "icon.svg"), "utf8");
  const asset = (kind: string, extension: string, body: string): [string, PageFile] => {
    const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
    const contentType = contentTypes[extension]!;
    return [`${kind}-${hash}${extension}`, { body, contentType, cacheControl: "public, max-age=31536000, immutable" }];
  };
  const [script, style, image] = [
    asset("app", ".js", bundles.get(".js")!),
    asset("style", ".css", bundles.get(".css")!),
    asset("icon", ".svg", icon),
  ];
  const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  const all: Record<string, string> = { ...values, SCRIPT: script[0], STYLE: style[0], ICON: image[0] };
  const index: PageFile = {
    body: html.replace(/%([A-Z]+)%/g, (_, variable: string) => escaped(all[variable]!)),
    contentType: contentTypes[".html"]!,
    cacheControl: "no-cache",
  };
  return new Map([["index.html", index], script, style, image]);
}

/** Builds the dashboard. Without a promise, so that a Pulumi program can make a resource of each file. */
export function buildDashboard(options: DashboardOptions = {}): Map<string, PageFile> {
  const { configPath = "config.json", connect = ["wss:"] } = options;
  return build("page", { CSP: contentSecurityPolicy(connect), CONFIG: configPath });
}

/** What the inspector's page may do: talk to the server that it came from. */
export const inspectorPolicy = contentSecurityPolicy([]);

/** Builds the inspector, which asks the server that it came from. */
export const buildInspector = (): Map<string, PageFile> => build("inspector", { CSP: inspectorPolicy });
