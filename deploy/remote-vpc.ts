import { availabilityZones } from "./invokes-network";
import type { LocalConstruct } from "./remote";
import { endpointsOf, natOf, plan, subnetName, zoneSuffixes, zonesOf } from "./remote-vpc-args";
import { type PlainObject, resourceReference, toWire, type Wire, type WireObject } from "./values";

/** The arguments that go to the VPC itself. */
const vpcProperties = [
  "assignGeneratedIpv6CidrBlock",
  "cidrBlock",
  "enableDnsHostnames",
  "enableDnsSupport",
  "enableNetworkAddressUsageMetrics",
  "instanceTenancy",
  "ipv4IpamPoolId",
  "ipv4NetmaskLength",
  "ipv6CidrBlock",
  "ipv6CidrBlockNetworkBorderGroup",
  "ipv6IpamPoolId",
  "ipv6NetmaskLength",
  "region",
];

const typeOf = (kind: string) => `aws:ec2/${kind[0]!.toLowerCase()}${kind.slice(1)}:${kind}`;

/** A child, and what others use of it. */
interface Child {
  urn: string;
  id: string;
  reference: Wire;
  outputs: WireObject;
}

/**
 * The VPC of Pulumi's awsx package, which its provider builds: the same resources with the same names, parents and
 * arguments.
 * @see https://www.pulumi.com/registry/packages/awsx/api-docs/ec2/vpc/
 */
