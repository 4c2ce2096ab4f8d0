import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { DeployError } from "./errors";
import { isSecret, secret, type Wire, type WireObject } from "./values";

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;
const deriveAsPulumi = promisify(pbkdf2);

/** Encrypts the secrets of a state file. */
export interface Cipher {
  readonly salt: string;
  encryptSecrets<T>(values: T): T;
  decryptSecrets<T>(values: T, path: string): T;
}

const seal = (key: Buffer, text: string): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${nonce.toString("base64")}:${sealed.toString("base64")}`;
};

const unseal = (key: Buffer, text: string): string => {
  const [nonce = "", sealed = ""] = text.split(":");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
};

/** Replaces every secret inside by what `change` makes of it. */
function mapSecrets(value: Wire, change: (secret: WireObject) => Wire): Wire {
  if (Array.isArray(value)) return value.map((item) => mapSecrets(item, change));
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return change(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapSecrets(member, change)]));
}

/** A cipher for a passphrase, or none without one. `salt` is that of an existing file. */
export async function openCipher(passphrase: string | undefined, salt?: string): Promise<Cipher | undefined> {
  if (!passphrase) return undefined;
  const bytes = salt ? Buffer.from(salt, "base64") : randomBytes(16);
  const key = await derive(passphrase, bytes, 32);
  return {
    salt: bytes.toString("base64"),
    encryptSecrets: <T>(values: T) =>
      mapSecrets(values as Wire, ({ value, ...rest }) => ({
        ...rest,
        ciphertext: seal(key, JSON.stringify(value ?? null)),
      })) as T,
    decryptSecrets: <T>(values: T, path: string) =>
      mapSecrets(values as Wire, ({ ciphertext, value }) => {
        // A file that was written without a passphrase gets its secrets encrypted at the next write.
        if (ciphertext === undefined) return secret(value ?? null);
        try {
          return secret(JSON.parse(unseal(key, String(ciphertext))));
        } catch {
          throw new DeployError(`the passphrase is not the one that ${path} was written with`);
        }
      }) as T,
  };
}

/**
 * Reads `secure:` values of Pulumi.<stack>.yaml that were written with Pulumi's passphrase provider:
 * `v1:<nonce>:<text>`, AES-256-GCM, key by PBKDF2-SHA256 with a million rounds and the salt of `encryptionsalt`
 * (pulumi/sdk/go/common/resource/config/crypt.go).
 */
export async function openPulumiSecrets(passphrase: string, encryptionSalt: string) {
  const [, salt = "", ...check] = encryptionSalt.split(":");
  const key = await deriveAsPulumi(passphrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256");
  const open = (text: string) => unseal(key, text.replace(/^v1:/, ""));
  try {
    open(check.join(":"));
  } catch {
    throw new DeployError("the passphrase is not the one that the stack's secrets were encrypted with");
  }
  return open;
}
