import { generateKeyPair, randomBytes, webcrypto } from "node:crypto";
import { promisify } from "node:util";
import type * as X509 from "@peculiar/x509";
import type { Clock } from "../../core/clock";
import { x509Library } from "../../core/x509";

/** A key pair as CreateKeysAndCertificate hands it out. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

interface Root {
  readonly certificate: X509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** AWS's own certificates end then. */
const endOfTime = new Date("2049-12-31T23:59:59Z");
/** How clients on this machine and in containers on it may call the broker. */
const serverNames = ["localhost", "host.docker.internal", "*.localhost.localstack.cloud"];

/**
 * The certificate authority of one emulator: signs the certificates of devices and that of the MQTT listener. It is made
 * when it is first needed, and lives as long as the emulator.
 */
export class Authority {
  private root?: Promise<Root>;
  private server?: Promise<{ cert: string; key: string }>;

  constructor(private readonly clock: Clock) {}

  /** The certificate that clients verify the broker with, as PEM. */
  async caPem(): Promise<string> {
    return (await this.ca()).certificate.toString("pem");
  }

  /** RSA-2048, as AWS makes them: PKCS #1 for the private key. Not on this thread: it takes a tenth of a second. */
  keyPair(): Promise<KeyPair> {
    return promisify(generateKeyPair)("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
  }

  /** A device certificate for a public key in PEM. */
  async certify(publicKey: string): Promise<string> {
    const { PublicKey } = x509Library();
    return this.sign("CN=AWS IoT Certificate", new PublicKey(publicKey));
  }

  /**
   * A device certificate as a certificate signing request asks for it.
   *
   * @returns undefined where the text is no request, or one that its own key has not signed.
   */
  async certifyRequest(csrPem: string): Promise<string | undefined> {
    const { Pkcs10CertificateRequest } = x509Library();
    let request: X509.Pkcs10CertificateRequest;
    try {
      request = new Pkcs10CertificateRequest(csrPem);
      if (!(await request.verify())) return undefined;
    } catch {
      return undefined;
    }
    return this.sign(request.subject || "CN=AWS IoT Certificate", request.publicKey);
  }

  /** What the listener shows its clients. */
  serverIdentity(): Promise<{ cert: string; key: string }> {
    this.server ??= this.makeServer();
    return this.server;
  }

  private ca(): Promise<Root> {
    this.root ??= this.makeRoot();
    return this.root;
  }

  private async makeRoot(): Promise<Root> {
    const x509 = x509Library();
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: "CN=Sensorcast local root CA, O=Sensorcast",
      ...this.validity(),
      keys,
      signingAlgorithm: ecdsa,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return { certificate, keys };
  }

  private async makeServer() {
    const x509 = x509Library();
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    const names = [
      ...serverNames.map((value) => ({ type: "dns" as const, value })),
      ...["127.0.0.1", "::1"].map((value) => ({ type: "ip" as const, value })),
    ];
    const cert = await this.sign("CN=localhost", keys.publicKey, [
      new x509.SubjectAlternativeNameExtension(names),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ]);
    const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
    const lines = key.match(/.{1,64}/g)!.join("\n");
    return { cert, key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n` };
  }

  private async sign(
    subject: string,
    publicKey: X509.PublicKeyType,
    extensions: X509.Extension[] = [],
  ): Promise<string> {
    const x509 = x509Library();
    const { certificate, keys } = await this.ca();
    const made = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: certificate.subject,
      ...this.validity(),
      publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ecdsa,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...extensions,
      ],
    });
    return `${made.toString("pem")}\n`;
  }

  /** From two minutes ago, as AWS's; clients judge by the time of this machine, whatever the emulator's clock says. */
  private validity() {
    const now = Math.min(this.clock.now(), this.clock.callersNow());
    return { notBefore: new Date(now - 120_000), notAfter: endOfTime };
  }
}

/** 16 random bytes that make a positive number, in hex. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}
