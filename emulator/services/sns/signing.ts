import { createPrivateKey, createSign, type KeyObject, randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock";
import { x509Library } from "../../core/x509";

/** What of a message is signed, in this order (developer guide, verifying the signatures of messages). */
const signed: Record<string, readonly string[]> = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
};

interface Pair {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/**
 * Signs messages with a key made here, when the first one is signed. Whoever checks signatures finds its certificate
 * at the message's SigningCertURL; it is not one of Amazon's, so a verifier that insists on their host refuses it.
 */
export class Signer {
  readonly file = `SimpleNotificationService-${randomBytes(16).toString("hex")}.pem`;
  private pair: Promise<Pair> | undefined;

  constructor(private readonly clock: Clock) {}

  async sign(message: Readonly<Record<string, unknown>>, version: string): Promise<string> {
    const { privateKey } = await this.keys();
    const text = (signed[String(message.Type)] ?? [])
      .filter((field) => message[field] !== undefined)
      .map((field) => `${field}\n${message[field]}\n`)
      .join("");
    return createSign(version === "2" ? "RSA-SHA256" : "RSA-SHA1")
      .update(text)
      .sign(privateKey, "base64");
  }

  async certificate(): Promise<string> {
    return (await this.keys()).certificate;
  }

  private keys(): Promise<Pair> {
    this.pair ??= this.make();
    return this.pair;
  }

  private async make(): Promise<Pair> {
    const { X509CertificateGenerator } = x509Library();
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) };
    const keys = await crypto.subtle.generateKey({ ...algorithm, modulusLength: 2048 }, true, ["sign", "verify"]);
    const now = this.clock.now();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: "CN=sns.amazonaws.com, O=Sensorcast",
      notBefore: new Date(now - 86_400_000),
      notAfter: new Date(now + 10 * 365 * 86_400_000),
      signingAlgorithm: algorithm,
      keys,
    });
    const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      privateKey: createPrivateKey({ key, format: "der", type: "pkcs8" }),
      certificate: certificate.toString("pem"),
    };
  }
}
