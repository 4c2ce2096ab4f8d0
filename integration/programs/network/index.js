const pulumi = require("@pulumi/pulumi");
const aws = require("@pulumi/aws");

const config = new pulumi.Config();

class Network extends pulumi.ComponentResource {
  constructor(name, args, options) {
    super("example:network:Network", name, {}, options);
    this.vpc = new aws.ec2.Vpc(`${name}-vpc`, { cidrBlock: args.cidr }, { parent: this });
    this.subnet = new aws.ec2.Subnet(
      `${name}-subnet`,
      { vpcId: this.vpc.id, cidrBlock: "10.0.1.0/24", availabilityZone: aws.getAvailabilityZonesOutput().names[0] },
      { parent: this },
    );
    this.registerOutputs({ vpcId: this.vpc.id });
  }
}

const network = new Network("office", { cidr: config.require("cidr") });

exports.vpcId = network.vpc.id;
exports.vpcArn = network.vpc.arn;
exports.subnet = network.subnet.availabilityZone;
exports.token = config.requireSecret("token");
