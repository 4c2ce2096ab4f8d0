import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { Checks, isLater } from "./checks";
import type { PolicyStatement } from "./policy";

/** Where functions run inside of a VPC. A {@link Network} is one. */
export interface FunctionNetwork {
  /** Subnets in which Lambda puts its network interfaces; two zones or more to outlive the loss of one. */
  privateSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Security groups of the functions. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
}

/** A VPC that is there already. */
export interface ExistingVpcArgs {
  vpcId: pulumi.Input<string>;
  /** Its private subnets, one or more; they need a way to what the functions call: endpoints, or a NAT gateway. */
  privateSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Security groups of the functions. @default a new one that may call out on port 443 and admits nobody */
  securityGroupIds?: pulumi.Input<pulumi.Input<string>[]>;
}

/** AWS services that a {@link Network} can make reachable without a NAT gateway. */
export type EndpointService = "s3" | "dynamodb" | "sqs" | "sns" | "kinesis-streams" | "lambda" | "secretsmanager";

/** A new VPC. */
export interface NetworkArgs {
  /**
   * One NAT gateway, so that functions reach the internet as well; about $33 a month and $0.045 per GB.
   * @default false: the subnets have no way out but the endpoints
   */
  natGateway?: boolean;
  /** Addresses of the VPC; choose others to peer it with a network that uses these. @default "10.0.0.0/16" */
  cidrBlock?: string;
  /**
   * What functions call. S3 and DynamoDB get gateway endpoints, which cost nothing; each other one gets an interface
   * endpoint in both zones, about $15 a month. A function's logs and traces go by Lambda itself and need none.
   * @default ["s3", "sqs"]
   */
  endpoints?: EndpointService[];
}

/** The option `vpc` of a component: a VPC of its own (`true`, or its settings), or one that is there already. */
export type VpcOption = boolean | NetworkArgs | ExistingVpcArgs;

const GATEWAYS: readonly EndpointService[] = ["s3", "dynamodb"];
const SERVICES: readonly EndpointService[] = [...GATEWAYS, "sqs", "sns", "kinesis-streams", "lambda", "secretsmanager"];

/** Notes the mistakes in an option `vpc`. */
export function checkVpc(checks: Checks, value: VpcOption | undefined, option = "vpc"): void {
  if (value === undefined || typeof value === "boolean") return;
  if (typeof value !== "object" || value === null) {
    checks.add(option, "be true, or settings of a new VPC, or an existing one", "true");
  } else if ("vpcId" in value || "privateSubnetIds" in value) {
    checkExisting(checks, value as ExistingVpcArgs, option);
  } else checkNew(checks, value as NetworkArgs, `${option}.`);
}

function checkExisting(checks: Checks, args: ExistingVpcArgs, option: string): void {
  const { vpcId, privateSubnetIds, securityGroupIds } = args;
  if (vpcId === undefined) checks.add(`${option}.vpcId`, "be the VPC's id", "vpc.vpcId");
  checks.text(`${option}.vpcId`, vpcId, /^vpc-/, "be the VPC's id", "vpc.vpcId");
  // Lambda takes 16 subnets and 5 security groups (API reference: VpcConfig).
  checkIds(checks, `${option}.privateSubnetIds`, privateSubnetIds, 16, "vpc.privateSubnetIds");
  if (securityGroupIds !== undefined) {
    checkIds(checks, `${option}.securityGroupIds`, securityGroupIds, 5, "[group.id]");
  }
}

function checkIds(checks: Checks, option: string, ids: unknown, max: number, use: string): void {
  if (isLater(ids)) return;
  if (!Array.isArray(ids) || ids.length < 1 || ids.length > max) checks.add(option, `be 1 to ${max} ids`, use);
}

