import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import {
  AttachPolicyCommand,
  AttachPrincipalPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  GetEffectivePoliciesCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  type IoTClient,
  ListAttachedPoliciesCommand,
  ListCertificatesCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListPrincipalThingsCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  RegisterCertificateWithoutCACommand,
  SetDefaultPolicyVersionCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selfSigned, signingRequest } from "./harness/certificates";
import { Devices, type Identity, iotArn, iotPolicy } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let devices: Devices;
let iot: IoTClient;
/** One certificate for all: keys take long to make. */
let identity: Identity;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  iot = devices.iot;
  identity = await devices.certificate("none");
});
afterAll(() => devices.close());

const describeCertificate = async (certificateId: string) =>
  (await iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription!;
const setStatus = (certificateId: string, newStatus: "ACTIVE" | "INACTIVE" | "REVOKED") =>
  iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));
let count = 0;
const makePolicy = async (policyDocument = iotPolicy()) => {
  const policyName = `policy-of-tests-${++count}`;
  await iot.send(new CreatePolicyCommand({ policyName, policyDocument }));
  return policyName;
};

describe("certificates", () => {
  test("come with an RSA key of their own, from the authority that the endpoint shows", async () => {
    const made = await iot.send(new CreateKeysAndCertificateCommand({}));
    const certificate = new X509Certificate(made.certificatePem!);
    const { ca } = await devices.endpoint();
    expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(made.keyPair!.PrivateKey!))).toBe(true);
    expect(createPublicKey(made.keyPair!.PublicKey!).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
    expect(certificate.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(made.certificateId);
    expect(made.certificateArn).toBe(iotArn(`cert/${made.certificateId}`));
    expect(await describeCertificate(made.certificateId!)).toMatchObject({
      status: "INACTIVE",
      certificateMode: "DEFAULT",
      ownedBy: "000000000000",
      certificatePem: made.certificatePem,
      validity: { notAfter: new Date("2049-12-31T23:59:59Z") },
    });
  });

  test("are made for a key that stays with the device, from a signing request", async () => {
    const { csr, key } = await signingRequest("CN=oven-1, O=Bakery");
    const made = await iot.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: true }),
    );
    const certificate = new X509Certificate(made.certificatePem!);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.subject.split("\n").sort()).toEqual(["CN=oven-1", "O=Bakery"]);
    const device = {
      cert: made.certificatePem!,
      key,
      id: made.certificateId!,
      arn: made.certificateArn!,
    };
    await devices.allow(device);
    await devices.connect(device);
    const broken = csr.replace(/MI\w\w/, "MIAA");
    for (const certificateSigningRequest of ["none", broken]) {
      const call = iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
      expect((await refusal(call))[0]).toBe("InvalidRequestException");
    }
  });

  test("of anybody's making can be registered, once, and connect", async () => {
    const own = await selfSigned("CN=own");
    const register = (certificatePem: string) =>
      iot.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: "ACTIVE" }));
    const made = await register(own.cert);
    expect((await describeCertificate(made.certificateId!)).certificateMode).toBe("SNI_ONLY");
    const device = { ...own, id: made.certificateId!, arn: made.certificateArn! };
    await devices.allow(device);
    await devices.connect(device);
    expect((await refusal(register(own.cert)))[0]).toBe("ResourceAlreadyExistsException");
    expect((await refusal(register("-----BEGIN CERTIFICATE-----")))[0]).toBe("CertificateValidationException");
  });

  test("are listed by age, page by page", async () => {
    const all = await iot.send(new ListCertificatesCommand({ ascendingOrder: true }));
    expect(all.certificates![0]).toMatchObject({ certificateId: identity.id, status: "ACTIVE" });
    const first = await iot.send(new ListCertificatesCommand({ ascendingOrder: true, pageSize: 1 }));
    const second = await iot.send(new ListCertificatesCommand({ ascendingOrder: true, marker: first.nextMarker }));
    expect([...first.certificates!, ...second.certificates!]).toEqual(all.certificates);
  });

  test("are deleted only when they are inactive, detached from things and policies", async () => {
    const { id: certificateId, arn } = await devices.certificate("none");
    const policyName = await makePolicy();
    await iot.send(new CreateThingCommand({ thingName: "holder" }));
    await iot.send(new AttachThingPrincipalCommand({ thingName: "holder", principal: arn }));
    await iot.send(new AttachPolicyCommand({ policyName, target: arn }));
    const remove = (forceDelete = false) => iot.send(new DeleteCertificateCommand({ certificateId, forceDelete }));
    expect((await refusal(remove()))[0]).toBe("CertificateStateException");
    await setStatus(certificateId, "INACTIVE");
    expect(await refusal(remove(true))).toEqual([
      "DeleteConflictException",
      `Things must be detached before deletion (arn: ${arn})`,
      409,
    ]);
    expect((await refusal(iot.send(new DeleteThingCommand({ thingName: "holder" }))))[0]).toBe(
      "InvalidRequestException",
    );
    await iot.send(new DetachThingPrincipalCommand({ thingName: "holder", principal: arn }));
    expect(await refusal(remove())).toEqual([
      "DeleteConflictException",
      `Certificate policies must be detached before deletion (arn: ${arn})`,
      409,
    ]);
    await remove(true);
    expect((await refusal(describeCertificate(certificateId)))[0]).toBe("ResourceNotFoundException");
    await iot.send(new DeletePolicyCommand({ policyName }));
  });

  test("take only the statuses that a caller may set", async () => {
    const update = (newStatus: string) =>
      iot.send(new UpdateCertificateCommand({ certificateId: identity.id, newStatus: newStatus as "ACTIVE" }));
    for (const status of ["PENDING_TRANSFER", "GOOD"])
      expect((await refusal(update(status)))[0]).toBe("InvalidRequestException");
    expect((await describeCertificate(identity.id)).status).toBe("ACTIVE");
  });
});

