import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";

// Makes one VPC of Pulumi's awsx package with the arguments that the config gives, and passes on what programs read of it.
const config = new pulumi.Config();
const region = config.get("elsewhere") as aws.Region | undefined;
const providers = region && { aws: new aws.Provider("elsewhere", { region }) };
const args = config.requireObject<awsx.ec2.VpcArgs>("args");
const owner = config.getSecret("owner");
const tags = owner && { owner: owner.apply(String) };
const vpc = new awsx.ec2.Vpc("net", { ...args, ...(tags && { tags }) }, { providers });
new aws.ec2.SecurityGroup("members", { vpcId: vpc.vpcId });

// The account's own network, which programs look up rather than make.
const own = aws.ec2.getVpcOutput({ default: true });
const filters = [{ name: "vpc-id", values: [own.id] }];
export const ownSubnets = aws.ec2.getSubnetsOutput({ filters }).ids;
export const ownZone = aws.ec2.getSubnetOutput({ id: ownSubnets[1] }).availabilityZone;
export const ownGroup = aws.ec2.getSecurityGroupOutput({ vpcId: own.id, name: "default" }).id;

export const { vpcId, publicSubnetIds, privateSubnetIds, isolatedSubnetIds, subnetLayout } = vpc;
export const defaultSecurityGroupId = vpc.vpc.defaultSecurityGroupId;
export const zones = vpc.subnets.apply((subnets) => subnets.map(({ availabilityZone }) => availabilityZone));
export const blocks = vpc.subnets.apply((subnets) => subnets.map(({ cidrBlock }) => cidrBlock));
export const gateway = vpc.internetGateway.arn;
export const endpointIds = vpc.vpcEndpoints.apply((endpoints) => endpoints.map(({ id }) => id));
export const counts = {
  routeTables: vpc.routeTables.length,
  associations: vpc.routeTableAssociations.length,
  routes: vpc.routes.length,
  natGateways: vpc.natGateways.length,
  eips: vpc.eips.length,
};
