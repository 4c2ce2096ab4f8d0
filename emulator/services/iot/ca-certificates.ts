import { randomBytes, type X509Certificate } from "node:crypto";
import { notEmulated } from "../../core/errors";
import type { Context } from "../../core/service";
import { byAge, certificateIdRule, check, largePageRule, page } from "./checks";
import {
  alreadyExists,
  caCertificateActive,
  caCertificateNotFound,
  certificateInvalid,
  invalidRequest,
  registrationCodeInvalid,
} from "./errors";
import type { CaCertificate, Region } from "./state";
import type { IotOperations, Store } from "./store";
import { checkTags, setTags } from "./tags";
import { certificateIdOf, readPem } from "./x509";

const modes = ["DEFAULT", "SNI_ONLY"];
const statuses = ["ACTIVE", "INACTIVE"];

/** The code that shows that who registers a CA has its key; one for each account and region until it is deleted. */
function registrationCode(region: Region): string {
  region.registrationCode ??= randomBytes(32).toString("hex");
  return region.registrationCode;
}

/** Refuses a CA whose key the caller has not shown to have: by a certificate for the registration code. */
function checkVerification(region: Region, ca: X509Certificate, pem: string | undefined): void {
  if (pem === undefined)
    throw invalidRequest("A verification certificate is required, unless certificateMode is SNI_ONLY");
  const verification = readPem(pem, "verificationCertificate");
  if (!verification.verify(ca.publicKey))
    throw certificateInvalid("The verification certificate is not signed by the CA certificate");
  const code = registrationCode(region);
  if (!verification.subject?.split("\n").includes(`CN=${code}`))
    throw registrationCodeInvalid("The common name of the verification certificate is not the registration code");
}

/** Certificate authorities of the customer's own: what they signed can be registered under them. */
export function caCertificateOperations(store: Store): IotOperations {
  const find = (id: string | undefined, context: Context): { region: Region; ca: CaCertificate } => {
    check({ certificateId: [id, certificateIdRule] });
    const region = store.region(context);
    const ca = region.caCertificates.get(id!);
    if (!ca) throw caCertificateNotFound(id!);
    return { region, ca };
  };
  const shown = ({ id, arn }: CaCertificate) => ({ certificateArn: arn, certificateId: id });
  const listed = (ca: CaCertificate) => ({
    ...shown(ca),
    status: ca.active ? ("ACTIVE" as const) : ("INACTIVE" as const),
    creationDate: new Date(ca.createdAt),
  });
  return {
    GetRegistrationCode: (_input, context) => ({ registrationCode: registrationCode(store.region(context)) }),

    DeleteRegistrationCode(_input, context) {
      store.region(context).registrationCode = undefined;
      return {};
    },

    RegisterCACertificate(input, context) {
      const { caCertificate, verificationCertificate, setAsActive, allowAutoRegistration, tags } = input;
      const { certificateMode = "DEFAULT" } = input;
      check({ certificateMode: [certificateMode, { oneOf: modes }] });
      checkTags(tags);
      const region = store.region(context);
      const x509 = readPem(caCertificate, "caCertificate");
      if (!x509.ca) throw certificateInvalid("The certificate is not one of a certificate authority");
      if (certificateMode === "DEFAULT") checkVerification(region, x509, verificationCertificate);
      if (allowAutoRegistration || input.registrationConfig)
        throw notEmulated("iot", "RegisterCACertificate", "registering devices at their first connection");
      const id = certificateIdOf(x509.raw);
      const known = region.caCertificates.get(id);
      if (known) throw alreadyExists("The CA certificate is already registered", id, known.arn);
      const now = store.clock.now();
      const ca: CaCertificate = {
        id,
        arn: region.arn(`cacert/${id}`),
        pem: caCertificate!,
        x509,
        active: setAsActive ?? false,
        mode: certificateMode === "SNI_ONLY" ? "SNI_ONLY" : "DEFAULT",
        createdAt: now,
        modifiedAt: now,
        customerVersion: 1,
      };
      region.caCertificates.set(id, ca);
      setTags(region, ca.arn, tags);
      return shown(ca);
    },

    DescribeCACertificate({ certificateId }, context) {
      const { ca } = find(certificateId, context);
      return {
        certificateDescription: {
          ...listed(ca),
          certificatePem: ca.pem,
          ownedBy: context.account,
          autoRegistrationStatus: "DISABLE",
          lastModifiedDate: new Date(ca.modifiedAt),
          customerVersion: ca.customerVersion,
          certificateMode: ca.mode,
          validity: { notBefore: ca.x509.validFromDate, notAfter: ca.x509.validToDate },
        },
      };
    },

    ListCACertificates({ pageSize, marker, ascendingOrder }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const all = byAge(store.region(context).caCertificates.values(), ascendingOrder);
      const { items, next } = page(all, marker, pageSize);
      return { certificates: items.map(listed), ...(next && { nextMarker: next }) };
    },

    ListCertificatesByCA({ caCertificateId, pageSize, marker, ascendingOrder }, context) {
      check({ pageSize: [pageSize, largePageRule] });
      const { region, ca } = find(caCertificateId, context);
      const all = byAge(region.certificates.values(), ascendingOrder).filter(
        (certificate) => certificate.caCertificateId === ca.id,
      );
      const { items, next } = page(all, marker, pageSize);
      return {
        certificates: items.map(({ id, arn, status, mode, createdAt }) => ({
          certificateArn: arn,
          certificateId: id,
          status,
          certificateMode: mode,
          creationDate: new Date(createdAt),
        })),
        ...(next && { nextMarker: next }),
      };
    },

    UpdateCACertificate({ certificateId, newStatus, newAutoRegistrationStatus, registrationConfig }, context) {
      check({ newStatus: [newStatus, { oneOf: statuses }] });
      const { ca } = find(certificateId, context);
      if (newAutoRegistrationStatus === "ENABLE" || registrationConfig)
        throw notEmulated("iot", "UpdateCACertificate", "registering devices at their first connection");
      if (newStatus !== undefined) ca.active = newStatus === "ACTIVE";
      ca.modifiedAt = store.clock.now();
      ca.customerVersion++;
      return {};
    },

    DeleteCACertificate({ certificateId }, context) {
      const { region, ca } = find(certificateId, context);
      if (ca.active) throw caCertificateActive(ca.id);
      region.caCertificates.delete(ca.id);
      region.tags.delete(ca.arn);
      return {};
    },
  };
}

/** The registered authority that signed a certificate: the one that the caller names, or any. */
export function authorityOf(
  region: Region,
  certificate: X509Certificate,
  named: X509Certificate | undefined,
): CaCertificate {
  const id = named && certificateIdOf(named.raw);
  for (const ca of region.caCertificates.values()) {
    if (!ca.active || (id !== undefined && ca.id !== id)) continue;
    if (certificate.verify(ca.x509.publicKey)) return ca;
  }
  throw certificateInvalid(
    "No active CA certificate that signed the certificate is registered: register it with RegisterCACertificate, or use RegisterCertificateWithoutCA",
  );
}
