import { statementError } from "./errors";

export interface Token {
  readonly kind: "word" | "quoted" | "text" | "integer" | "decimal" | "interval" | "symbol" | "end";
  /** Words in capitals are in `upper`; a text is without its quotes. */
  readonly text: string;
  readonly upper: string;
  readonly at: number;
}

const pattern =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|(?<interval>\d+(?:ns|us|ms|[smhd]|(?:nano|micro|milli)?second|minute|hour|day)(?![A-Za-z0-9_]))|(?<decimal>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|(?<integer>\d+)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<quoted>"(?:[^"]|"")*")|(?<text>'(?:[^']|'')*')|(?<symbol>::|<>|!=|<=|>=|\|\||[-+*/%=<>(),.;[\]])/y;

/** Reads the words of a statement; the last one is its end. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const reader = new RegExp(pattern);
  for (let at = 0; at < text.length; at = reader.lastIndex) {
    reader.lastIndex = at;
    const groups = reader.exec(text)?.groups;
    if (!groups) throw statementError(text, at, `extraneous input '${String.fromCodePoint(text.codePointAt(at)!)}'`);
    const [found] = Object.entries(groups).filter(([, given]) => given !== undefined);
    if (!found) continue;
    const [kind, raw] = found as [Token["kind"], string];
    const quote = raw[0]!;
    const plain = kind === "quoted" || kind === "text" ? raw.slice(1, -1).replaceAll(quote + quote, quote) : raw;
    tokens.push({ kind, text: plain, upper: kind === "word" ? raw.toUpperCase() : raw, at });
  }
  tokens.push({ kind: "end", text: "<EOF>", upper: "<EOF>", at: text.length });
  return tokens;
}
