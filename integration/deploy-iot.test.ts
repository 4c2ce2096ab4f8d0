import {
  CreatePolicyVersionCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  DescribeThingTypeCommand,
  GetPolicyCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  ListTagsForResourceCommand,
  ListThingPrincipalsV2Command,
  ListThingsInThingGroupCommand,
} from "@aws-sdk/client-iot";
import { describe, expect, test, vi } from "vitest";
import { ownAuthority, selfSigned, signingRequest } from "./harness/certificates";
import { useDeployed } from "./harness/deployed";
import { type Declared, declaring, deployDeclared, find } from "./harness/deploying";
import { Devices, inbox, iotPolicy } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

describe("a deployed device", () => {
  const deployed =
    useDeployed<Record<"thingName" | "certificatePem" | "privateKey" | "endpoint", string>>("iot-device");

  test("connects with the certificate of its stack, and does only what its policy allows", async () => {
    const { emulator, outputs, stack } = deployed.current;
    expect(stack.outputs.privateKey?.secret).toBe(true);
    const { thingName, certificatePem: cert, privateKey: key, endpoint } = outputs;
    const devices = new Devices(emulator);
    const { ca } = await devices.endpoint();
    const options = { ca, cert, key, clientId: thingName };
    const client = await devices.open(`mqtts://${endpoint}`, options);
    const messages = inbox(client);
    await client.subscribeAsync(`ovens/${thingName}/door`);
    await client.publishAsync(`ovens/${thingName}/door`, "open", { qos: 1 });
    await vi.waitFor(() => expect(messages).toEqual([[`ovens/${thingName}/door`, "open"]]));
    await expect(devices.open(`mqtts://${endpoint}`, { ...options, clientId: "other" })).rejects.toThrow();
    await devices.close();
  });
});

describe("every IoT resource type", () => {
  const emulator = useEmulator();

  const everything = (n: number, csr: string, own: string, root: string): Declared[] => [
    { type: "iot.Thing", name: "thing", args: { attributes: { n: `${n}` }, thingTypeName: "$type.name" } },
    {
      type: "iot.ThingType",
      name: "type",
      args: { name: "kiln", properties: { description: "hot", searchableAttributes: ["n"] }, tags: { n: `${n}` } },
    },
    { type: "iot.ThingGroup", name: "all", args: { properties: { description: `v${n}` } } },
    { type: "iot.ThingGroup", name: "some", args: { parentGroupName: "$all.name", tags: { n: `${n}` } } },
    {
      type: "iot.ThingGroupMembership",
      name: "member",
      args: { thingName: "$thing.name", thingGroupName: "$some.name" },
    },
    { type: "iot.BillingGroup", name: "bill", args: { properties: { description: `v${n}` } } },
    { type: "iot.Certificate", name: "asked", args: { active: n === 1, csr } },
    {
      type: "iot.CaCertificate",
      name: "root",
      args: { active: n === 1, allowAutoRegistration: false, caCertificatePem: root, certificateMode: "SNI_ONLY" },
    },
    { type: "iot.Certificate", name: "brought", args: { active: true, certificatePem: own } },
    {
      type: "iot.Policy",
      name: "policy",
      args: { policy: iotPolicy([{ Action: `iot:Publish${n}`, Resource: "*" }]), tags: { n: `${n}` } },
    },
    { type: "iot.PolicyAttachment", name: "allowed", args: { policy: "$policy", target: "$asked.arn" } },
    {
      type: "iot.ThingPrincipalAttachment",
      name: "attached",
      args: { thing: "$thing.name", principal: "$asked.arn", thingPrincipalType: "EXCLUSIVE_THING" },
    },
    { type: "iot.RoleAlias", name: "alias", args: { alias: "devices", roleArn: "arn:aws:iam::000000000000:role/x" } },
  ];
  // The type has to be there before the thing that names it.
  const ordered = (resources: Declared[]) => [resources[1]!, resources[0]!, ...resources.slice(2)];

  test("is created, updated in place, and deleted, and nothing is touched without a change", async () => {
    const iot = new IoTClient(settings(emulator.current));
    const { csr } = await signingRequest("CN=kiln");
    const { cert } = await selfSigned("CN=own");
    const { cert: root } = await ownAuthority("CN=root");
    const program = (n: number) => ordered(everything(n, csr, cert, root));
    const first = await deployDeclared(emulator.current, program(1), {
      onEvent: (event) => event.kind === "failed" && console.error(event.message),
    });
    expect(first.summary).toMatchObject({ created: program(1).length });
    expect(first.recorded).toEqual(["aws:iot/roleAlias:RoleAlias"]);
    expect(find(first, "alias").outputs.arn?.value).toMatch(/:rolealias\/devices$/);

    const name = (resource: string, kind = "") => String(find(first, resource, kind).outputs.name?.value);
    const thingName = name("thing");
    const certificateId = find(first, "asked").id;
    const target = String(find(first, "asked").outputs.arn?.value);
    const attached = await iot.send(new ListThingPrincipalsV2Command({ thingName }));
    expect(attached.thingPrincipalObjects).toEqual([{ principal: target, thingPrincipalType: "EXCLUSIVE_THING" }]);
    const members = await iot.send(new ListThingsInThingGroupCommand({ thingGroupName: name("all"), recursive: true }));
    expect(members.things).toEqual([thingName]);
    const { policies } = await iot.send(new ListAttachedPoliciesCommand({ target }));
    expect(policies!.map(({ policyName }) => policyName)).toEqual([name("policy")]);

    const same = await first.update(declaring(program(1)));
    expect(same.summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0 });

    // An update makes room for its version of the policy.
    const addition = { policyName: name("policy"), policyDocument: iotPolicy() };
    for (let version = 2; version <= 5; version++) await iot.send(new CreatePolicyVersionCommand(addition));
    const last = await same.update(declaring(program(2)));
    expect(last.summary).toMatchObject({ created: 0, replaced: 0, deleted: 0 });
    const policy = await iot.send(new GetPolicyCommand({ policyName: name("policy") }));
    expect(policy).toMatchObject({ defaultVersionId: "6", policyDocument: expect.stringContaining("iot:Publish2") });
    const { tags } = await iot.send(new ListTagsForResourceCommand({ resourceArn: policy.policyArn }));
    expect(tags).toEqual([{ Key: "n", Value: "2" }]);
    expect((await iot.send(new DescribeThingCommand({ thingName }))).attributes).toEqual({ n: "2" });
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription!.status).toBe("INACTIVE");

    await last.destroy();
    for (const call of [
      () => iot.send(new DescribeThingCommand({ thingName })),
      () => iot.send(new DescribeThingTypeCommand({ thingTypeName: "kiln" })),
      () => iot.send(new DescribeCertificateCommand({ certificateId })),
      () => iot.send(new GetPolicyCommand({ policyName: name("policy") })),
    ])
      expect((await refusal(call()))[0]).toBe("ResourceNotFoundException");
  }, 60_000);
});