export const vpcConstruct: LocalConstruct = async (name, inputs, register, context) => {
  const zones = zonesOf(inputs, availabilityZones(context.region));
  const planned = plan(name, inputs, zones);
  const nat = natOf(inputs, planned, zones.length);
  const endpoints = endpointsOf(inputs);
  const suffixes = zoneSuffixes(inputs, zones);
  const own = (inputs.tags ?? {}) as PlainObject;
  const shared = { Name: name, ...own };

  const add = async (kind: string, childName: string, args: PlainObject, parent?: Child, needs: Child[] = []) => {
    const type = typeOf(kind);
    const options = {
      parent: parent?.urn,
      dependencies: [...(parent ? [parent] : []), ...needs].map(({ urn }) => urn),
    };
    const { urn, id = "", outputs } = await register(type, childName, toWire(withRegion(args)) as WireObject, options);
    return { urn, id, outputs, reference: resourceReference(urn, id) };
  };
  const withRegion = (args: PlainObject) => (inputs.region === undefined ? args : { ...args, region: inputs.region });

  const interfaceEndpoints = endpoints.specs.some(({ vpcEndpointType }) => vpcEndpointType === "Interface");
  // Private names of interface endpoints need both; the strategy "Auto" turns them on where the program is silent.
  const dns = endpoints.auto && interfaceEndpoints && { enableDnsHostnames: true, enableDnsSupport: true };
  const vpcArgs = Object.fromEntries(vpcProperties.map((property) => [property, inputs[property]]));
  const given = Object.fromEntries(Object.entries(vpcArgs).filter(([, value]) => value !== undefined));
  const cidrBlock = inputs.cidrBlock ?? "10.0.0.0/16";
  const vpc = await add("Vpc", name, { ...dns, ...given, cidrBlock, tags: shared });
  const vpcId = vpc.id;
  const internetGateway = await add("InternetGateway", name, { vpcId, tags: shared }, vpc);

  const made = {
    subnets: [] as Child[],
    routeTables: [] as Child[],
    routeTableAssociations: [] as Child[],
    routes: [] as Child[],
    natGateways: [] as Child[],
    eips: [] as Child[],
  };
  const byType: Record<string, Child[]> = { Public: [], Private: [], Isolated: [] };

  // In each zone the public subnets come first: they hold the gateways that the private ones are routed to.
  const order = ["Public", "Private", "Isolated"];
  const real = planned.filter(({ spec }) => spec.type !== "Unused");
  const sorted = real.sort((a, b) => a.zone - b.zone || order.indexOf(a.spec.type) - order.indexOf(b.spec.type));
  for (const subnetPlan of sorted) {
    const { spec, zone, block } = subnetPlan;
    const label = subnetName(name, subnetPlan);
    const Name = `${label.slice(0, -String(zone + 1).length)}${suffixes[zone]}`;
    const tags = { Name, SubnetType: spec.type };
    const subnet = await add(
      "Subnet",
      label,
      {
        ...{ vpcId, availabilityZone: zones[zone], mapPublicIpOnLaunch: spec.type === "Public", cidrBlock: `${block}` },
        ...(spec.assignIpv6AddressOnCreation !== undefined && {
          assignIpv6AddressOnCreation: spec.assignIpv6AddressOnCreation,
        }),
        tags: { ...shared, ...spec.tags, ...tags },
      },
      vpc,
    );
    made.subnets.push(subnet);
    byType[spec.type]!.push(subnet);
    const table = await add("RouteTable", label, { vpcId, tags: { ...shared, ...tags } }, subnet);
    made.routeTables.push(table);
    const association = { routeTableId: table.id, subnetId: subnet.id };
    made.routeTableAssociations.push(await add("RouteTableAssociation", label, association, table));

    const { gateways, allocationIds } = nat;
    if (spec.type === "Public" && made.natGateways.length < Math.min(gateways, zone + 1)) {
      const title = `${name}-${zone + 1}`;
      const labelled = { ...own, Name: title };
      let allocationId = allocationIds[zone];
      if (allocationId === undefined) {
        const eip = await add("Eip", title, { tags: labelled }, subnet);
        made.eips.push(eip);
        allocationId = String(eip.outputs.allocationId);
      }
      const args = { subnetId: subnet.id, allocationId, tags: labelled };
      made.natGateways.push(await add("NatGateway", title, args, subnet));
    }
    const to = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0" };
    if (spec.type === "Public") {
      const route = await add("Route", label, { ...to, gatewayId: internetGateway.id }, table, [internetGateway]);
      made.routes.push(route);
    } else if (spec.type === "Private" && gateways > 0) {
      const gateway = (gateways === 1 ? made.natGateways[0] : made.natGateways[zone])!;
      made.routes.push(await add("Route", label, { ...to, natGatewayId: gateway.id }, table, [gateway]));
    }
  }

  const vpcEndpoints: Child[] = [];
  let doors: Child | undefined;
  const door = async () => {
    if (doors) return doors;
    const description = "Interface endpoints of the VPC";
    doors = await add("SecurityGroup", `${name}-endpoints`, { vpcId, description, tags: shared }, vpc);
    const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: cidrBlock };
    const rule = withRegion({ securityGroupId: doors.id, ...https });
    const type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
    await register(type, `${name}-endpoints`, toWire(rule) as WireObject, {
      parent: doors.urn,
      dependencies: [doors.urn],
    });
    return doors;
  };
  /** What the strategy "Auto" fills in where a spec says nothing (pulumi-awsx pull request 2028). */
  const inferred = async (spec: PlainObject): Promise<PlainObject> => {
    if (!endpoints.auto) return {};
    const type = spec.vpcEndpointType ?? "Gateway";
    if (type === "Gateway") return { routeTableIds: made.routeTables.map(({ id }) => id) };
    if (type !== "Interface") return {};
    const inside = ["Isolated", "Private", "Public"].map((kind) => byType[kind]!).find((subnets) => subnets.length > 0);
    return {
      privateDnsEnabled: true,
      ...(spec.subnetConfigurations === undefined && { subnetIds: perZone(inside ?? []).map(({ id }) => id) }),
      ...(spec.securityGroupIds === undefined && { securityGroupIds: [(await door()).id] }),
    };
  };
  for (const spec of endpoints.specs) {
    const serviceName = String(spec.serviceName);
    const args = { ...(await inferred(spec)), ...spec, vpcId };
    vpcEndpoints.push(await add("VpcEndpoint", serviceName, args, vpc));
  }

  const references = (children: Child[]) => children.map(({ reference }) => reference);
  const ids = (children: Child[] = []) => children.map(({ id }) => id);
  const firstZone = planned.filter(({ zone }) => zone === 0).sort((a, b) => a.block.first - b.block.first);
  return {
    vpc: vpc.reference,
    vpcId,
    internetGateway: internetGateway.reference,
    ...Object.fromEntries(Object.entries(made).map(([output, children]) => [output, references(children)])),
    vpcEndpoints: references(vpcEndpoints),
    publicSubnets: references(byType.Public!),
    privateSubnets: references(byType.Private!),
    isolatedSubnets: references(byType.Isolated!),
    publicSubnetIds: ids(byType.Public),
    privateSubnetIds: ids(byType.Private),
    isolatedSubnetIds: ids(byType.Isolated),
    subnetLayout: firstZone.map(({ spec, block }) =>
      toWire({ type: spec.type, name: spec.name, cidrMask: block.mask, size: block.size, cidrBlocks: spec.cidrBlocks }),
    ),
  };
};

/** An interface endpoint may have one subnet in each zone. */
function perZone(subnets: Child[]): Child[] {
  const zones = new Map(subnets.map((subnet) => [String(subnet.outputs.availabilityZone), subnet] as const).reverse());
  return [...zones.values()].reverse();
}
