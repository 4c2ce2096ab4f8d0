import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { accountOf, makeAccessKeyId } from "../emulator/core/access-key";
import { settings, useEmulator } from "./harness/emulator";
import { allowed, refusal, trustOf } from "./harness/policies";

const emulator = useEmulator();
let iam: IAMClient;
let sts: STSClient;
beforeAll(() => {
  iam = new IAMClient(settings(emulator.current));
  sts = new STSClient(settings(emulator.current));
});

interface Keys {
  AccessKeyId?: string;
  SecretAccessKey?: string;
  SessionToken?: string;
}
const stsAs = (keys: Keys | undefined) =>
  new STSClient({
    ...settings(emulator.current),
    credentials: {
      accessKeyId: keys?.AccessKeyId ?? "",
      secretAccessKey: keys?.SecretAccessKey ?? "",
      sessionToken: keys?.SessionToken,
    },
  });
const whoIs = async (client: STSClient) => (await client.send(new GetCallerIdentityCommand({}))).Arn;
const role = async (RoleName: string, trust: string, MaxSessionDuration?: number) =>
  (await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, MaxSessionDuration }))).Role!;
const assume = (RoleArn: string | undefined, rest: Partial<AssumeRoleCommandInput> = {}, client = sts) =>
  client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...rest }));

describe("who calls", () => {
  it("is the account's root user for made-up credentials", async () => {
    const identity = await sts.send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: "000000000000",
      UserId: "000000000000",
      Arn: "arn:aws:iam::000000000000:root",
    });
  });

  it("belongs to the account that 12 digits as access key id name", async () => {
    const other = new STSClient(settings(emulator.current, { accessKeyId: "123456789012" }));
    expect(await whoIs(other)).toBe("arn:aws:iam::123456789012:root");
  });

  it("is in the account that made the access key", async () => {
    const other = new IAMClient(settings(emulator.current, { accessKeyId: "210987654321" }));
    await other.send(new CreateUserCommand({ UserName: "ann", Path: "/team/" }));
    const { AccessKey } = await other.send(new CreateAccessKeyCommand({ UserName: "ann" }));
    expect(await whoIs(stsAs(AccessKey))).toBe("arn:aws:iam::210987654321:user/team/ann");
    const info = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: AccessKey?.AccessKeyId }));
    expect(info.Account).toBe("210987654321");
  });
});

describe("an access key id", () => {
  const account = fc.integer({ min: 0, max: 999_999_999_999 }).map((n) => String(n).padStart(12, "0"));

  it("carries its account, whichever that is", () => {
    fc.assert(
      fc.property(account, fc.constantFrom("AKIA" as const, "ASIA" as const), (id, prefix) => {
        const key = makeAccessKeyId(prefix, id);
        expect(key).toMatch(new RegExp(`^${prefix}[A-Z2-7]{16}$`));
        expect(accountOf(key)).toBe(id);
      }),
    );
  });

  it("of a real AWS account is not taken for one of the emulator's", () => {
    expect(accountOf("AKIAIOSFODNN7EXAMPLE")).toBeUndefined();
    expect(accountOf("ASIAY34FZKBOKMUTVV7A")).toBeUndefined();
    expect(accountOf("test")).toBeUndefined();
  });
});

