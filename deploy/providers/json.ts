import { InvalidInput } from "../errors";

/** A policy or another document as text; programs may give it as an object too. Undefined stays undefined. */
export function documentText(property: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") return JSON.stringify(value);
  if (value === "") return undefined;
  try {
    JSON.parse(value);
  } catch (error) {
    throw new InvalidInput(`${property} is not valid JSON: ${(error as Error).message}`);
  }
  return value;
}

/** {@link documentText} of a property that must be there. */
export function requiredDocument(property: string, value: unknown): string {
  const text = documentText(property, value);
  if (text === undefined) throw new InvalidInput(`${property} must not be empty`);
  return text;
}
