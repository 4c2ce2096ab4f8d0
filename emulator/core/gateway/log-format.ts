/** The value at a dotted path, `identity.sourceIp` or `authorizer.claims['cognito:groups']`, as text. */
export const lookUp = (root: unknown, path: string): string | undefined => valueAt(root, keysOf(path));

const keysOf = (path: string): readonly string[] =>
  Array.from(path.matchAll(/([^.[\]]+)|\['([^']+)'\]/g), ([, plain, quoted]) => (plain ?? quoted)!);

function valueAt(root: unknown, keys: readonly string[]): string | undefined {
  let value: unknown = root;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Text of the format, or the keys that lead to a value. */
type Part = string | readonly string[];

const variable = /\$context\.((?:[\w-]+|\['[^']+'\])(?:\.[\w-]+|\['[^']+'\])*)/g;

/** Access log formats, each read once. */
export class LogFormats {
  private readonly formats = new Map<string, readonly Part[]>();

  /** The line for one request; where a value is missing, AWS writes a dash. */
  line(format: string, context: Readonly<Record<string, unknown>>): string {
    return this.read(format)
      .map((part) => (typeof part === "string" ? part : (valueAt(context, part) ?? "-")))
      .join("");
  }

  private read(format: string): readonly Part[] {
    let parts = this.formats.get(format);
    if (!parts) {
      const list: Part[] = [];
      let end = 0;
      for (const match of format.matchAll(variable)) {
        list.push(format.slice(end, match.index), keysOf(match[1]!));
        end = match.index + match[0].length;
      }
      parts = [...list, format.slice(end)];
      this.formats.set(format, parts);
    }
    return parts;
  }
}