describe("AssumeRole", () => {
  it("gives credentials that act as the role until they expire", async () => {
    const { Arn, RoleId } = await role("worker", trustOf({ AWS: "000000000000" }));
    const { Credentials, AssumedRoleUser } = await assume(Arn, { DurationSeconds: 900 });
    expect(AssumedRoleUser).toEqual({
      AssumedRoleId: `${RoleId}:session`,
      Arn: "arn:aws:sts::000000000000:assumed-role/worker/session",
    });
    const worker = stsAs(Credentials);
    expect(await worker.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: AssumedRoleUser?.Arn,
      UserId: AssumedRoleUser?.AssumedRoleId,
    });
    const life = Credentials!.Expiration!.getTime() - emulator.current.clock.now();
    expect(life).toBeGreaterThan(890_000);
    expect(life).toBeLessThanOrEqual(900_000);
    await emulator.current.clock.advance("15 minutes");
    expect(await refusal(whoIs(worker))).toEqual([
      "ExpiredToken",
      "The security token included in the request is expired",
      403,
    ]);
  });

  it("into another account acts there", async () => {
    const elsewhere = new IAMClient(settings(emulator.current, { accessKeyId: "333333333333" }));
    const { Role } = await elsewhere.send(
      new CreateRoleCommand({
        RoleName: "guest",
        AssumeRolePolicyDocument: trustOf({ AWS: "arn:aws:iam::000000000000:root" }),
      }),
    );
    const { Credentials } = await assume(Role?.Arn);
    expect(await whoIs(stsAs(Credentials))).toBe("arn:aws:sts::333333333333:assumed-role/guest/session");
    expect(accountOf(Credentials!.AccessKeyId!)).toBe("333333333333");
  });

  it("is denied for a role that is not there or does not trust the caller, with the same words", async () => {
    const denied = (arn: string) => [
      "AccessDenied",
      `User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      403,
    ];
    const missing = "arn:aws:iam::000000000000:role/not-there";
    expect(await refusal(assume(missing))).toEqual(denied(missing));
    const { Arn } = await role("lambda-only", trustOf({ Service: "lambda.amazonaws.com" }));
    expect(await refusal(assume(Arn))).toEqual(denied(Arn!));
  });

  it("lets in the user that the trust policy names, and no other of the account", async () => {
    const [ann, ben] = await Promise.all(
      ["trusted-ann", "other-ben"].map(async (UserName) => {
        await iam.send(new CreateUserCommand({ UserName }));
        return stsAs((await iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey);
      }),
    );
    const { Arn } = await role("anns", trustOf({ AWS: "arn:aws:iam::000000000000:user/trusted-ann" }));
    await expect(assume(Arn, {}, ann)).resolves.toHaveProperty("Credentials");
    expect((await refusal(assume(Arn, {}, ben)))[0]).toBe("AccessDenied");
  });

  it("asks for the external id that the trust policy demands", async () => {
    const condition = { Condition: { StringEquals: { "sts:ExternalId": "4711" } } };
    const { Arn } = await role("partner", trustOf({ AWS: "*" }, condition));
    expect((await refusal(assume(Arn)))[0]).toBe("AccessDenied");
    expect((await refusal(assume(Arn, { ExternalId: "4712" })))[0]).toBe("AccessDenied");
    await expect(assume(Arn, { ExternalId: "4711" })).resolves.toHaveProperty("Credentials");
  });

  it("obeys a Deny of the trust policy over its Allow", async () => {
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" },
        {
          Effect: "Deny",
          Principal: { AWS: "*" },
          Action: "sts:AssumeRole",
          Condition: { StringLike: { "sts:RoleSessionName": "bad-*" } },
        },
      ],
    });
    const { Arn } = await role("selective", trust);
    await expect(assume(Arn, { RoleSessionName: "good-1" })).resolves.toHaveProperty("Credentials");
    expect((await refusal(assume(Arn, { RoleSessionName: "bad-1" })))[0]).toBe("AccessDenied");
  });

  it("needs the right to tag where tags are given", async () => {
    const { Arn } = await role("untagged", trustOf({ AWS: "*" }));
    const { Arn: tagging } = await role(
      "tagging",
      trustOf({ AWS: "*" }, { Action: ["sts:AssumeRole", "sts:TagSession"] }),
    );
    const Tags = [{ Key: "stage", Value: "test" }];
    expect((await refusal(assume(Arn, { Tags })))[0]).toBe("AccessDenied");
    expect((await assume(tagging, { Tags })).PackedPolicySize).toBeGreaterThan(0);
  });

  it("keeps to the role's longest session, and to one hour from role to role", async () => {
    const { Arn } = await role("long", trustOf({ AWS: "000000000000" }), 7200);
    // Its trust policy names the account: who is no administrator needs a policy of its own, too.
    const PolicyDocument = allowed("sts:AssumeRole", Arn!);
    await iam.send(new PutRolePolicyCommand({ RoleName: "long", PolicyName: "again", PolicyDocument }));
    expect(await refusal(assume(Arn, { DurationSeconds: 7201 }))).toEqual([
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      400,
    ]);
    const { Credentials } = await assume(Arn, { DurationSeconds: 7200 });
    const chained = stsAs(Credentials);
    expect((await refusal(assume(Arn, { DurationSeconds: 7200 }, chained)))[1]).toContain("role chaining");
    await expect(assume(Arn, { DurationSeconds: 3600 }, chained)).resolves.toHaveProperty("Credentials");
  });

  it("refuses what AWS's front end refuses, all mistakes at once", async () => {
    const { Arn } = await role("strict", trustOf({ AWS: "*" }));
    const [name, message] = await refusal(assume(Arn, { RoleSessionName: "a b", DurationSeconds: 60 }));
    expect(name).toBe("ValidationError");
    expect(message).toMatch(/^2 validation errors detected: /);
    expect(message).toContain(
      "Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular",
    );
    expect(message).toContain(
      "Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater",
    );
    expect((await refusal(assume(Arn, { Policy: "{" })))[0]).toBe("MalformedPolicyDocumentException");
    await expect(assume(Arn, { Policy: allowed("s3:GetObject") })).resolves.toHaveProperty("PackedPolicySize");
  });

  it("with a web identity is not emulated and says so", async () => {
    const call = sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: "arn:aws:iam::000000000000:role/x",
        RoleSessionName: "s",
        WebIdentityToken: "t",
      }),
    );
    expect((await refusal(call))[2]).toBe(501);
  });
});

it("GetSessionToken gives a user temporary credentials that still are the user's", async () => {
  await iam.send(new CreateUserCommand({ UserName: "temp" }));
  const user = stsAs((await iam.send(new CreateAccessKeyCommand({ UserName: "temp" }))).AccessKey);
  const { Credentials } = await user.send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const session = stsAs(Credentials);
  expect(await whoIs(session)).toBe("arn:aws:iam::000000000000:user/temp");
  expect((await refusal(session.send(new GetSessionTokenCommand({}))))[0]).toBe("AccessDenied");
});