describe("policies", () => {
  test("have versions, of which one counts", async () => {
    const policyName = await makePolicy(iotPolicy([{ Action: "iot:Connect", Resource: "*" }]));
    const policyDocument = iotPolicy([{ Action: "iot:Publish", Resource: "*" }]);
    const added = await iot.send(new CreatePolicyVersionCommand({ policyName, policyDocument }));
    expect(added).toMatchObject({ policyVersionId: "2", isDefaultVersion: false });
    expect(await iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({ defaultVersionId: "1" });
    await iot.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId: "2" }));
    expect(await iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      defaultVersionId: "2",
      policyDocument,
      policyArn: iotArn(`policy/${policyName}`),
    });
    expect(await iot.send(new GetPolicyVersionCommand({ policyName, policyVersionId: "1" }))).toMatchObject({
      isDefaultVersion: false,
    });
    const { policyVersions } = await iot.send(new ListPolicyVersionsCommand({ policyName }));
    expect(policyVersions!.map(({ versionId, isDefaultVersion }) => [versionId, isDefaultVersion])).toEqual([
      ["2", true],
      ["1", false],
    ]);
    const removeVersion = (policyVersionId: string) =>
      iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId }));
    expect((await refusal(removeVersion("2")))[0]).toBe("DeleteConflictException");
    expect((await refusal(iot.send(new DeletePolicyCommand({ policyName }))))[0]).toBe("DeleteConflictException");
    await removeVersion("1");
    await iot.send(new DeletePolicyCommand({ policyName }));
    expect((await refusal(iot.send(new GetPolicyCommand({ policyName }))))[0]).toBe("ResourceNotFoundException");
  });

  test("have five versions at most", async () => {
    const policyName = await makePolicy();
    const add = () => iot.send(new CreatePolicyVersionCommand({ policyName, policyDocument: iotPolicy() }));
    for (let version = 2; version <= 5; version++) await add();
    expect((await refusal(add()))[0]).toBe("VersionsLimitExceededException");
  });

  test("are attached to certificates, and cannot be deleted as long as they are", async () => {
    const [policyName, other] = [await makePolicy(), await makePolicy()];
    const target = identity.arn;
    await iot.send(new AttachPolicyCommand({ policyName, target }));
    await iot.send(new AttachPrincipalPolicyCommand({ policyName: other, principal: target }));
    const { policies } = await iot.send(new ListAttachedPoliciesCommand({ target }));
    expect(policies!.map((policy) => policy.policyName)).toEqual([policyName, other]);
    const { targets } = await iot.send(new ListTargetsForPolicyCommand({ policyName }));
    expect(targets).toEqual([target]);
    const { effectivePolicies } = await iot.send(new GetEffectivePoliciesCommand({ principal: target }));
    expect(effectivePolicies!.map((policy) => policy.policyName)).toEqual([policyName, other]);
    expect((await refusal(iot.send(new DeletePolicyCommand({ policyName }))))[0]).toBe("DeleteConflictException");
    for (const name of [policyName, other]) {
      await iot.send(new DetachPolicyCommand({ policyName: name, target }));
      await iot.send(new DeletePolicyCommand({ policyName: name }));
    }
    const left = await iot.send(new ListPoliciesCommand({}));
    expect(left.policies!.map((policy) => policy.policyName)).not.toContain(policyName);
  });

  test("of a thing group count for the groups below it", async () => {
    const policyName = await makePolicy();
    const top = await iot.send(new CreateThingGroupCommand({ thingGroupName: "top" }));
    const below = await iot.send(new CreateThingGroupCommand({ thingGroupName: "below", parentGroupName: "top" }));
    await iot.send(new AttachPolicyCommand({ policyName, target: top.thingGroupArn }));
    const attached = async (recursive: boolean) =>
      (await iot.send(new ListAttachedPoliciesCommand({ target: below.thingGroupArn, recursive }))).policies!.length;
    expect([await attached(false), await attached(true)]).toEqual([0, 1]);
  });

  const malformed: [what: string, document: string][] = [
    ["no JSON", "{"],
    ["no statement", JSON.stringify({ Version: "2012-10-17", Statement: [] })],
    ["an unknown effect", iotPolicy([{ Effect: "Maybe" as "Allow", Action: "iot:Connect", Resource: "*" }])],
    ["a principal", iotPolicy([{ Action: "iot:Connect", Resource: "*", ...({ Principal: "*" } as object) }])],
    ["no resource", JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:Connect" }] })],
    ["more than 2048 characters", iotPolicy([{ Action: "iot:Connect", Resource: "x".repeat(2048) }])],
  ];
  test.each(malformed)("are refused with %s", async (_what, policyDocument) => {
    const call = iot.send(new CreatePolicyCommand({ policyName: "malformed", policyDocument }));
    expect((await refusal(call)).filter((part) => typeof part !== "string" || !part.includes(" "))).toEqual([
      "MalformedPolicyException",
      400,
    ]);
  });

  test("are refused for a name that is taken, and for targets that are not there", async () => {
    const policyName = await makePolicy();
    expect(await refusal(iot.send(new CreatePolicyCommand({ policyName, policyDocument: iotPolicy() })))).toEqual([
      "ResourceAlreadyExistsException",
      `Policy cannot be created - name already exists (name=${policyName})`,
      409,
    ]);
    for (const target of [iotArn(`cert/${"0".repeat(64)}`), iotArn("thinggroup/none")]) {
      const call = iot.send(new AttachPolicyCommand({ policyName, target }));
      expect((await refusal(call))[0]).toBe("ResourceNotFoundException");
    }
    const nobody = iot.send(new AttachPolicyCommand({ policyName: "nobody", target: identity.arn }));
    expect((await refusal(nobody))[0]).toBe("ResourceNotFoundException");
  });
});

