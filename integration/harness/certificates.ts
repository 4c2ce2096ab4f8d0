import { KeyObject, webcrypto } from "node:crypto";
import { x509Library } from "../../emulator/core/x509";

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function prepare() {
  const x509 = x509Library();
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  return { x509, keys, key };
}

/** A certificate signing request for a name such as `CN=oven-1, O=Bakery`, and its key. */
export async function signingRequest(name: string): Promise<{ csr: string; key: string }> {
  const { x509, keys, key } = await prepare();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: ecdsa });
  return { csr: request.toString("pem"), key };
}

/** A certificate authority of somebody's own, and what it signs. */
export async function ownAuthority(name: string) {
  const { x509, keys } = await prepare();
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + 365 * 86_400_000);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: "01", name, notBefore, notAfter, keys, signingAlgorithm: ecdsa },
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    cert: root.toString("pem"),
    /** A certificate for a name, and its key. */
    async sign(subject: string): Promise<{ cert: string; key: string }> {
      const own = await prepare();
      const made = await x509.X509CertificateGenerator.create({
        ...{ serialNumber: "02", subject, issuer: root.subject, notBefore, notAfter },
        ...{ publicKey: own.keys.publicKey, signingKey: keys.privateKey, signingAlgorithm: ecdsa },
      });
      return { cert: made.toString("pem"), key: own.key };
    },
  };
}

/** A certificate that signed itself, good for a year, and its key. */
export async function selfSigned(name: string): Promise<{ cert: string; key: string }> {
  const { x509, keys, key } = await prepare();
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + 365 * 86_400_000);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name,
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: ecdsa,
  });
  return { cert: made.toString("pem"), key };
}
