import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";

// Makes one VPC of Pulumi's awsx package with the arguments that the config gives, and passes on what programs read of it.
const config = new pulumi.Config();
const vpc = new awsx.ec2.Vpc("net", config.requireObject<awsx.ec2.VpcArgs>("args"));
new aws.ec2.SecurityGroup("members", { vpcId: vpc.vpcId });

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
