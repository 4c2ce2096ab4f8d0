import { resolve } from "node:path";
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Network } from "../components";
import { Checks } from "../components/checks";
import { checkVpc } from "../components/network";
import { type Deployment, deploy } from "../deploy";
import { type ClientSettings, settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
const program = resolve(__dirname, "../dist/integration/programs/network-functions.js");

let stack: Deployment;
let aws: ClientSettings;
beforeAll(async () => {
  stack = await deploy({ program, stack: "inside", endpoint: emulator.current.endpoint });
  aws = settings(emulator.current);
}, 60_000);
afterAll(() => stack?.destroy());

const output = <T = string>(name: string) => stack.outputs[name]?.value as T;

/** Outputs of the resources of a kind. */
const all = (kind: string, { resources }: Deployment = stack) =>
  resources
    .filter(({ type }) => type.endsWith(`:${kind}`))
    .map(({ name, id, outputs }): Record<string, unknown> => {
      return { ...Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value])), name, id };
    });

describe("a function in a Network", () => {
  it("runs as outside of it and says where it is", async () => {
    const FunctionName = output("functionName");
    const lambda = new LambdaClient(aws);
    const { VpcConfig } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(VpcConfig).toMatchObject({
      SubnetIds: output<string[]>("privateSubnetIds"),
      SecurityGroupIds: output<string[]>("securityGroupIds"),
      VpcId: expect.stringMatching(/^vpc-/),
    });
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify({ text: "hello" }) }),
    );
    expect(FunctionError).toBeUndefined();
    expect(JSON.parse(Buffer.from(Payload!).toString())).toEqual({ sent: "hello" });
    const { Messages } = await new SQSClient(aws).send(new ReceiveMessageCommand({ QueueUrl: output("queueUrl") }));
    expect(Messages?.[0]?.Body).toBe("hello");
  });

  it("lets Lambda attach it, and its own code do nothing with network interfaces", async () => {
    const iam = new IAMClient(aws);
    const RoleName = output("roleName");
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    const { PolicyDocument = "" } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: PolicyNames[0] }));
    const { Statement } = JSON.parse(decodeURIComponent(PolicyDocument)) as { Statement: { Action: string[] }[] };
    const network = Statement.filter(({ Action }) => Action.some((action) => action.startsWith("ec2:")));
    expect(network).toEqual([
      {
        Effect: "Allow",
        Action: [
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ],
        Resource: ["*"],
        Condition: { Null: { "lambda:SourceFunctionArn": "true" } },
      },
    ]);
  });
});

