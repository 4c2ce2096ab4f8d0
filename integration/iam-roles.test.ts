import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { allowed, refusal, trustOf } from "./harness/policies";

const emulator = useEmulator();
let iam: IAMClient;
beforeAll(() => {
  iam = new IAMClient(settings(emulator.current));
});

const trust = trustOf({ Service: "lambda.amazonaws.com" });
const create = (RoleName: string, rest: Partial<CreateRoleCommand["input"]> = {}) =>
  iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, ...rest }));

describe("an IAM role", () => {
  it("is found again with everything it was created with, its trust policy percent-encoded", async () => {
    const { Role: created } = await create("ingest", {
      Path: "/sensorcast/",
      Description: "takes messages in",
      MaxSessionDuration: 7200,
      Tags: [{ Key: "stage", Value: "test" }],
      PermissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess",
    });
    const { Role: found } = await iam.send(new GetRoleCommand({ RoleName: "ingest" }));
    expect(created).toMatchObject({ Arn: "arn:aws:iam::000000000000:role/sensorcast/ingest", Path: "/sensorcast/" });
    expect(created?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(found).toMatchObject({
      RoleId: created?.RoleId,
      Description: "takes messages in",
      MaxSessionDuration: 7200,
      Tags: [{ Key: "stage", Value: "test" }],
      PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess" },
    });
    expect(found?.AssumeRolePolicyDocument).toMatch(/^%7B%22Version%22%3A/);
    expect(decodeURIComponent(found?.AssumeRolePolicyDocument ?? "")).toBe(trust);
  });

  it("cannot have the name of another role, not even in other letter case", async () => {
    await create("Twice");
    expect(await refusal(create("twice"))).toEqual([
      "EntityAlreadyExistsException",
      "Role with name twice already exists.",
      409,
    ]);
  });

  it("stays away from names, paths and durations that AWS refuses", async () => {
    expect(await refusal(create("a b"))).toEqual([
      "ValidationError",
      "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
      400,
    ]);
    expect((await refusal(create("x".repeat(65))))[1]).toContain(
      "at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64",
    );
    expect((await refusal(create("path", { Path: "no-slashes" })))[1]).toContain("It must begin and end with /");
    expect((await refusal(create("brief", { MaxSessionDuration: 60 })))[1]).toContain(
      "'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
    );
    expect(await refusal(iam.send(new GetRoleCommand({ RoleName: "brief" })))).toEqual([
      "NoSuchEntityException",
      "The role with name brief cannot be found.",
      404,
    ]);
  });

  it("is refused with IAM's reason when its trust policy is malformed", async () => {
    const statement = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
    const reasons: [unknown, string][] = [
      ["{", "This policy contains invalid Json"],
      [[statement], "This policy contains invalid Json"],
      [{ Statement: [] }, "Could not parse the policy: Statement is empty!"],
      [{ Statement: { ...statement, Resource: "*" } }, "Has prohibited field Resource"],
      [{ Statement: { ...statement, Principal: undefined } }, "Missing required field Principal"],
      [{ Statement: { ...statement, Action: undefined } }, "Missing required field Action"],
      [{ Statement: { ...statement, Action: "s3:*" } }, "AssumeRole policy may only specify STS AssumeRole actions."],
      [{ Statement: { ...statement, Effect: undefined } }, "Missing required field Effect"],
      [{ Version: "2020-01-01", Statement: statement }, "The policy must contain a valid version string"],
      [
        { Statement: { ...statement, Principal: { AWS: "arn:aws:iam::000000000000:role/not-there" } } },
        'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/not-there"',
      ],
      [
        { Statement: { ...statement, Principal: { Service: "lambda" } } },
        'Invalid principal in policy: "SERVICE":"lambda"',
      ],
    ];
    for (const [document, reason] of reasons) {
      const text = typeof document === "string" ? document : JSON.stringify(document);
      expect(await refusal(create("malformed", { AssumeRolePolicyDocument: text })), text).toEqual([
        "MalformedPolicyDocumentException",
        reason,
        400,
      ]);
    }
  });

  it("can change its description, session length and trust policy", async () => {
    await create("changing", { MaxSessionDuration: 7200 });
    const next = trustOf({ Service: "apigateway.amazonaws.com" });
    await iam.send(new UpdateRoleCommand({ RoleName: "changing", Description: "now for API Gateway" }));
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "changing", PolicyDocument: next }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "changing" }));
    expect(Role).toMatchObject({ Description: "now for API Gateway", MaxSessionDuration: 3600 });
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "")).toBe(next);
  });

  it("keeps tags by key, whatever the letter case, and loses only those that are named", async () => {
    await create("tagged", { Tags: [{ Key: "Team", Value: "a" }] });
    await iam.send(
      new TagRoleCommand({
        RoleName: "tagged",
        Tags: [
          { Key: "team", Value: "b" },
          { Key: "cost", Value: "1" },
        ],
      }),
    );
    await iam.send(new UntagRoleCommand({ RoleName: "tagged", TagKeys: ["cost"] }));
    const { Tags } = await iam.send(new ListRoleTagsCommand({ RoleName: "tagged" }));
    expect(Tags).toEqual([{ Key: "Team", Value: "b" }]);
  });

  it("is listed under its path, in pages that together hold each role once", async () => {
    const names = Array.from({ length: 7 }, (_, i) => `paged-${i}`);
    for (const name of names) await create(name, { Path: "/paged/" });
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await iam.send(new ListRolesCommand({ PathPrefix: "/paged/", MaxItems: 3, Marker }));
      expect(page.Roles?.length).toBeLessThanOrEqual(3);
      seen.push(...(page.Roles ?? []).map(({ RoleName }) => RoleName!));
      expect(page.IsTruncated).toBe(page.Marker !== undefined);
      Marker = page.Marker;
    } while (Marker);
    expect(seen).toEqual(names);
  });

  it("cannot be deleted while it has an instance profile, managed or inline policies", async () => {
    const RoleName = "busy";
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await create(RoleName);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: allowed("s3:*") }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "busy" }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "busy", RoleName }));
    const { InstanceProfiles } = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }));
    expect(InstanceProfiles?.map((profile) => profile.InstanceProfileName)).toEqual(["busy"]);

    const attempt = () => refusal(iam.send(new DeleteRoleCommand({ RoleName })));
    expect(await attempt()).toEqual([
      "DeleteConflictException",
      "Cannot delete entity, must remove roles from instance profile first.",
      409,
    ]);
    await iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: "busy", RoleName }));
    await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: "busy" }));
    expect((await attempt())[1]).toBe("Cannot delete entity, must detach all policies first.");
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    expect((await attempt())[1]).toBe("Cannot delete entity, must delete policies first.");
    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "p" }));
    await iam.send(new DeleteRoleCommand({ RoleName }));
    expect((await refusal(iam.send(new GetRoleCommand({ RoleName }))))[0]).toBe("NoSuchEntityException");
  });

  it("belongs to one account: another account neither sees it nor collides with it", async () => {
    const other = new IAMClient(settings(emulator.current, { accessKeyId: "111122223333" }));
    await create("mine");
    expect((await refusal(other.send(new GetRoleCommand({ RoleName: "mine" }))))[0]).toBe("NoSuchEntityException");
    const { Role } = await other.send(new CreateRoleCommand({ RoleName: "mine", AssumeRolePolicyDocument: trust }));
    expect(Role?.Arn).toBe("arn:aws:iam::111122223333:role/mine");
  });

  it("is the same in every region", async () => {
    await create("worldwide");
    const elsewhere = new IAMClient(settings(emulator.current, { region: "ap-southeast-2" }));
    const { Role } = await elsewhere.send(new GetRoleCommand({ RoleName: "worldwide" }));
    expect(Role?.RoleName).toBe("worldwide");
  });

  it("that is linked to a service is only AWS's to change", async () => {
    const { Role } = await iam.send(
      new CreateServiceLinkedRoleCommand({ AWSServiceName: "ops.apigateway.amazonaws.com" }),
    );
    expect(Role?.Arn).toBe(
      "arn:aws:iam::000000000000:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway",
    );
    expect((await refusal(iam.send(new DeleteRoleCommand({ RoleName: Role?.RoleName }))))[0]).toBe(
      "UnmodifiableEntityException",
    );
    const attach = new AttachRolePolicyCommand({
      RoleName: Role?.RoleName,
      PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
    });
    expect((await refusal(iam.send(attach)))[0]).toBe("UnmodifiableEntityException");
  });
});

