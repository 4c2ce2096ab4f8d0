import { createHash } from "node:crypto";

/** The prefix of ids that AWS gives, by type, where one is known. */
export const idPrefixes: Record<string, string> = {
  "aws:ec2/vpc:Vpc": "vpc",
  "aws:ec2/defaultVpc:DefaultVpc": "vpc",
  "aws:ec2/subnet:Subnet": "subnet",
  "aws:ec2/internetGateway:InternetGateway": "igw",
  "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": "eigw",
  "aws:ec2/natGateway:NatGateway": "nat",
  "aws:ec2/eip:Eip": "eipalloc",
  "aws:ec2/eipAssociation:EipAssociation": "eipassoc",
  "aws:ec2/routeTable:RouteTable": "rtb",
  "aws:ec2/routeTableAssociation:RouteTableAssociation": "rtbassoc",
  "aws:ec2/route:Route": "r-rtb",
  "aws:ec2/securityGroup:SecurityGroup": "sg",
  "aws:ec2/securityGroupRule:SecurityGroupRule": "sgrule",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "sgr",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "sgr",
  "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce",
  "aws:ec2/networkAcl:NetworkAcl": "acl",
  "aws:ec2/networkInterface:NetworkInterface": "eni",
  "aws:ec2/flowLog:FlowLog": "fl",
  "aws:ec2/managedPrefixList:ManagedPrefixList": "pl",
};

/** What ARNs call a kind, where it is not its name in small letters with hyphens (Service Authorization Reference: EC2). */
const arnKinds: Record<string, string> = {
  natGateway: "natgateway",
  eip: "elastic-ip",
  flowLog: "vpc-flow-log",
  managedPrefixList: "prefix-list",
  defaultVpc: "vpc",
  securityGroupIngressRule: "security-group-rule",
  securityGroupEgressRule: "security-group-rule",
};

/** `securityGroup` is `security-group` in ARNs. */
export const arnKind = (kind: string) =>
  arnKinds[kind] ?? kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

type Inputs = Record<string, unknown>;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The outputs that programs commonly pass on from a recorded resource of a network. */
export function networkOutputs(name: string, id: string, inputs: Inputs, account: string, region: string): Inputs {
  const other = (prefix: string) => `${prefix}-${id.split("-").at(-1)}`;
  // A documentation address (RFC 5737): nothing answers there.
  const publicIp = () => `192.0.2.${1 + (createHash("sha256").update(id).digest()[0]! % 254)}`;
  switch (name) {
    case "aws:ec2/vpc:Vpc":
    case "aws:ec2/defaultVpc:DefaultVpc":
      return {
        ownerId: account,
        ...(name.endsWith("DefaultVpc") && { cidrBlock: "172.31.0.0/16" }),
        mainRouteTableId: other("rtb"),
        defaultRouteTableId: other("rtb"),
        defaultSecurityGroupId: other("sg"),
        defaultNetworkAclId: other("acl"),
        dhcpOptionsId: other("dopt"),
        enableDnsSupport: inputs.enableDnsSupport ?? true,
        enableDnsHostnames: inputs.enableDnsHostnames ?? false,
        instanceTenancy: inputs.instanceTenancy ?? "default",
      };
    case "aws:ec2/subnet:Subnet":
      return {
        ownerId: account,
        availabilityZone: inputs.availabilityZone ?? `${region}a`,
        mapPublicIpOnLaunch: inputs.mapPublicIpOnLaunch ?? false,
        assignIpv6AddressOnCreation: inputs.assignIpv6AddressOnCreation ?? false,
      };
    case "aws:ec2/internetGateway:InternetGateway":
    case "aws:ec2/networkAcl:NetworkAcl":
      return { ownerId: account };
    case "aws:ec2/routeTable:RouteTable":
      return { ownerId: account, routes: inputs.routes ?? [], propagatingVgws: inputs.propagatingVgws ?? [] };
    case "aws:ec2/route:Route":
      return { origin: "CreateRoute", state: "active" };
    case "aws:ec2/eip:Eip":
      return { allocationId: id, domain: inputs.domain ?? "vpc", publicIp: publicIp() };
    case "aws:ec2/natGateway:NatGateway":
      return {
        connectivityType: inputs.connectivityType ?? "public",
        publicIp: publicIp(),
        privateIp: "10.0.0.4",
        networkInterfaceId: other("eni"),
        associationId: other("eipassoc"),
      };
    case "aws:ec2/securityGroup:SecurityGroup":
      return {
        ownerId: account,
        name: inputs.name ?? id,
        description: inputs.description ?? "Managed by Pulumi",
        ingress: inputs.ingress ?? [],
        egress: inputs.egress ?? [],
      };
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
    case "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":
      return { securityGroupRuleId: id };
    case "aws:ec2/vpcEndpoint:VpcEndpoint":
      return endpointOutputs(id, inputs, account);
    default:
      return {};
  }
}

function endpointOutputs(id: string, inputs: Inputs, account: string): Inputs {
  const type = inputs.vpcEndpointType ?? "Gateway";
  const service = String(inputs.serviceName ?? "");
  const digits = (about: string) => createHash("sha256").update(about).digest("hex").slice(0, 17);
  const common = { state: "available", ownerId: account, requesterManaged: false, vpcEndpointType: type };
  if (type === "Gateway") {
    // One prefix list for each service of a region, whatever endpoint it is asked of.
    return { ...common, prefixListId: `pl-${digits(service).slice(0, 8)}`, routeTableIds: inputs.routeTableIds ?? [] };
  }
  if (type !== "Interface") return common;
  // com.amazonaws.<region>.<service> is reached as <endpoint>.<service>.<region>.vpce.amazonaws.com.
  const [, , region, ...names] = service.split(".");
  return {
    ...common,
    privateDnsEnabled: inputs.privateDnsEnabled ?? false,
    ipAddressType: inputs.ipAddressType ?? "ipv4",
    networkInterfaceIds: list(inputs.subnetIds).map((subnet) => `eni-${digits(`${id} ${subnet}`)}`),
    dnsEntries: [
      { dnsName: `${id}.${names.reverse().join(".")}.${region}.vpce.amazonaws.com`, hostedZoneId: "Z7HUB22UULQXV" },
    ],
  };
}