describe("a Network", { timeout: 60_000 }, () => {
  it("has two subnets in two zones that reach S3 and SQS, both of them, and nothing else", () => {
    const subnets = all("Subnet");
    expect(subnets.map(({ availabilityZone }) => availabilityZone)).toEqual(["eu-west-1a", "eu-west-1b"]);
    expect(subnets.map(({ id }) => id)).toEqual(output<string[]>("privateSubnetIds"));
    expect(all("NatGateway")).toEqual([]);
    expect(all("Route")).toEqual([]);

    const [s3, sqs] = all("VpcEndpoint");
    const associated = all("RouteTableAssociation");
    expect(associated.map(({ subnetId }) => subnetId)).toEqual(subnets.map(({ id }) => id));
    expect(s3).toMatchObject({
      serviceName: "com.amazonaws.eu-west-1.s3",
      routeTableIds: associated.map(({ routeTableId }) => routeTableId),
    });
    const group = all("SecurityGroup").find(({ name }) => name === "inside-endpoints");
    expect(sqs).toMatchObject({
      ...{ serviceName: "com.amazonaws.eu-west-1.sqs", vpcEndpointType: "Interface", privateDnsEnabled: true },
      subnetIds: subnets.map(({ id }) => id),
      securityGroupIds: [group?.id],
    });
    expect(all("Vpc").at(-1)).toMatchObject({ enableDnsHostnames: true, enableDnsSupport: true });
  });

  it("admits to its endpoints only the functions, which may call S3 and the endpoints only", () => {
    const [functions] = output<string[]>("securityGroupIds");
    const endpoints = all("SecurityGroup").find(({ name }) => name === "inside-endpoints")?.id;
    const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443 };
    expect(all("SecurityGroupIngressRule")).toMatchObject([
      { ...https, securityGroupId: endpoints, referencedSecurityGroupId: functions },
    ]);
    const out = all("SecurityGroupEgressRule").filter(({ securityGroupId }) => securityGroupId === functions);
    const prefixListId = all("VpcEndpoint")[0]?.prefixListId;
    expect(out).toHaveLength(2);
    expect(out).toContainEqual(expect.objectContaining({ ...https, securityGroupId: functions, prefixListId }));
    expect(out).toContainEqual(
      expect.objectContaining({ ...https, securityGroupId: functions, referencedSecurityGroupId: endpoints }),
    );
  });

  it("that is there already is joined with a group of the component's own, which calls out and admits nobody", () => {
    const joined = output<{ privateSubnetIds: string[]; securityGroupIds: string[] }>("joined");
    const group = all("SecurityGroup").find(({ name }) => name === "joined-functions");
    expect(group).toMatchObject({ vpcId: output("vpcId"), ingress: [], egress: [] });
    expect(joined).toEqual({ privateSubnetIds: output("privateSubnetIds"), securityGroupIds: [group?.id] });
    const rules = all("SecurityGroupEgressRule").filter(({ securityGroupId }) => securityGroupId === group?.id);
    expect(rules).toMatchObject([{ ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "0.0.0.0/0" }]);
  });

  it("gets a way to the internet and other endpoints when told to, and goes as it came", async () => {
    const network = { natGateway: true, endpoints: ["dynamodb"] };
    const open = await deploy({
      ...{ program, stack: "open", endpoint: emulator.current.endpoint },
      config: { network },
    });
    const [gateway] = all("NatGateway", open);
    const inside = open.outputs.privateSubnetIds?.value;
    expect(all("Subnet", open).filter(({ name }) => /private/.test(String(name)))).toMatchObject(
      (inside as string[]).map((id) => ({ id })),
    );
    const ways = all("Route", open).map(({ natGatewayId, gatewayId }) => natGatewayId ?? gatewayId);
    expect(ways.filter((way) => way === gateway?.id)).toHaveLength(2);
    expect(all("VpcEndpoint", open).map(({ serviceName }) => serviceName)).toEqual([
      "com.amazonaws.eu-west-1.dynamodb",
    ]);
    expect(all("SecurityGroupEgressRule", open)).toContainEqual(expect.objectContaining({ cidrIpv4: "0.0.0.0/0" }));
    expect(await open.destroy()).toMatchObject({ deleted: open.resources.length - 1 });
  });

  it("names the mistakes in its arguments, all at once", () => {
    const build = () => new Network("net", { cidrBlock: "10.0.0.0/8", endpoints: ["ec2"], zones: 3 } as never);
    expect(build).toThrow('Network "net": zones must not be given: there is no such option; use');
    expect(build).toThrow('cidrBlock must be an IPv4 block of /16 to /25, not "10.0.0.0/8"; use "10.0.0.0/16"');
    expect(build).toThrow(
      "endpoints[0] must be one of s3, dynamodb, sqs, sns, kinesis-streams, lambda, secretsmanager",
    );

    const told = (vpc: unknown) => {
      const checks = new Checks("Postbox", "box");
      checkVpc(checks, vpc as never);
      checks.done();
    };
    for (const vpc of [undefined, true, false, {}, { natGateway: true }]) expect(() => told(vpc)).not.toThrow();
    expect(() => told({ vpcId: "vpc-1", privateSubnetIds: ["subnet-1"] })).not.toThrow();
    expect(() => told("vpc-1")).toThrow("vpc must be true, or settings of a new VPC, or an existing one; use true");
    expect(() => told({ vpcId: "net", privateSubnetIds: [], securityGroupIds: [] })).toThrow(
      'vpc.vpcId must be the VPC\'s id, not "net"; use vpc.vpcId. Also: vpc.privateSubnetIds must be 1 to 16 ids; use vpc.privateSubnetIds. Also: vpc.securityGroupIds must be 1 to 5 ids',
    );
    expect(() => told({ privateSubnetIds: ["subnet-1"] })).toThrow("vpc.vpcId must be the VPC's id");
  });
});

describe("the VPC of a function", { timeout: 60_000 }, () => {
  it("is subnets and security groups together, or refused", async () => {
    const lambda = new LambdaClient(aws);
    const FunctionName = output("functionName");
    const VpcConfig = { SubnetIds: ["subnet-1"] };
    await expect(
      lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, VpcConfig })),
    ).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "SubnetIds and SecurityIds must coexist or be both empty list.",
    });
    const { VpcConfig: still } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(still?.SubnetIds).toEqual(output("privateSubnetIds"));
  });

  it("is left when the program does not give it any more", async () => {
    stack = await stack.update({ config: { outside: true } });
    const FunctionName = output("functionName");
    const { VpcConfig } = await new LambdaClient(aws).send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(VpcConfig).toMatchObject({ SubnetIds: [], SecurityGroupIds: [], VpcId: "" });
  });
});
