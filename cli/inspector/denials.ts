import type { Denied } from "../../dashboard/inspector/api";
import type { Denial } from "../../emulator";
import type { Names } from "./names";

/** Different ones that are shown. */
const most = 100;

/** The same for each time that the same is refused to the same caller. */
export const sameDenial = ({ principal, action, resource }: Denial): string => [principal, action, resource].join("\n");

/** How many different things were refused. */
export const countDenials = (denials: readonly Denial[]): number => new Set(denials.map(sameDenial)).size;

/** The newest first; what was refused several times is one. */
export function denialsOf(denials: readonly Denial[], names: Names): Denied[] {
  const found = new Map<string, { last: Denial; times: number }>();
  for (const denial of denials) {
    const key = sameDenial(denial);
    const times = (found.get(key)?.times ?? 0) + 1;
    // Behind those that came since.
    found.delete(key);
    found.set(key, { last: denial, times });
  }
  return [...found.values()]
    .reverse()
    .slice(0, most)
    .map(({ last: { time, principal, action, resource, message, place, statement }, times }) => ({
      ...{ time, times, who: names.caller(principal), action, resource },
      ...{ reason: reasonOf(message), place: placeOf(place, names) },
      ...(statement && { statement: JSON.stringify(statement, null, 2) }),
    }));
}

const reasonOf = (message: string) => /\b(because|with an explicit deny) .*$/.exec(message)?.[0] ?? "";

/** The ARN in the words of a place with the name that the program has for it. */
const placeOf = (place: string, names: Names): string =>
  place.replace(/arn:\S+?(?=,|$)/, (arn) => {
    const name = names.of(arn);
    return arn.includes(":role/") ? `role ${name}` : name;
  });
