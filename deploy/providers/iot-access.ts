import type { CertificateMode, KeyPair } from "@aws-sdk/client-iot";
import type {
  CaCertificate,
  CaCertificateArgs,
  Certificate,
  CertificateArgs,
  Policy,
  PolicyArgs,
  PolicyAttachment,
  PolicyAttachmentArgs,
  ThingPrincipalAttachment,
  ThingPrincipalAttachmentArgs,
} from "@pulumi/aws/iot";
import { requiredDocument } from "./json";
import { tagChanges, tagList } from "./tags";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { unlessGone } from "./wait";

type CertificateInputs = PlainArgs<CertificateArgs>;

/** Registers or makes a certificate, whichever the inputs ask for. */
function makeCertificate(
  { active, certificatePem, caPem, csr }: CertificateInputs,
  { clients }: ProviderContext,
): Promise<{ certificateId?: string; keyPair?: KeyPair }> {
  const status = active ? ("ACTIVE" as const) : ("INACTIVE" as const);
  if (certificatePem !== undefined) {
    return caPem === undefined
      ? clients.iot.registerCertificateWithoutCA({ certificatePem, status })
      : clients.iot.registerCertificate({ certificatePem, caCertificatePem: caPem, status });
  }
  if (csr !== undefined)
    return clients.iot.createCertificateFromCsr({ certificateSigningRequest: csr, setAsActive: active });
  return clients.iot.createKeysAndCertificate({ setAsActive: active });
}

async function certificateOutputs(certificateId: string, { clients }: ProviderContext) {
  const { certificateDescription: found = {} } = await clients.iot.describeCertificate({ certificateId });
  return {
    arn: found.certificateArn,
    active: found.status === "ACTIVE",
    caCertificateId: found.caCertificateId ?? "",
    certificatePem: found.certificatePem,
  };
}

const setActive = (certificateId: string, active: boolean, { clients }: ProviderContext) =>
  clients.iot.updateCertificate({ certificateId, newStatus: active ? "ACTIVE" : "INACTIVE" });

/** The keys are known only when the certificate is made: from then on the state of the stack holds them. */
const certificate = resourceType<CertificateArgs, Certificate>({
  replaceOn: ["csr", "certificatePem", "caPem"],
  secretOutputs: ["certificatePem", "privateKey", "publicKey"],
  async create(args, context) {
    const made = await makeCertificate(args, context);
    const id = made.certificateId!;
    return {
      id,
      outputs: {
        ...(await certificateOutputs(id, context)),
        privateKey: made.keyPair?.PrivateKey ?? "",
        publicKey: made.keyPair?.PublicKey ?? "",
      },
    };
  },
  async read(id, context, known) {
    const found = await unlessGone(certificateOutputs(id, context));
    const { privateKey = "", publicKey = "" } = known?.outputs ?? {};
    return found && { ...found, privateKey, publicKey };
  },
  async update(id, args, old, context) {
    await setActive(id, args.active, context);
    const { privateKey = "", publicKey = "" } = old.outputs;
    return { ...(await certificateOutputs(id, context)), privateKey, publicKey };
  },
  async delete(certificateId, _known, context) {
    await setActive(certificateId, false, context);
    await context.clients.iot.deleteCertificate({ certificateId, forceDelete: true });
  },
});

async function caOutputs(certificateId: string, { clients }: ProviderContext) {
  const { certificateDescription: found = {} } = await clients.iot.describeCACertificate({ certificateId });
  const { notBefore, notAfter } = found.validity ?? {};
  return {
    arn: found.certificateArn,
    active: found.status === "ACTIVE",
    allowAutoRegistration: found.autoRegistrationStatus === "ENABLE",
    caCertificatePem: found.certificatePem,
    certificateMode: found.certificateMode,
    customerVersion: found.customerVersion,
    generationId: found.generationId ?? "",
    validities: [{ notBefore: notBefore?.toISOString() ?? "", notAfter: notAfter?.toISOString() ?? "" }],
  };
}

const caCertificate = resourceType<CaCertificateArgs, CaCertificate>({
  replaceOn: ["caCertificatePem", "verificationCertificatePem", "certificateMode"],
  secretOutputs: ["caCertificatePem"],
  async create(args, context) {
    const { certificateId = "" } = await context.clients.iot.registerCACertificate({
      caCertificate: args.caCertificatePem,
      verificationCertificate: args.verificationCertificatePem,
      certificateMode: args.certificateMode as CertificateMode | undefined,
      setAsActive: args.active,
      allowAutoRegistration: args.allowAutoRegistration,
      registrationConfig: args.registrationConfig,
      tags: tagList(context.tags(args.tags)),
    });
    return { id: certificateId, outputs: await caOutputs(certificateId, context) };
  },
  read: (id, context) => unlessGone(caOutputs(id, context)),
  async update(certificateId, args, old, context) {
    const { iot } = context.clients;
    await iot.updateCACertificate({
      certificateId,
      newStatus: args.active ? "ACTIVE" : "INACTIVE",
      newAutoRegistrationStatus: args.allowAutoRegistration ? "ENABLE" : "DISABLE",
      registrationConfig: args.registrationConfig,
    });
    const found = await caOutputs(certificateId, context);
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await iot.tagResource({ resourceArn: found.arn, tags: tagList(set) });
    if (remove.length > 0) await iot.untagResource({ resourceArn: found.arn, tagKeys: remove });
    return found;
  },
  async delete(certificateId, _known, { clients }) {
    await clients.iot.updateCACertificate({ certificateId, newStatus: "INACTIVE" });
    await clients.iot.deleteCACertificate({ certificateId });
  },
});

