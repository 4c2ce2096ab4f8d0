import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether a text is the secret with this SHA-256 (hexadecimal). It takes the same time whatever the text is, so that
 * nobody finds the secret out by measuring; and whoever reads a function's settings finds only the hash.
 */
export function matchesSecret(text: string, sha256: string): boolean {
  const expected = Buffer.from(sha256, "hex");
  const given = createHash("sha256").update(text).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
