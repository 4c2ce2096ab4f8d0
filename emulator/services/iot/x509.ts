import { hash, X509Certificate } from "node:crypto";
import { check } from "./checks";
import { certificateInvalid } from "./errors";

/**
 * Reads a certificate of a request.
 *
 * @param name of the member that holds it.
 * @throws AwsError CertificateValidationException
 */
export function readPem(pem: string | undefined, name: string): X509Certificate {
  check({ [name]: [pem, { required: true, length: [1, 65_536] }] });
  try {
    return new X509Certificate(pem!);
  } catch {
    throw certificateInvalid(`The ${name} is not a PEM encoded X.509 certificate`);
  }
}

/** The id that AWS IoT gives a certificate: it is the same wherever the certificate is registered. */
export const certificateIdOf = (der: Uint8Array): string => hash("sha256", der, "hex");
