type Json = unknown;

const token =
  /^(?:\.\.([\w$-]+|\*)|\.([\w$-]+|\*)|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\[\s*(-?\d+)\s*\]|\[\s*\*\s*\]|\[\s*(-?\d*):(-?\d*)\s*\]|\[\?\(\s*@\.([\w$-]+)\s*(?:(==|!=|<=|>=|<|>)\s*('[^']*'|-?[\d.]+|true|false|null))?\s*\)\])/;

type Step = (values: Json[]) => Json[];

/** A path that was read: `definite` paths give one value, others a list. */
interface Path {
  readonly steps: readonly Step[];
  readonly definite: boolean;
}

/**
 * The value at a JSONPath such as `$.items[0].name`, or undefined where there is none. Paths with `*`, `..`, slices or
 * filters give a list of what they find.
 */
export function jsonPath(root: Json, text: string): Json {
  const path = read(text);
  if (!path) return undefined;
  let values: Json[] = [root];
  for (const step of path.steps) values = step(values);
  return path.definite ? values[0] : values;
}

function read(text: string): Path | undefined {
  let rest = text.trim();
  if (!rest.startsWith("$")) rest = `$.${rest}`;
  rest = rest.slice(1);
  const steps: Step[] = [];
  let definite = true;
  while (rest) {
    const match = token.exec(rest);
    if (!match) return undefined;
    const [whole, deep, name, single, double, index, from, to, field, operator, literal] = match;
    rest = rest.slice(whole.length);
    const key = name ?? single ?? double;
    if (deep !== undefined) {
      definite = false;
      steps.push((values) => values.flatMap((value) => descend(value, deep)));
    } else if (key !== undefined && !(name === "*"))
      steps.push((values) => values.flatMap((value) => member(value, key)));
    else if (index !== undefined) steps.push((values) => values.flatMap((value) => item(value, Number(index))));
    else {
      definite = false;
      if (field !== undefined)
        steps.push((values) => values.flatMap(children).filter((value) => passes(value, field, operator, literal)));
      else if (from !== undefined || to !== undefined)
        steps.push((values) =>
          values.flatMap((value) =>
            Array.isArray(value) ? value.slice(from ? Number(from) : 0, to ? Number(to) : undefined) : [],
          ),
        );
      else steps.push((values) => values.flatMap(children));
    }
  }
  return { steps, definite };
}

const isObject = (value: Json): value is Record<string, Json> => typeof value === "object" && value !== null;

/** One-element lists, so that lists inside the data are not flattened away. */
const member = (value: Json, key: string): Json[] =>
  isObject(value) && !Array.isArray(value) && Object.hasOwn(value, key) ? [value[key]] : [];

function item(value: Json, index: number): Json[] {
  if (!Array.isArray(value)) return [];
  const at = index < 0 ? value.length + index : index;
  return at in value ? [value[at]] : [];
}

const children = (value: Json): Json[] => (isObject(value) ? Object.values(value) : []);

function descend(value: Json, name: string): Json[] {
  const own = name === "*" ? children(value) : member(value, name);
  return [...own, ...children(value).flatMap((child) => descend(child, name))];
}

function passes(value: Json, field: string, operator: string | undefined, literal: string | undefined): boolean {
  const [given] = member(value, field);
  if (operator === undefined) return given !== undefined;
  const wanted = literal!.startsWith("'") ? literal!.slice(1, -1) : (JSON.parse(literal!) as Json);
  if (operator === "==") return given === wanted;
  if (operator === "!=") return given !== wanted;
  if (typeof given !== typeof wanted || given === undefined) return false;
  const [left, right] = [given as number, wanted as number];
  return operator === "<"
    ? left < right
    : operator === ">"
      ? left > right
      : operator === "<="
        ? left <= right
        : left >= right;
}
