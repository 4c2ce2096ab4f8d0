import { same, toWire } from "../values";
import type { ProviderContext } from "./types";

type Fields = Record<string, unknown>;

const upper = (name: string) => (name[0] ?? "").toUpperCase() + name.slice(1);

/** Inputs under the names that the API has for them: `routeKey` becomes `RouteKey`. */
export const named = <T>(inputs: object, ...names: string[]): Partial<T> =>
  Object.fromEntries(names.map((name) => [upper(name), (inputs as Fields)[name]])) as Partial<T>;

/**
 * What an update has to say to get from some fields to others. The API leaves alone what is not said, so what is no
 * longer wanted is said to be empty: a text, a list, and each entry of a map.
 */
export function changes<T extends object>(before: T, now: T): Partial<T> {
  const changed: Fields = {};
  const [old, wanted] = [before as Fields, now as Fields];
  for (const name of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    if (same(toWire(old[name]), toWire(wanted[name]))) continue;
    changed[name] = withEmptied(old[name], wanted[name]);
  }
  return changed as Partial<T>;
}

function withEmptied(before: unknown, now: unknown): unknown {
  if (typeof before === "string") return now ?? "";
  if (typeof before === "boolean") return now ?? false;
  if (Array.isArray(before)) return now ?? [];
  if (before === null || typeof before !== "object") return now;
  const texts = Object.entries(before).filter(([name, value]) => {
    return typeof value === "string" && !(name in ((now as Fields | undefined) ?? {}));
  });
  return { ...(now as Fields | undefined), ...Object.fromEntries(texts.map(([name]) => [name, ""])) };
}

/** Names, or undefined for an object without any of them: the API refuses empty objects here and there. */
export const orNothing = <T extends object>(object: T): T | undefined =>
  Object.values(object).some((value) => value !== undefined) ? object : undefined;

/** Where an API or a stage of it is called: at a local endpoint the URL that works there, else AWS's own. */
export function apiUrl(
  { id, path = "", protocol }: { id: string; path?: string; protocol: string },
  { endpoint, local, region }: Pick<ProviderContext, "endpoint" | "local" | "region">,
): string {
  const scheme = protocol === "WEBSOCKET" ? "ws" : "http";
  if (!local) return `${scheme}s://${id}.execute-api.${region}.amazonaws.com${path}`;
  const secure = endpoint.protocol === "https:" ? "s" : "";
  const host = /^(127\.|\[::1\]|0\.0\.0\.0)/.test(endpoint.hostname) ? "localhost" : endpoint.hostname;
  const port = endpoint.port && `:${endpoint.port}`;
  return `${scheme}${secure}://${host}${port}/_aws/execute-api/${id}${path}`;
}
