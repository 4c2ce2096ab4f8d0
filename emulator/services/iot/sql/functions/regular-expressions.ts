import { createContext, Script } from "node:vm";
import type { SqlFunctions } from "./definition";
import { ofTexts } from "./strings";

/**
 * A match that takes longer, in milliseconds, is given up and Undefined: a pattern such as `(a+)+$` would otherwise
 * stop the whole process. Real time, since a matching expression cannot be watched by the emulator's clock. Each time
 * halves what the pattern gets from then on, so that a thousand messages a second cannot stop it together either.
 */
const longestMatch = 100;
/** With less, in milliseconds, a pattern is tried only on texts of half the length of the one that was too much for it. */
const shortestMatch = 10;
/** Texts up to this length, in characters, cannot keep a pattern of 0, 1, 2 or 3 repetitions in sequence busy. */
const shortTexts = [10_000, 2_000, 200, 60];
/** Compiled patterns that are kept. */
const cacheSize = 200;

interface Pattern {
  readonly regexp: RegExp;
  /** Longest text that is matched without a time limit: the work grows with its length to the power of repetitions. */
  readonly safeLength: number;
  readonly groups: number;
  /** Milliseconds that a match may take. */
  patience: number;
  /** Longest text that is tried at all. */
  longest: number;
}

// Patterns are pure: this cache is no state of an emulator.
const cache = new Map<string, Pattern | undefined>();

/** Java's syntax where it differs: \A, \Z, \h, inline flags in front, POSIX classes. */
function fromJava(source: string): { source: string; flags: string } {
  const inline = /^\(\?([imsu]+)\)/.exec(source);
  const flags = `g${[...new Set(inline?.[1] ?? "")].filter((flag) => flag !== "u").join("")}`;
  const body = (inline ? source.slice(inline[0].length) : source)
    .replaceAll(/\\p\{(Alpha|Digit|Alnum|Upper|Lower|Punct|Space)\}/g, (_all, name: string) => posix[name]!)
    .replaceAll(/\\A/g, "^")
    .replaceAll(/\\[zZ]/g, "$")
    .replaceAll(/\\h/g, "[ \\t]")
    .replaceAll(/\\Q(.*?)(?:\\E|$)/gs, (_all, text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { source: body, flags };
}

const posix: Record<string, string> = {
  Alpha: "[A-Za-z]",
  Digit: "[0-9]",
  Alnum: "[A-Za-z0-9]",
  Upper: "[A-Z]",
  Lower: "[a-z]",
  Punct: "[!-\\/:-@\\[-`{-~]",
  Space: "\\s",
};

/** How many repetitions follow each other at most, as far as a look at the text tells. */
function repetitionsIn(source: string): number {
  // A repeated group can take exponential time, and a backreference hides how much it repeats.
  if (/\)[*+{]|\\[1-9k]/.test(source)) return shortTexts.length;
  const count = (pattern: RegExp) => source.match(pattern)?.length ?? 0;
  // Each choice doubles the work: four of them weigh less than a repetition of the shortest text there is.
  return count(/[*+]|\{\d+,\d*\}|\{\d{3,}\}/g) + Math.ceil(count(/(?<!\()\?|\|/g) / 4);
}

function patternOf(text: string): Pattern | undefined {
  if (cache.has(text)) return cache.get(text);
  let pattern: Pattern | undefined;
  try {
    const { source, flags } = fromJava(text);
    pattern = {
      regexp: new RegExp(source, flags),
      safeLength: shortTexts[repetitionsIn(source)] ?? -1,
      groups: new RegExp(`${source}|`, flags).exec("")!.length - 1,
      patience: longestMatch,
      longest: Number.POSITIVE_INFINITY,
    };
  } catch {
    pattern = undefined;
  }
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value!);
  cache.set(text, pattern);
  return pattern;
}

const sandbox: { run?: () => unknown } = createContext({});
const script = new Script("run()");

/** Runs a match under a time limit. */
function limited<T>(pattern: Pattern, length: number, match: () => T, tries = 3): T | undefined {
  if (length <= pattern.safeLength) return match();
  if (length > pattern.longest) return undefined;
  const before = process.cpuUsage();
  try {
    sandbox.run = match;
    return script.runInContext(sandbox, { timeout: pattern.patience }) as T;
  } catch {
    const { user, system } = process.cpuUsage(before);
    // The limit counts time in which this process had to wait for a processor, too: that is no fault of the pattern.
    if ((user + system) / 1000 < pattern.patience / 2 && tries > 1) return limited(pattern, length, match, tries - 1);
    if (pattern.patience / 2 >= shortestMatch) pattern.patience = Math.floor(pattern.patience / 2);
    else [pattern.patience, pattern.longest] = [longestMatch, Math.floor(length / 2)];
    return undefined;
  }
}

/** Java's `$1` and `\$` to JavaScript's; undefined when a reference has no group. */
function replacementOf(text: string, groups: number): string | undefined {
  let valid = true;
  const converted = text.replaceAll(/\\(.)|\$(\d+|\{\w+\})?/gs, (_all, escaped?: string, group?: string) => {
    if (escaped !== undefined) return escaped === "$" ? "$$" : escaped;
    if (group?.startsWith("{")) return `$<${group.slice(1, -1)}>`;
    // As many digits belong to the reference as make a group that there is.
    let digits = group ?? "";
    while (digits.length > 1 && Number(digits) > groups) digits = digits.slice(0, -1);
    if (!group || Number(digits) > groups) valid = false;
    return `${digits === "0" ? "$&" : `$${digits}`}${(group ?? "").slice(digits.length)}`;
  });
  return valid ? converted : undefined;
}

/** Invalid expressions and matches that take too long are Undefined. */
export const regularExpressions: SqlFunctions = {
  regexp_matches: ofTexts(2, (text, source) => {
    const pattern = patternOf(source);
    return pattern && limited(pattern, text.length, () => text.search(pattern.regexp) >= 0);
  }),
  regexp_replace: ofTexts(3, (text, source, replacement) => {
    const pattern = patternOf(source);
    const by = pattern && replacementOf(replacement, pattern.groups);
    return pattern && by !== undefined
      ? limited(pattern, text.length, () => text.replace(pattern.regexp, by))
      : undefined;
  }),
  regexp_substr: ofTexts(2, (text, source) => {
    const pattern = patternOf(source);
    if (!pattern) return undefined;
    const found = limited(pattern, text.length, () => {
      pattern.regexp.lastIndex = 0;
      return pattern.regexp.exec(text);
    });
    return found?.[0];
  }),
};
