import {
  DeleteCACertificateCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  GetRegistrationCodeCommand,
  type IoTClient,
  ListCACertificatesCommand,
  ListCertificatesByCACommand,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  UpdateCACertificateCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownAuthority, selfSigned } from "./harness/certificates";
import { Devices } from "./harness/devices";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let devices: Devices;
let iot: IoTClient;
beforeAll(() => {
  devices = new Devices(emulator.current);
  iot = devices.iot;
});
afterAll(() => devices.close());

const code = async () => (await iot.send(new GetRegistrationCodeCommand({}))).registrationCode!;
const register = (caCertificate: string, verificationCertificate?: string) =>
  iot.send(new RegisterCACertificateCommand({ caCertificate, verificationCertificate, setAsActive: true }));

test("lets devices in whose certificates an own authority signed, and who are registered under it", async () => {
  const authority = await ownAuthority("CN=Bakery root");
  const { cert: verification } = await authority.sign(`CN=${await code()}`);
  const { certificateId: caId } = await register(authority.cert, verification);
  const device = await authority.sign("CN=oven-1");
  await expect(devices.connect(device)).rejects.toThrow();
  const made = await iot.send(
    new RegisterCertificateCommand({ certificatePem: device.cert, caCertificatePem: authority.cert, status: "ACTIVE" }),
  );
  const { certificateDescription } = await iot.send(
    new DescribeCertificateCommand({ certificateId: made.certificateId }),
  );
  expect(certificateDescription).toMatchObject({ caCertificateId: caId, certificateMode: "DEFAULT" });
  await devices.allow({ ...device, id: made.certificateId!, arn: made.certificateArn! });
  await devices.connect(device);
  const { certificates } = await iot.send(new ListCertificatesByCACommand({ caCertificateId: caId }));
  expect(certificates!.map(({ certificateId }) => certificateId)).toEqual([made.certificateId]);
});

test("takes an authority only from who has its key", async () => {
  const [authority, other] = [await ownAuthority("CN=one"), await ownAuthority("CN=two")];
  const { cert: foreign } = await other.sign(`CN=${await code()}`);
  const { cert: wrongCode } = await authority.sign("CN=guessed");
  expect((await refusal(register(authority.cert)))[0]).toBe("InvalidRequestException");
  expect((await refusal(register(authority.cert, foreign)))[0]).toBe("CertificateValidationException");
  expect((await refusal(register(authority.cert, wrongCode)))[0]).toBe("RegistrationCodeValidationException");
  const { cert: leaf } = await selfSigned("CN=leaf");
  expect((await refusal(register(leaf, leaf)))[0]).toBe("CertificateValidationException");
  expect((await iot.send(new ListCACertificatesCommand({}))).certificates).toHaveLength(1);
});

test("registers nothing under an authority that is unknown or inactive, and deletes only inactive ones", async () => {
  const authority = await ownAuthority("CN=short-lived");
  const certificatePem = (await authority.sign("CN=device")).cert;
  const add = () => iot.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem: authority.cert }));
  expect((await refusal(add()))[0]).toBe("CertificateValidationException");
  const { cert: verification } = await authority.sign(`CN=${await code()}`);
  const { certificateId } = await register(authority.cert, verification);
  const remove = () => iot.send(new DeleteCACertificateCommand({ certificateId }));
  expect((await refusal(remove()))[0]).toBe("CertificateStateException");
  await iot.send(new UpdateCACertificateCommand({ certificateId, newStatus: "INACTIVE" }));
  expect((await refusal(add()))[0]).toBe("CertificateValidationException");
  await remove();
  const gone = iot.send(new DescribeCACertificateCommand({ certificateId }));
  expect((await refusal(gone))[0]).toBe("ResourceNotFoundException");
});
