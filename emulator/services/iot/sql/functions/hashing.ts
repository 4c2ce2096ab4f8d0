import { createHash } from "node:crypto";
import { toText } from "../values";
import type { SqlFunction, SqlFunctions } from "./definition";
import { md2 } from "./md2";

const hash = (digest: (text: string) => string): SqlFunction => ({
  arity: [1],
  call: ([value]) => {
    const text = toText(value);
    return text === undefined ? undefined : digest(text);
  },
});

const node = (algorithm: string) => hash((text) => createHash(algorithm).update(text, "utf8").digest("hex"));

export const hashing: SqlFunctions = {
  // OpenSSL 3 has no MD2 any more.
  md2: hash((text) => md2(Buffer.from(text, "utf8")).toString("hex")),
  md5: node("md5"),
  sha1: node("sha1"),
  sha224: node("sha224"),
  sha256: node("sha256"),
  sha384: node("sha384"),
  sha512: node("sha512"),
};
