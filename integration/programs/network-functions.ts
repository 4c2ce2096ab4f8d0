import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { InlineFunction, Network, type NetworkArgs } from "../../components";
import { networkFor } from "../../components/network";

// A function inside of a new VPC that writes to a queue.
const config = new pulumi.Config();
const network = new Network("inside", config.getObject<NetworkArgs>("network"));
const queue = new aws.sqs.Queue("out");
const sender = new InlineFunction("sender", {
  title: "the sender",
  vpc: config.getBoolean("outside") ? undefined : network,
  environment: { QUEUE_URL: queue.url },
  statements: [{ actions: ["sqs:SendMessage"], resources: [queue.arn] }],
  factory: () => {
    const sqs = new SQSClient({});
    return async (event: { text: string }) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: event.text }));
      return { sent: event.text };
    };
  },
});

// What a component makes of a VPC that is there already, when it is given no security group.
const { vpcId: existing, privateSubnetIds: subnets } = network;
export const joined = networkFor("joined", { vpcId: existing, privateSubnetIds: subnets }, ["s3"], {});
export const { vpcId, privateSubnetIds, securityGroupIds } = network;
export const functionName = sender.function.name;
export const roleName = sender.role.name;
export const queueUrl = queue.url;
