import type * as X509 from "@peculiar/x509";

/** The library for certificates, loaded when the first one is made. It wants the metadata API on Reflect. */
export function x509Library(): typeof X509 {
  require("reflect-metadata");
  return require("@peculiar/x509");
}
