import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { type Item, member, setMember } from "../values";

/** A document path with its placeholders looked up: attribute names and list indexes. */
export type Path = readonly (string | number)[];

/** The value at a path; undefined where there is none. */
export function valueAt(item: Item, path: Path): AttributeValue | undefined {
  let value = member(item, path[0] as string);
  for (let i = 1; value && i < path.length; i++) {
    const step = path[i]!;
    if (typeof step === "number") value = value.L?.[step];
    else value = value.M && member(value.M, step);
  }
  return value;
}

/** As error messages show a path: `[a, b, [3]]`. */
export const showPath = (path: Path): string =>
  `[${path.map((step) => (typeof step === "number" ? `[${step}]` : step)).join(", ")}]`;

/** What two paths do to each other, in the words of the error; undefined when they can stand side by side. */
export function pathConflict(one: Path, two: Path): string | undefined {
  for (let i = 0; i < one.length && i < two.length; i++) {
    if (typeof one[i] !== typeof two[i]) return describe("conflict", one, two);
    if (one[i] !== two[i]) return undefined;
  }
  return describe("overlap", one, two);
}

const describe = (what: string, one: Path, two: Path): string =>
  `Two document paths ${what} with each other; must remove or rewrite one of these paths; ` +
  `path one: ${showPath(one)}, path two: ${showPath(two)}`;

/** The parts of an item that some paths name. `true` stands for everything below. */
type Selection = Map<string | number, Selection | true>;

/** Cuts items down to the values at some paths. Elements of one list keep their order and close ranks. */
export class Projector {
  private readonly selection: Selection = new Map();

  constructor(readonly paths: readonly Path[]) {
    for (const path of paths) {
      let level = this.selection;
      for (const step of path.slice(0, -1)) {
        let next = level.get(step);
        if (!(next instanceof Map)) {
          next = new Map();
          level.set(step, next);
        }
        level = next;
      }
      level.set(path[path.length - 1]!, true);
    }
  }

  /** The first steps of the paths: attributes of the item. */
  attributes(): string[] {
    return [...this.selection.keys()].map(String);
  }

  project(item: Item): Item {
    return selectMembers(item, this.selection) ?? {};
  }
}

function selectMembers(map: Item, selection: Selection): Item | undefined {
  let selected: Item | undefined;
  for (const [step, below] of selection) {
    const value = typeof step === "string" ? member(map, step) : undefined;
    const part = value && (below === true ? value : select(value, below));
    if (!part) continue;
    selected ??= {};
    setMember(selected, step as string, part);
  }
  return selected;
}

function select(value: AttributeValue, selection: Selection): AttributeValue | undefined {
  if (value.M) {
    const M = selectMembers(value.M, selection);
    return M && { M };
  }
  if (!value.L) return undefined;
  const L: AttributeValue[] = [];
  const steps = [...selection].filter(([step]) => typeof step === "number").sort(([a], [b]) => Number(a) - Number(b));
  for (const [step, below] of steps) {
    const element = value.L[step as number];
    const part = element && (below === true ? element : select(element, below));
    if (part) L.push(part);
  }
  return L.length > 0 ? { L } : undefined;
}
