import type { Denial, Emulator } from "../emulator";
import { sameDenial } from "./inspector/denials";
import { paint } from "./screen";

/** A denial as people are told of it: who may not do what, and the statement that would allow it. */
export function denialLines({ principal, action, resource, place, statement }: Denial): string {
  const on = resource === "*" ? "" : ` on ${resource}`;
  const first = `${paint("yellow", "denied")}  ${principal} may not ${paint("bold", action)}${on}`;
  const cure = statement
    ? `This statement in ${place} would allow it:\n  ${JSON.stringify(statement)}`
    : `A Deny in ${place} stands against it`;
  return `${first}\n  ${cure}`;
}

/**
 * Tells of what IAM refuses, each thing once: a function that may not do something tries again and again.
 *
 * @returns the way to stop.
 */
export function tellDenials(emulator: Pick<Emulator, "watchDenials">, say: (text: string) => void): () => void {
  const told = new Set<string>();
  return emulator.watchDenials((denial) => {
    const key = sameDenial(denial);
    if (told.has(key)) return;
    told.add(key);
    say(denialLines(denial));
  });
}
