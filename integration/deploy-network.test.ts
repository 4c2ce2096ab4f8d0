import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Deployment, deploy } from "../deploy";
import type { ProviderContext } from "../deploy/providers/types";
import { localConstructs, type RegisterChild } from "../deploy/remote";
import { warm } from "./harness/deploying";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const program = resolve(__dirname, "../dist/integration/programs/awsx-network.js");

const deployVpc = (args: object, config: Record<string, string> = {}, secretConfig: Record<string, string> = {}) =>
  deploy({
    ...{ program, stack: "vpc", endpoint: emulator.current.endpoint, warm, secretConfig },
    config: { args: { ...args }, ...config },
  });

/** The blocks of the subnets that would be made. */
const laidOut = async (args: object) => {
  const found: Record<string, unknown> = {};
  const register: RegisterChild = async (type, name, { cidrBlock }) => {
    if (type.endsWith(":Subnet")) found[name] = cidrBlock;
    return { urn: `${type}::${name}`, id: name, outputs: {} };
  };
  await localConstructs["awsx:ec2:Vpc"]!("net", { ...args }, register, { region: "eu-west-1" } as ProviderContext);
  return found;
};

/** What building the VPC says of its arguments before it makes anything. */
const refusal = async (args: object): Promise<string> => {
  const register = () => Promise.reject(new Error("it made something"));
  const context = { region: "eu-west-1" } as ProviderContext;
  const build = localConstructs["awsx:ec2:Vpc"]!("net", { ...args }, register, context);
  return build.then(
    () => "it was built",
    (error: Error) => error.message,
  );
};

const outputsOf = ({ outputs }: Deployment) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])) as Record<string, never>;

type Found = { name: string; id: string; parent: string } & Record<string, unknown>;

/** All resources of a kind, with their outputs. */
const all = ({ resources }: Deployment, kind: string): Found[] =>
  resources
    .filter(({ type }) => type.endsWith(`:${kind}`))
    .map(({ name, id = "", parent = "", outputs }) => {
      const values = Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
      return { ...values, name, id, parent: parent.split("::").at(-1) ?? "" };
    });

/** Where the default route of each subnet leads: `net-public-1` to `igw`. */
function routes(stack: Deployment): Record<string, string> {
  const tables = new Map(all(stack, "RouteTableAssociation").map((one) => [one.subnetId, one.routeTableId]));
  const found = all(stack, "Subnet").map((subnet) => {
    const route = all(stack, "Route").find(({ routeTableId }) => routeTableId === tables.get(subnet.id));
    const to = String(route?.natGatewayId ?? route?.gatewayId ?? (tables.has(subnet.id) ? "nowhere" : "no table"));
    return [subnet.name, to.replace(/^igw-.*/, "igw")];
  });
  return Object.fromEntries(found);
}

const blocks = (stack: Deployment) =>
  Object.fromEntries(all(stack, "Subnet").map(({ name, cidrBlock }) => [name, cidrBlock]));

