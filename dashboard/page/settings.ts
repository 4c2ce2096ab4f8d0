/** What the page is told from outside, as JSON. */
export interface PageSettings {
  /** Where the records come from, `wss://…`. */
  readonly wsUrl: string;
  /** Absent: the page asks for one. Empty: none is needed. */
  readonly token?: string;
  /** Where the number of dead letters can be asked, as `{"deadLetters": 3}`; absent: it is not shown. */
  readonly statusUrl?: string;
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
  return { wsUrl, ...(token !== undefined && { token }), ...(statusUrl && { statusUrl }) };
}

const tokenKey = "sensorcast.token";

/** The token that somebody typed, kept until this tab is closed. */
export const typedToken = {
  get: (): string | undefined => sessionStorage.getItem(tokenKey) ?? undefined,
  set: (token: string): void => sessionStorage.setItem(tokenKey, token),
};
