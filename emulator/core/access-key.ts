import { randomInt } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * What is behind the prefix of a generated id: 10 letters with the account, 3 random ones, 3 that check the others.
 * AWS puts the account in the same 40 bits (https://awsteele.com/blog/2020/09/26/aws-access-key-format.html); the check
 * is ours, so that a developer's real AWS key is not taken for one of the emulator's.
 */
const shape = /^(AKIA|ASIA)([A-Z2-7]{10})([A-Z2-7]{3})([A-Z2-7]{3})$/;

function encode(value: number, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text;
  return text;
}

/** FNV-1a, cut to 15 bits: cheap, because every request asks. */
function check(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return encode((hash >>> 0) % 32 ** 3, 3);
}

/**
 * A new access key id that carries its account: `AKIA` for a user's own keys, `ASIA` for temporary credentials.
 *
 * Not unique by itself (24 random bits for each account): a caller makes another when it already has this one.
 *
 * @param account 12 digits.
 */
export function makeAccessKeyId(prefix: "AKIA" | "ASIA", account: string): string {
  const id =
    prefix + encode(2 ** 49 + Number(account) * 2 ** 9 + randomInt(2 ** 9), 10) + encode(randomInt(32 ** 3), 3);
  return id + check(id);
}

/** Whether this emulator (or another one) made the id, so that a missing record means a deleted key. */
export const isGeneratedKeyId = (accessKeyId: string): boolean => {
  const match = shape.exec(accessKeyId);
  return !!match && check(accessKeyId.slice(0, -3)) === match[4];
};

/**
 * The account that an access key id stands for: 12 digits name it directly, a generated id carries it.
 * Undefined for every other id: such callers share the default account 000000000000.
 */
export function accountOf(accessKeyId: string): string | undefined {
  if (/^\d{12}$/.test(accessKeyId)) return accessKeyId;
  if (!isGeneratedKeyId(accessKeyId)) return undefined;
  let value = 0;
  for (const letter of accessKeyId.slice(4, 14)) value = value * 32 + alphabet.indexOf(letter);
  const account = Math.floor((value % 2 ** 49) / 2 ** 9);
  return String(account).padStart(12, "0");
}
