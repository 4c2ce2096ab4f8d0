import { InvalidInput } from "./errors";
import type { ProviderContext } from "./providers/types";
import type { PlainObject } from "./values";

/** Zones as the regions have at least: a, b and c. */
export const availabilityZones = (region: string) => ["a", "b", "c"].map((letter) => `${region}${letter}`);

// Every account has a default VPC with a subnet in each zone (VPC user guide: Default VPCs). Networks are recorded, not
// emulated, so this one is there for programs to refer to.
const vpcId = "vpc-00000000000000001";
const subnets = (region: string) =>
  availabilityZones(region).map((availabilityZone, i) => ({
    id: `subnet-0000000000000000${i + 1}`,
    availabilityZone,
    cidrBlock: `172.31.${16 * i}.0/20`,
  }));
const securityGroupId = "sg-00000000000000001";

type NetworkSource = (args: PlainObject, context: ProviderContext) => Promise<object> | object;

/** Refuses to look up what only the program's own resources could tell. */
function only(what: string, given: unknown, known: readonly string[]): void {
  if (given === undefined || known.includes(String(given))) return;
  throw new InvalidInput(
    `there is no ${what} "${given}": networks are recorded, not emulated, and only the account's default VPC can be looked up (${known.join(", ")}); use the outputs of the resource itself`,
  );
}

/** The data sources of networks, which know the default VPC. */
export const networkSources: Record<string, NetworkSource> = {
  "aws:ec2/getVpc": async (args, { region, account }) => {
    only("VPC", args.id, [vpcId]);
    const owner = await account();
    return {
      ...{ id: vpcId, default: true, state: "available", cidrBlock: "172.31.0.0/16", ownerId: owner },
      arn: `arn:aws:ec2:${region}:${owner}:vpc/${vpcId}`,
      ...{ enableDnsSupport: true, enableDnsHostnames: true, instanceTenancy: "default" },
      ...{ mainRouteTableId: "rtb-00000000000000001", dhcpOptionsId: "dopt-00000000000000001", tags: {} },
    };
  },
  "aws:ec2/getVpcs": () => ({ id: "vpcs", ids: [vpcId] }),
  "aws:ec2/getSubnets": (_args, { region }) => ({ id: region, ids: subnets(region).map(({ id }) => id) }),
  "aws:ec2/getSubnet": async (args, { region, account }) => {
    const all = subnets(region);
    only(
      "subnet",
      args.id,
      all.map(({ id }) => id),
    );
    only("VPC", args.vpcId, [vpcId]);
    const zone = args.availabilityZone;
    const found = all.find(({ id, availabilityZone }) =>
      args.id ? id === args.id : !zone || availabilityZone === zone,
    );
    if (!found) throw new InvalidInput(`there is no subnet in the zone "${zone}"; use ${availabilityZones(region)[0]}`);
    const owner = await account();
    const arn = `arn:aws:ec2:${region}:${owner}:subnet/${found.id}`;
    return { ...found, vpcId, arn, ownerId: owner, state: "available", defaultForAz: true, mapPublicIpOnLaunch: true };
  },
  "aws:ec2/getSecurityGroup": async (args, { region, account }) => {
    only("security group", args.id, [securityGroupId]);
    only("security group", args.name, ["default"]);
    only("VPC", args.vpcId, [vpcId]);
    const arn = `arn:aws:ec2:${region}:${await account()}:security-group/${securityGroupId}`;
    return { id: securityGroupId, name: "default", description: "default VPC security group", vpcId, arn };
  },
};