// Several deployments each, on machines that do other things as well.
describe("awsx.ec2.Vpc", { timeout: 60_000 }, () => {
  it("has a public and a private subnet with a NAT gateway in each of three zones by default, updates, and goes", async () => {
    const stack = await deployVpc({ tags: { team: "iot" } });
    expect(blocks(stack)).toEqual({
      "net-private-1": "10.0.0.0/19",
      "net-public-1": "10.0.32.0/20",
      "net-private-2": "10.0.64.0/19",
      "net-public-2": "10.0.96.0/20",
      "net-private-3": "10.0.128.0/19",
      "net-public-3": "10.0.160.0/20",
    });
    const nat = Object.fromEntries(all(stack, "NatGateway").map(({ name, id }) => [name, id]));
    expect(routes(stack)).toEqual({
      ...{ "net-public-1": "igw", "net-public-2": "igw", "net-public-3": "igw" },
      "net-private-1": nat["net-1"],
      "net-private-2": nat["net-2"],
      "net-private-3": nat["net-3"],
    });
    expect(all(stack, "Subnet")[0]).toMatchObject({
      ...{ name: "net-public-1", availabilityZone: "eu-west-1a", mapPublicIpOnLaunch: true, parent: "net" },
      tags: { Name: "net-public-1", SubnetType: "Public", team: "iot" },
    });
    const { vpcId, counts, ...outputs } = outputsOf(stack);
    expect(vpcId).toMatch(/^vpc-[0-9a-f]{17}$/);
    expect(counts).toEqual({ routeTables: 6, associations: 6, routes: 6, natGateways: 3, eips: 3 });
    expect(outputs).toMatchObject({
      defaultSecurityGroupId: expect.stringMatching(/^sg-/),
      gateway: expect.stringMatching(/^arn:aws:ec2:eu-west-1:\d{12}:internet-gateway\/igw-/),
      publicSubnetIds: [expect.stringMatching(/^subnet-/), expect.anything(), expect.anything()],
      subnetLayout: [
        { type: "Private", cidrMask: 19, size: 8192 },
        { type: "Public", cidrMask: 20, size: 4096 },
      ],
      zones: ["a", "a", "b", "b", "c", "c"].map((letter) => `eu-west-1${letter}`),
    });
    expect(stack.recorded).toContain("aws:ec2/vpc:Vpc");
    // The account's default VPC can be looked up.
    expect(outputs).toMatchObject({
      ownSubnets: [expect.stringMatching(/^subnet-/), expect.anything(), expect.anything()],
      ownZone: "eu-west-1b",
      ownGroup: expect.stringMatching(/^sg-/),
    });
    const [members] = all(stack, "SecurityGroup");
    expect(members).toMatchObject({ vpcId });

    const same = await stack.update();
    expect(same.summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0 });
    const smaller = await same.update({
      config: { args: { numberOfAvailabilityZones: 2, natGateways: { strategy: "Single" } } },
    });
    const one = all(smaller, "NatGateway");
    expect(one).toHaveLength(1);
    expect(routes(smaller)).toMatchObject({ "net-private-1": one[0]?.id, "net-private-2": one[0]?.id });
    const before = smaller.resources.length;
    // The stack itself is not counted.
    expect(await smaller.destroy()).toMatchObject({ deleted: before - 1 });
  });

  it("lays subnets out by the strategy, in the sizes that the program asks for", async () => {
    const natGateways = { strategy: "None" };
    const numberOfAvailabilityZones = 2;
    const auto = await laidOut({
      ...{ natGateways, numberOfAvailabilityZones, subnetStrategy: "Auto", cidrBlock: "10.1.0.0/20" },
      subnetSpecs: [
        { type: "Public", cidrMask: 26 },
        { type: "Isolated", name: "data", cidrMask: 24, tags: { tier: "db" } },
        { type: "Private", size: 512 },
      ],
    });
    expect(auto).toEqual({
      "net-public-1": "10.1.0.0/26",
      "net-data-1": "10.1.1.0/24",
      "net-private-1": "10.1.2.0/23",
      "net-public-2": "10.1.8.0/26",
      "net-data-2": "10.1.9.0/24",
      "net-private-2": "10.1.10.0/23",
    });

    // In the region of the provider that the program gives.
    const explicit = await deployVpc(
      {
        ...{ natGateways, availabilityZoneNames: ["us-east-1c", "us-east-1a"], subnetStrategy: "Auto" },
        subnetNameTagStrategy: "AvailabilityZone",
        subnetSpecs: [{ type: "Isolated", cidrBlocks: ["10.0.9.0/24", "10.0.3.0/24"] }],
      },
      { elsewhere: "us-east-1" },
      { owner: "nobody-may-know" },
    );
    expect(all(explicit, "Vpc").at(-1)).toMatchObject({ arn: expect.stringMatching(/^arn:aws:ec2:us-east-1:/) });
    expect(all(explicit, "Subnet")).toMatchObject([
      {
        ...{ name: "net-isolated-1", availabilityZone: "us-east-1c", cidrBlock: "10.0.9.0/24" },
        tags: { Name: "net-isolated-1c" },
      },
      { name: "net-isolated-2", availabilityZone: "us-east-1a", cidrBlock: "10.0.3.0/24" },
    ]);

    // In the order private, public, isolated, whatever the order of the specs (the layout of awsx 1 and 2).
    const legacy = await laidOut({
      ...{ natGateways, numberOfAvailabilityZones, subnetStrategy: "Legacy" },
      subnetSpecs: [{ type: "Isolated" }, { type: "Public", cidrMask: 22 }, { type: "Private" }],
    });
    expect(legacy).toMatchObject({
      "net-private-1": "10.0.0.0/19",
      "net-public-1": "10.0.32.0/22",
      "net-isolated-1": "10.0.36.0/24",
      "net-private-2": "10.0.128.0/19",
    });
    // What is secret stays secret in everything that is made of it.
    const holding = explicit.resources.flatMap(({ outputs }) =>
      Object.values(outputs).filter((output) => JSON.stringify(output.value)?.includes("nobody-may-know")),
    );
    expect(holding.length).toBeGreaterThan(10);
    expect(holding.filter(({ secret }) => !secret)).toEqual([]);
  });

  it("gives gateway endpoints all route tables and interface endpoints a subnet per zone with the strategy Auto", async () => {
    const stack = await deployVpc({
      ...{ natGateways: { strategy: "None" }, numberOfAvailabilityZones: 2 },
      ...{ subnetStrategy: "Auto", subnetSpecs: [{ type: "Isolated" }], vpcEndpointStrategy: "Auto" },
      vpcEndpointSpecs: [
        { serviceName: "com.amazonaws.eu-west-1.s3" },
        { serviceName: "com.amazonaws.eu-west-1.sqs", vpcEndpointType: "Interface" },
      ],
    });
    const [s3, sqs] = all(stack, "VpcEndpoint");
    expect(s3).toMatchObject({
      routeTableIds: all(stack, "RouteTable").map(({ id }) => id),
      prefixListId: expect.stringMatching(/^pl-/),
    });
    expect(sqs).toMatchObject({
      subnetIds: outputsOf(stack).isolatedSubnetIds,
      privateDnsEnabled: true,
      securityGroupIds: [all(stack, "SecurityGroup").find(({ name }) => name === "net-endpoints")?.id],
      dnsEntries: [{ dnsName: expect.stringMatching(/^vpce-\w+\.sqs\.eu-west-1\.vpce\.amazonaws\.com$/) }],
    });
    expect(all(stack, "Vpc").at(-1)).toMatchObject({ enableDnsHostnames: true });
    expect(outputsOf(stack).endpointIds).toEqual([s3?.id, sqs?.id]);
  });

  it("refuses arguments that make no network, with the field and what helps", async () => {
    const specs = (...subnetSpecs: object[]) => ({
      subnetSpecs,
      subnetStrategy: "Auto",
      natGateways: { strategy: "None" },
    });
    const refused: [object, string][] = [
      [
        { cidrBlock: "10.0.0.0/8" },
        'cidrBlock must be an IPv4 block of /16 to /28 that begins at its first address, not "10.0.0.0/8"',
      ],
      [{ cidrBlock: "10.0.0.1/16" }, "cidrBlock must be an IPv4 block"],
      [{ cidrBlock: "10.0.0.0/26" }, "cidrBlock leaves a /28 for each zone, and automatic subnets need a /26"],
      [{ numberOfAvailabilityZones: 4 }, "numberOfAvailabilityZones must be a whole number from 1 to 3, not 4"],
      [{ availabilityZoneNames: ["eu-west-1z"] }, 'availabilityZoneNames: there is no zone "eu-west-1z"'],
      [
        { availabilityZoneNames: ["eu-west-1a"], numberOfAvailabilityZones: 1 },
        "only one of availabilityZoneNames and",
      ],
      [
        { natGateways: { strategy: "Two" } },
        'natGateways.strategy must be one of "None", "Single", "OnePerAz", not "Two"',
      ],
      [
        { natGateways: { strategy: "Single", elasticIpAllocationIds: ["a", "b"] } },
        "elasticIpAllocationIds must be 1 for",
      ],
      [{ subnetSpecs: [{ type: "Isolated" }] }, 'natGateways.strategy "OnePerAz" needs private subnets'],
      [specs({ type: "Secret" }), 'subnetSpecs[0].type must be one of "Public", "Private", "Isolated", "Unused"'],
      [specs({ type: "Public", cidrMask: 30 }), "subnetSpecs[0].cidrMask must be a whole number from 16 to 28, not 30"],
      [specs({ type: "Public", size: 300 }), "subnetSpecs[0].size must be a power of 2, not 300"],
      [specs({ type: "Public", size: 256, cidrMask: 25 }), "subnetSpecs[0].size 256 is a /24, and cidrMask says /25"],
      [specs({ type: "Public", cidrMask: 17 }), "subnetSpecs need 32768 addresses in each zone"],
      [specs({ type: "Public", cidrBlocks: ["10.0.0.0/24"] }), "subnetSpecs[0].cidrBlocks must be 3 blocks"],
      [
        specs({ type: "Public", cidrBlocks: ["10.0.0.0/24", "10.0.0.0/25", "10.0.2.0/24"] }),
        "subnetSpecs overlap: net-public-1 (10.0.0.0/24) and net-public-2 (10.0.0.0/25)",
      ],
      [
        { ...specs({ type: "Public", cidrMask: 20 }), subnetStrategy: "Exact" },
        "leave a gap in cidrBlock 10.0.0.0/16 from 10.0.16.0",
      ],
      [{ vpcEndpointSpecs: [{}] }, "vpcEndpointSpecs[0].serviceName must be the name of an endpoint service"],
    ];
    for (const [args, message] of refused) expect(await refusal(args)).toContain(message);
    await expect(deployVpc({ cidrBlock: "10.0.0.0/8" })).rejects.toThrow(
      'awsx:ec2:Vpc "net" could not be created: cidrBlock must be an IPv4 block of /16 to /28',
    );
  });
});