function checkNew(checks: Checks, args: NetworkArgs, prefix: string): void {
  const { natGateway, cidrBlock, endpoints } = args;
  checks.names(prefix.slice(0, -1), args, ["natGateway", "cidrBlock", "endpoints"]);
  if (natGateway !== undefined && typeof natGateway !== "boolean") {
    checks.add(`${prefix}natGateway`, "be true or false", "true");
  }
  // Room for two zones: a VPC has /16 to /28, and a subnet at least /28 (VPC user guide: VPC CIDR blocks).
  const form = /^(\d{1,3}\.){3}\d{1,3}\/(1[6-9]|2[0-5])$/;
  checks.text(`${prefix}cidrBlock`, cidrBlock, form, "be an IPv4 block of /16 to /25", '"10.0.0.0/16"');
  if (endpoints !== undefined && !Array.isArray(endpoints)) {
    checks.add(`${prefix}endpoints`, `be a list of ${SERVICES.join(", ")}`, '["s3", "sqs"]');
    return;
  }
  for (const [i, service] of (endpoints ?? []).entries()) checks.oneOf(`${prefix}endpoints[${i}]`, service, SERVICES);
}

/**
 * A VPC for functions that must not reach the internet: private subnets in two zones with a route table each, and
 * endpoints for what the functions call, which admit the functions' security group and nothing else. Buckets and queues
 * must be in the VPC's region. AWS frees the network interfaces of deleted functions late: destroying one may take 45
 * minutes.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 * @see https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
 * @see https://www.pulumi.com/registry/packages/awsx/api-docs/ec2/vpc/
 */
export class Network extends pulumi.ComponentResource implements FunctionNetwork, ExistingVpcArgs {
  readonly vpcId: pulumi.Output<string>;
  readonly privateSubnetIds: pulumi.Output<string[]>;
  /** The functions' security group. */
  readonly securityGroupIds: pulumi.Output<string[]>;
  readonly nodes: { vpc: awsx.ec2.Vpc; securityGroup: aws.ec2.SecurityGroup; endpoints: aws.ec2.VpcEndpoint[] };

  constructor(name: string, args: NetworkArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    const checks = new Checks("Network", name);
    checkNew(checks, args, "");
    checks.done();
    super("sensorcast:index:Network", name, {}, opts);
    const { natGateway = false, cidrBlock = "10.0.0.0/16", endpoints = ["s3", "sqs"] } = args;
    const child = { parent: this };

    const vpc = new awsx.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock,
        numberOfAvailabilityZones: 2,
        // Private DNS of interface endpoints needs both (PrivateLink guide: DNS settings).
        enableDnsHostnames: true,
        enableDnsSupport: true,
        subnetStrategy: "Auto",
        subnetSpecs: natGateway ? [{ type: "Private" }, { type: "Public" }] : [{ type: "Isolated" }],
        natGateways: { strategy: natGateway ? "Single" : "None" },
      },
      child,
    );
    const subnetIds = natGateway ? vpc.privateSubnetIds : vpc.isolatedSubnetIds;
    const group = new aws.ec2.SecurityGroup(
      `${name}-functions`,
      { vpcId: vpc.vpcId, description: "Functions: they call out on port 443 and are called by nobody" },
      child,
    );
    const made = makeEndpoints(name, [...new Set(endpoints)], { vpc, subnetIds, group }, child);
    if (natGateway) httpsTo(`${name}-internet`, group, { cidrIpv4: "0.0.0.0/0" }, child);

    this.vpcId = vpc.vpcId;
    this.privateSubnetIds = subnetIds;
    this.securityGroupIds = pulumi.output([group.id]);
    this.nodes = { vpc, securityGroup: group, endpoints: made };
    const { vpcId, privateSubnetIds, securityGroupIds } = this;
    this.registerOutputs({ vpcId, privateSubnetIds, securityGroupIds });
  }
}

/** Lets a group's members call out on port 443, to somewhere. */
function httpsTo(
  name: string,
  group: aws.ec2.SecurityGroup,
  to: Pick<aws.vpc.SecurityGroupEgressRuleArgs, "cidrIpv4" | "prefixListId" | "referencedSecurityGroupId">,
  child: pulumi.CustomResourceOptions,
): void {
  new aws.vpc.SecurityGroupEgressRule(
    name,
    { securityGroupId: group.id, ipProtocol: "tcp", fromPort: 443, toPort: 443, ...to },
    child,
  );
}

