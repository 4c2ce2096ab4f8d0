import {
  AddUserToGroupCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeleteUserCommand,
  GetAccessKeyLastUsedCommand,
  GetGroupCommand,
  GetLoginProfileCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListSSHPublicKeysCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { allowed, refusal } from "./harness/policies";

const emulator = useEmulator();
let iam: IAMClient;
beforeAll(() => {
  iam = new IAMClient(settings(emulator.current));
});
const create = (UserName: string) => iam.send(new CreateUserCommand({ UserName }));

describe("an IAM user", () => {
  it("with an access key is who calls, until the key is switched off or deleted", async () => {
    await create("deployer");
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "deployer" }));
    expect(AccessKey?.AccessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(AccessKey?.SecretAccessKey).toHaveLength(40);
    const key = { UserName: "deployer", AccessKeyId: AccessKey!.AccessKeyId! };
    const sts = new STSClient({
      ...settings(emulator.current),
      credentials: { accessKeyId: key.AccessKeyId, secretAccessKey: AccessKey!.SecretAccessKey! },
    });
    const whoAmI = () => sts.send(new GetCallerIdentityCommand({}));
    expect((await whoAmI()).Arn).toBe("arn:aws:iam::000000000000:user/deployer");

    await iam.send(new UpdateAccessKeyCommand({ ...key, Status: "Inactive" }));
    expect((await refusal(whoAmI()))[0]).toBe("InvalidClientTokenId");
    await iam.send(new UpdateAccessKeyCommand({ ...key, Status: "Active" }));
    expect((await whoAmI()).Account).toBe("000000000000");
    await iam.send(new DeleteAccessKeyCommand(key));
    expect((await refusal(whoAmI()))[0]).toBe("InvalidClientTokenId");
  });

  it("has at most two access keys, and a new key was never used", async () => {
    await create("keys");
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
    await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
    expect(await refusal(iam.send(new CreateAccessKeyCommand({ UserName: "keys" })))).toEqual([
      "LimitExceededException",
      "Cannot exceed quota for AccessKeysPerUser: 2",
      409,
    ]);
    const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: "keys" }));
    expect(AccessKeyMetadata).toHaveLength(2);
    const used = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: AccessKey?.AccessKeyId }));
    expect(used).toMatchObject({ UserName: "keys", AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" } });
  });

  it("cannot be deleted while it has keys, policies or groups", async () => {
    const UserName = "leaving";
    await create(UserName);
    await iam.send(new CreateGroupCommand({ GroupName: "team" }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "team", UserName }));
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: allowed("s3:*") }));
    expect((await refusal(iam.send(new DeleteUserCommand({ UserName }))))[1]).toBe(
      "Cannot delete entity, must delete policies first.",
    );
    expect((await refusal(iam.send(new DeleteGroupCommand({ GroupName: "team" }))))[0]).toBe("DeleteConflictException");
    const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName }));
    expect(Groups?.map(({ GroupName }) => GroupName)).toEqual(["team"]);
    await iam.send(new RemoveUserFromGroupCommand({ GroupName: "team", UserName }));
    await iam.send(new DeleteGroupCommand({ GroupName: "team" }));
  });

  it("keeps keys and groups when it is renamed", async () => {
    await create("before");
    await iam.send(new CreateGroupCommand({ GroupName: "renamed" }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "renamed", UserName: "before" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "before" }));
    await iam.send(new UpdateUserCommand({ UserName: "before", NewUserName: "after", NewPath: "/x/" }));
    const { User } = await iam.send(new GetUserCommand({ UserName: "after" }));
    const { Users } = await iam.send(new GetGroupCommand({ GroupName: "renamed" }));
    const used = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: AccessKey?.AccessKeyId }));
    expect(User?.Arn).toBe("arn:aws:iam::000000000000:user/x/after");
    expect(Users?.map(({ UserName }) => UserName)).toEqual(["after"]);
    expect(used.UserName).toBe("after");
    expect((await refusal(iam.send(new GetUserCommand({ UserName: "before" }))))[0]).toBe("NoSuchEntityException");
  });

  it("has no devices and no sign-in where none were made, as tools ask before they delete it", async () => {
    await create("plain");
    expect((await iam.send(new ListMFADevicesCommand({ UserName: "plain" }))).MFADevices).toEqual([]);
    expect((await iam.send(new ListSSHPublicKeysCommand({ UserName: "plain" }))).SSHPublicKeys).toEqual([]);
    expect(await refusal(iam.send(new GetLoginProfileCommand({ UserName: "plain" })))).toEqual([
      "NoSuchEntityException",
      "Login Profile for User plain cannot be found.",
      404,
    ]);
  });
});
