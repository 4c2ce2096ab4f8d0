import { X509Certificate } from "node:crypto";
import type { Context } from "../../core/service";
import type { Authority } from "./authority";
import { authorityOf } from "./ca-certificates";
import { byAge, certificateIdRule, check, largePageRule, page } from "./checks";
import {
  alreadyExists,
  certificateActive,
  certificateHasPolicies,
  certificateHasThings,
  certificateNotFound,
  invalidRequest,
} from "./errors";
import type { Certificate, CertificateStatus, Region } from "./state";
import type { IotOperations, Store } from "./store";
import { certificateIdOf, readPem } from "./x509";

/** What is told of certificates. */
export interface CertificateWatcher {
  /** There is a certificate that a device may connect with. */
  registered(): void;
  /** A certificate is not ACTIVE any more: its clients have to go. */
  ended(region: Region, certificate: Certificate): void;
}

const statuses = ["ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION"];

/** Statuses that a caller may ask for; the others come about by transfers. */
function statusOf(status: string | undefined, setAsActive = false): CertificateStatus {
  check({ status: [status, { oneOf: statuses }] });
  if (status === undefined) return setAsActive ? "ACTIVE" : "INACTIVE";
  if (status === "ACTIVE" || status === "INACTIVE" || status === "REVOKED") return status;
  throw invalidRequest(`A certificate cannot be given the status ${status}; use ACTIVE, INACTIVE or REVOKED`);
}

/** X.509 certificates: made here, or brought from elsewhere. */
export function certificateOperations(store: Store, authority: Authority, watcher: CertificateWatcher): IotOperations {
  const find = (id: string | undefined, context: Context): { region: Region; certificate: Certificate } => {
    check({ certificateId: [id, certificateIdRule] });
    const region = store.region(context);
    const certificate = region.certificates.get(id!);
    if (!certificate) throw certificateNotFound(id!);
    return { region, certificate };
  };
  const register = (
    context: Context,
    pem: string,
    rest: Pick<Certificate, "status" | "mode"> & Partial<Certificate>,
  ): Certificate => {
    const region = store.region(context);
    const x509 = new X509Certificate(pem);
    const id = certificateIdOf(x509.raw);
    const known = region.certificates.get(id);
    if (known) throw alreadyExists("The certificate is already provisioned or registered", id, known.arn);
    const now = store.clock.now();
    const arn = region.arn(`cert/${id}`);
    const made: Certificate = { id, arn, pem, x509, createdAt: now, modifiedAt: now, customerVersion: 1, ...rest };
    region.certificates.set(id, made);
    region.generation++;
    watcher.registered();
    return made;
  };
  const shown = ({ id, arn }: Certificate) => ({ certificateArn: arn, certificateId: id });
  const setStatus = (region: Region, certificate: Certificate, status: CertificateStatus) => {
    certificate.status = status;
    certificate.modifiedAt = store.clock.now();
    certificate.customerVersion++;
    region.generation++;
    if (status !== "ACTIVE") watcher.ended(region, certificate);
  };
  return {
    async CreateKeysAndCertificate({ setAsActive }, context) {
      const { publicKey, privateKey } = await authority.keyPair();
      const pem = await authority.certify(publicKey);
      const made = register(context, pem, { status: statusOf(undefined, setAsActive), mode: "DEFAULT" });
      return { ...shown(made), certificatePem: pem, keyPair: { PublicKey: publicKey, PrivateKey: privateKey } };
    },

    async CreateCertificateFromCsr({ certificateSigningRequest, setAsActive }, context) {
      check({ certificateSigningRequest: [certificateSigningRequest, { required: true, length: [1, 4096] }] });
      const pem = await authority.certifyRequest(certificateSigningRequest!);
      if (pem === undefined) throw invalidRequest("The certificate signing request is not valid");
      const made = register(context, pem, { status: statusOf(undefined, setAsActive), mode: "DEFAULT" });
      return { ...shown(made), certificatePem: pem };
    },

    RegisterCertificateWithoutCA({ certificatePem, status }, context) {
      readPem(certificatePem, "certificatePem");
      return shown(register(context, certificatePem!, { status: statusOf(status), mode: "SNI_ONLY" }));
    },

    RegisterCertificate({ certificatePem, caCertificatePem, status, setAsActive }, context) {
      const certificate = readPem(certificatePem, "certificatePem");
      const named = caCertificatePem === undefined ? undefined : readPem(caCertificatePem, "caCertificatePem");
      const { id: caCertificateId } = authorityOf(store.region(context), certificate, named);
      const wanted = statusOf(status, setAsActive);
      return shown(register(context, certificatePem!, { status: wanted, mode: "DEFAULT", caCertificateId }));
    },

    DescribeCertificate({ certificateId }, context) {
      const { certificate } = find(certificateId, context);
      const { pem, status, mode, createdAt, modifiedAt, customerVersion, x509, caCertificateId } = certificate;
      return {
        certificateDescription: {
          ...shown(certificate),
          ...(caCertificateId !== undefined && { caCertificateId }),
          certificatePem: pem,
          status,
          certificateMode: mode,
          ownedBy: context.account,
          creationDate: new Date(createdAt),
          lastModifiedDate: new Date(modifiedAt),
          customerVersion,
          validity: { notBefore: x509.validFromDate, notAfter: x509.validToDate },
        },
      };
    },

    ListCertificates({ pageSize, marker, ascendingOrder }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const all = byAge(store.region(context).certificates.values(), ascendingOrder);
      const { items, next } = page(all, marker, pageSize);
      return {
        certificates: items.map((certificate) => ({
          ...shown(certificate),
          status: certificate.status,
          certificateMode: certificate.mode,
          creationDate: new Date(certificate.createdAt),
        })),
        ...(next && { nextMarker: next }),
      };
    },

    UpdateCertificate({ certificateId, newStatus }, context) {
      check({ newStatus: [newStatus, { required: true }] });
      const { region, certificate } = find(certificateId, context);
      setStatus(region, certificate, statusOf(newStatus));
      return {};
    },

    DeleteCertificate({ certificateId, forceDelete }, context) {
      const { region, certificate } = find(certificateId, context);
      const { arn, status } = certificate;
      if (status === "ACTIVE") throw certificateActive(certificateId!);
      if ([...region.things.values()].some(({ principals }) => principals.has(arn))) throw certificateHasThings(arn);
      const policies = region.policiesOf(arn);
      if (policies.length > 0 && !forceDelete) throw certificateHasPolicies(arn);
      for (const policy of policies) policy.targets.delete(arn);
      region.certificates.delete(certificateId!);
      region.generation++;
      return {};
    },
  };
}