describe("an inline policy", () => {
  it("comes back as it was written, percent-encoded", async () => {
    const RoleName = "inline";
    await create(RoleName);
    const document = ` ${allowed("sqs:SendMessage", "arn:aws:sqs:*:*:jobs-*")}\n`;
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "send", PolicyDocument: document }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "also", PolicyDocument: allowed("s3:GetObject") }));
    const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "send" }));
    expect(PolicyNames).toEqual(["also", "send"]);
    expect(PolicyDocument).toContain("%2A");
    expect(decodeURIComponent(PolicyDocument ?? "")).toBe(document);
    expect(await refusal(iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "none" })))).toEqual([
      "NoSuchEntityException",
      "The role policy with name none cannot be found.",
      404,
    ]);
  });

  it("is refused when a role's inline policies together pass 10,240 characters, white space not counted", async () => {
    const RoleName = "heavy";
    await create(RoleName);
    const filled = (length: number) => {
      const empty = allowed("s3:GetObject", "arn:aws:s3:::").length;
      return allowed("s3:GetObject", `arn:aws:s3:::${"b".repeat(length - empty)}`);
    };
    const put = (PolicyName: string, PolicyDocument: string) =>
      iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    await put("first", `${filled(10_000)}${" ".repeat(5000)}`);
    expect(await refusal(put("second", filled(241)))).toEqual([
      "LimitExceededException",
      "Maximum policy size of 10240 bytes exceeded for role heavy",
      409,
    ]);
    await put("second", filled(240));
    await put("first", filled(9_000));
  });
});