describe("principals of things", () => {
  test("are listed from both sides", async () => {
    const principal = identity.arn;
    for (const thingName of ["left", "right"]) {
      await iot.send(new CreateThingCommand({ thingName }));
      await iot.send(new AttachThingPrincipalCommand({ thingName, principal }));
    }
    expect((await iot.send(new ListPrincipalThingsCommand({ principal }))).things).toEqual(["left", "right"]);
    expect((await iot.send(new ListThingPrincipalsCommand({ thingName: "left" }))).principals).toEqual([principal]);
    for (const thingName of ["left", "right"])
      await iot.send(new DetachThingPrincipalCommand({ thingName, principal }));
    expect((await iot.send(new ListPrincipalThingsCommand({ principal }))).things).toEqual([]);
  });

  test("can belong to one thing alone", async () => {
    const attach = (thingName: string, thingPrincipalType?: "EXCLUSIVE_THING") =>
      iot.send(new AttachThingPrincipalCommand({ thingName, principal: identity.arn, thingPrincipalType }));
    for (const thingName of ["only", "second"]) await iot.send(new CreateThingCommand({ thingName }));
    await attach("only", "EXCLUSIVE_THING");
    expect((await refusal(attach("second")))[0]).toBe("InvalidRequestException");
    await iot.send(new DetachThingPrincipalCommand({ thingName: "only", principal: identity.arn }));
    await attach("second");
    expect((await refusal(attach("only", "EXCLUSIVE_THING")))[0]).toBe("InvalidRequestException");
  });
});