interface Inside {
  vpc: awsx.ec2.Vpc;
  subnetIds: pulumi.Output<string[]>;
  group: aws.ec2.SecurityGroup;
}

function makeEndpoints(
  name: string,
  services: readonly EndpointService[],
  { vpc, subnetIds, group }: Inside,
  child: pulumi.CustomResourceOptions,
): aws.ec2.VpcEndpoint[] {
  const { vpcId } = vpc;
  const { region } = aws.getRegionOutput({}, child);
  const serviceName = (service: string) => pulumi.interpolate`com.amazonaws.${region}.${service}`;
  const isGateway = (service: EndpointService) => GATEWAYS.includes(service);

  const gateways = services.filter(isGateway).map((service) => {
    // A gateway endpoint serves the subnets whose route tables it is in: all of them.
    const routeTableIds = vpc.routeTables.apply((tables) => tables.map(({ id }) => id));
    const args = { vpcId, serviceName: serviceName(service), vpcEndpointType: "Gateway", routeTableIds };
    const endpoint = new aws.ec2.VpcEndpoint(`${name}-${service}`, args, child);
    httpsTo(`${name}-to-${service}`, group, { prefixListId: endpoint.prefixListId }, child);
    return endpoint;
  });
  const interfaces = services.filter((service) => !isGateway(service));
  if (interfaces.length === 0) return gateways;

  const description = "Endpoints: the functions call them on port 443, and nobody else does";
  const doors = new aws.ec2.SecurityGroup(`${name}-endpoints`, { vpcId, description }, child);
  new aws.vpc.SecurityGroupIngressRule(
    `${name}-from-functions`,
    {
      ...{ securityGroupId: doors.id, ipProtocol: "tcp", fromPort: 443, toPort: 443 },
      referencedSecurityGroupId: group.id,
    },
    child,
  );
  httpsTo(`${name}-to-endpoints`, group, { referencedSecurityGroupId: doors.id }, child);
  const behind = interfaces.map((service) => {
    const args = { vpcId, serviceName: serviceName(service), vpcEndpointType: "Interface", subnetIds };
    const rest = { securityGroupIds: [doors.id], privateDnsEnabled: true };
    return new aws.ec2.VpcEndpoint(`${name}-${service}`, { ...args, ...rest }, child);
  });
  return [...gateways, ...behind];
}

/**
 * What an option `vpc` stands for: a new {@link Network} with endpoints for what the component's functions call, or the
 * existing one with a security group; undefined when the functions shall run outside of a VPC.
 */
export function networkFor(
  name: string,
  option: VpcOption | undefined,
  endpoints: EndpointService[],
  child: pulumi.CustomResourceOptions,
): FunctionNetwork | undefined {
  if (!option) return undefined;
  if (option === true) return new Network(`${name}-network`, { endpoints }, child);
  if (!("vpcId" in option)) return new Network(`${name}-network`, { endpoints, ...option }, child);
  const { vpcId, privateSubnetIds, securityGroupIds } = option;
  if (securityGroupIds) return { privateSubnetIds, securityGroupIds };
  const description = "Functions: they call out on port 443 and are called by nobody";
  const group = new aws.ec2.SecurityGroup(`${name}-functions`, { vpcId, description }, child);
  httpsTo(`${name}-functions-out`, group, { cidrIpv4: "0.0.0.0/0" }, child);
  return { privateSubnetIds, securityGroupIds: [group.id] };
}

/**
 * What Lambda does with a function's role to attach it to a VPC, as in AWSLambdaVPCAccessExecutionRole without its logs.
 * Only Lambda itself may: requests by the function's own code carry `lambda:SourceFunctionArn`. DescribeNetworkInterfaces
 * and DescribeSubnets know no resources, and for DeleteNetworkInterface Lambda asks for all of them.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export const networkInterfaces: PolicyStatement = {
  actions: [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ],
  resources: ["*"],
  conditions: { Null: { "lambda:SourceFunctionArn": "true" } },
};