async function policyOutputs(policyName: string, { clients }: ProviderContext) {
  const { policyArn, policyDocument, defaultVersionId } = await clients.iot.getPolicy({ policyName });
  return { name: policyName, arn: policyArn, policy: policyDocument, defaultVersionId };
}

/** A policy keeps five versions at most; an update makes one more. */
async function makeRoom(policyName: string, { clients }: ProviderContext, most: number): Promise<void> {
  const { policyVersions = [] } = await clients.iot.listPolicyVersions({ policyName });
  const old = policyVersions
    .filter(({ isDefaultVersion }) => !isDefaultVersion)
    .sort((a, b) => Number(a.versionId) - Number(b.versionId));
  const surplus = Math.max(0, policyVersions.length - most);
  for (const { versionId } of old.slice(0, surplus))
    await clients.iot.deletePolicyVersion({ policyName, policyVersionId: versionId });
}

const policy = resourceType<PolicyArgs, Policy>({
  autoname: { property: "name", max: 128 },
  replaceOn: ["name"],
  async create(args, context) {
    const policyName = String(args.name);
    await context.clients.iot.createPolicy({
      policyName,
      policyDocument: requiredDocument("policy", args.policy),
      tags: tagList(context.tags(args.tags)),
    });
    return { id: policyName, outputs: await policyOutputs(policyName, context) };
  },
  read: (id, context) => unlessGone(policyOutputs(id, context)),
  async update(policyName, args, old, context) {
    const { iot } = context.clients;
    if (old.changed("policy")) {
      await makeRoom(policyName, context, 4);
      const policyDocument = requiredDocument("policy", args.policy);
      await iot.createPolicyVersion({ policyName, policyDocument, setAsDefault: true });
    }
    const found = await policyOutputs(policyName, context);
    const { set, remove } = tagChanges(context.tags(old.inputs.tags), context.tags(args.tags));
    if (Object.keys(set).length > 0) await iot.tagResource({ resourceArn: found.arn, tags: tagList(set) });
    if (remove.length > 0) await iot.untagResource({ resourceArn: found.arn, tagKeys: remove });
    return found;
  },
  async delete(policyName, _known, context) {
    await makeRoom(policyName, context, 1);
    await context.clients.iot.deletePolicy({ policyName });
  },
});

const policyAttachment = resourceType<PolicyAttachmentArgs, PolicyAttachment>({
  replaceOn: ["policy", "target"],
  async create(args, { clients }) {
    const policyName = String(args.policy);
    await clients.iot.attachPolicy({ policyName, target: args.target });
    return { id: `${policyName}|${args.target}`, outputs: { policy: policyName, target: args.target } };
  },
  async read(id, { clients }) {
    const [policyName = "", target = ""] = id.split("|");
    const found = await unlessGone(clients.iot.listAttachedPolicies({ target }));
    const isAttached = found?.policies?.some((one) => one.policyName === policyName);
    return isAttached ? { policy: policyName, target } : undefined;
  },
  async delete(id, _known, { clients }) {
    const [policyName = "", target = ""] = id.split("|");
    await clients.iot.detachPolicy({ policyName, target });
  },
});

const thingPrincipalAttachment = resourceType<ThingPrincipalAttachmentArgs, ThingPrincipalAttachment>({
  replaceOn: ["thing", "principal", "thingPrincipalType"],
  async create({ thing, principal, thingPrincipalType = "NON_EXCLUSIVE_THING" }, { clients }) {
    const type = thingPrincipalType as "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";
    await clients.iot.attachThingPrincipal({ thingName: thing, principal, thingPrincipalType: type });
    return { id: `${thing}|${principal}`, outputs: { thing, principal, thingPrincipalType: type } };
  },
  async read(id, { clients }) {
    const [thing = "", principal = ""] = id.split("|");
    const found = await unlessGone(clients.iot.listThingPrincipalsV2({ thingName: thing }));
    const attached = found?.thingPrincipalObjects?.find((one) => one.principal === principal);
    return attached && { thing, principal, thingPrincipalType: attached.thingPrincipalType };
  },
  async delete(id, _known, { clients }) {
    const [thingName = "", principal = ""] = id.split("|");
    await clients.iot.detachThingPrincipal({ thingName, principal });
  },
});

export const types = {
  "aws:iot/certificate:Certificate": certificate,
  "aws:iot/caCertificate:CaCertificate": caCertificate,
  "aws:iot/policy:Policy": policy,
  "aws:iot/policyAttachment:PolicyAttachment": policyAttachment,
  "aws:iot/thingPrincipalAttachment:ThingPrincipalAttachment": thingPrincipalAttachment,
};
