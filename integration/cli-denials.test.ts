import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, it, onTestFinished } from "vitest";
import { tellDenials } from "../cli/denials";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

/** A client that signs as a session of a new role without any policy. */
async function clientOf(RoleName: string) {
  const [iam, sts] = [new IAMClient(settings(emulator.current)), new STSClient(settings(emulator.current))];
  const Principal = { AWS: "arn:aws:iam::000000000000:root" };
  const Statement = [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "one" }));
  const key = { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey! };
  const credentials = { ...key, sessionToken: made!.SessionToken! };
  return { iam, sqs: new SQSClient({ ...settings(emulator.current), credentials }) };
}

function listen(): string[] {
  const said: string[] = [];
  onTestFinished(tellDenials(emulator.current, (text) => said.push(text)));
  return said;
}

it("tells of a denied call once, with the statement that would allow it", async () => {
  const { sqs } = await clientOf("curious");
  const said = listen();
  for (let n = 0; n < 3; n++) await expect(sqs.send(new ListQueuesCommand({}))).rejects.toThrow();
  expect(said).toHaveLength(1);
  expect(said[0]).toBe(
    `denied  arn:aws:sts::000000000000:assumed-role/curious/one may not sqs:ListQueues on arn:aws:sqs:eu-west-1:000000000000:*
  This statement in arn:aws:iam::000000000000:role/curious would allow it:
  {"Effect":"Allow","Action":"sqs:ListQueues","Resource":"arn:aws:sqs:eu-west-1:000000000000:*"}`,
  );
});

it("suggests no statement where a Deny stands against it", async () => {
  const { iam, sqs } = await clientOf("forbidden");
  const Statement = [{ Effect: "Deny", Action: "sqs:*", Resource: "*" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName: "forbidden", PolicyName: "no", PolicyDocument }));
  const said = listen();
  await expect(sqs.send(new ListQueuesCommand({}))).rejects.toThrow();
  expect(said[0]).toMatch(/\n {2}A Deny in arn:aws:iam::000000000000:role\/forbidden stands against it$/);
});
