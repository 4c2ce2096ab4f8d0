import { type Token, tokenise } from "./tokens";

type Names = Readonly<Record<string, string>> | undefined;

/** Words of the language; no attribute can have such a name without a placeholder. */
const words = new Set("AND OR NOT BETWEEN IN SET REMOVE ADD DELETE".split(" "));

/** The attribute that a token names at the top of a path, if it does. */
function attributeAt(tokens: readonly Token[], index: number, names: Names): string | undefined {
  const { kind, text } = tokens[index]!;
  if (kind !== "name" && kind !== "#name") return undefined;
  if (tokens[index - 1]?.text === "." || tokens[index + 1]?.text === "(") return undefined;
  if (kind === "name") return words.has(text.toUpperCase()) ? undefined : text;
  return names && Object.hasOwn(names, text) ? names[text] : undefined;
}

/** The attributes that an expression names, without what is inside them. Takes any text: its mistakes are for others to tell. */
export function namedAttributes(expression: string, names: Names): string[] {
  const tokens = tokenise(expression);
  return tokens.flatMap((_, index) => attributeAt(tokens, index, names) ?? []);
}

/** The placeholder of the value that an expression holds an attribute equal to. */
export function equatedValue(expression: string, names: Names, attribute: string): string | undefined {
  const tokens = tokenise(expression);
  for (const index of tokens.keys()) {
    if (attributeAt(tokens, index, names) !== attribute) continue;
    const value = [1, -1].map((way) => (tokens[index + way]?.text === "=" ? tokens[index + 2 * way] : undefined));
    const found = value.find((token) => token?.kind === ":value");
    if (found) return found.text;
  }
  return undefined;
}
