/** What the page is told from outside, as JSON. */
export interface PageSettings {
  /** Where the records come from, `wss://…`. */
  readonly wsUrl: string;
  /** Absent: the page asks for one. Empty: none is needed. */
  readonly token?: string;
  /** Where the number of dead letters can be asked, as `{"deadLetters": 3}`; absent: it is not shown. */
  readonly statusUrl?: string;
  /** Where the page is that shows what happens behind this one; absent: there is none. */
  readonly inspectorUrl?: string;
}

const optional = (value: unknown) => (typeof value === "string" ? value : undefined);

/** Reads the settings from where the page's own HTML says they are. @throws Error with words for people. */
export async function loadSettings(): Promise<PageSettings> {
  const path = document.querySelector<HTMLMetaElement>('meta[name="sensorcast-config"]')?.content ?? "config.json";
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`The settings at ${path} could not be read (status ${response.status}).`);
  const settings = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
  const wsUrl = optional(settings?.wsUrl);
  if (!wsUrl) throw new Error(`The settings at ${path} do not say where the records come from ("wsUrl").`);
  const [token, statusUrl] = [optional(settings?.token), optional(settings?.statusUrl)];
  const inspectorUrl = optional(settings?.inspectorUrl);
  return {
    wsUrl,
    ...(token !== undefined && { token }),
    ...(statusUrl && { statusUrl }),
    ...(inspectorUrl && { inspectorUrl }),
  };
}

/**
 * The token of a link that ends in `#token=…`, taken out of the address bar so that it is not seen, bookmarked or sent
 * on. Browsers keep this part of an address to themselves.
 */
export function takeLinkedToken(): string | undefined {
  // A plus is a plus here, as nobody escapes a token before pasting it.
  const token = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("token")?.trim();
  if (token === undefined) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return token || undefined;
}

const tokenKey = "sensorcast.token";

/** The token that somebody typed or came with, kept until this tab is closed. */
export const typedToken = {
  get: (): string | undefined => sessionStorage.getItem(tokenKey) ?? undefined,
  set: (token: string): void => sessionStorage.setItem(tokenKey, token),
};
