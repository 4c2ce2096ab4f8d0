import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

it("lets a user do what the user's policies allow, and says what is missing for the rest", async () => {
  const admin = settings(emulator.current);
  const iam = new IAMClient(admin);
  const sqs = new SQSClient(admin);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "jobs" }));
  await iam.send(new CreateUserCommand({ UserName: "ann" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
  const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  const ann = new SQSClient({ ...admin, credentials });
  const send = () => ann.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
  const resource = "arn:aws:sqs:eu-west-1:000000000000:jobs";
  await expect(send()).rejects.toMatchObject({
    message: `User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sqs:sendmessage on resource: ${resource} because no identity-based policy allows the sqs:sendmessage action`,
  });
  const statement = emulator.current.denials.at(-1)!.statement!;
  expect(statement).toEqual({ Effect: "Allow", Action: "sqs:SendMessage", Resource: resource });
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await iam.send(new PutUserPolicyCommand({ UserName: "ann", PolicyName: "send", PolicyDocument }));
  await expect(send()).resolves.toMatchObject({ MessageId: expect.any(String) });
});
