import * as IAM from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, needs, outcome, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { allowed, refusal, trustOf } from "./harness/policies";

const emulator = useEmulator();
let subjects: Subjects;
let ann: User;
let iam: IAM.IAM;
const of = (path: string) => `arn:aws:iam::000000000000:${path}`;
const document = allowed("s3:GetObject");
const trust = trustOf({ Service: "lambda.amazonaws.com" });
const tags = [{ Key: "team", Value: "blue" }];

beforeAll(async () => {
  subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  iam = new IAM.IAM(ann.settings);
  const admin = new IAM.IAM(subjects.admin);
  await admin.createRole({ RoleName: "worker", Path: "/jobs/", AssumeRolePolicyDocument: trust });
  await admin.createUser({ UserName: "ben", Path: "/people/" });
  await admin.createGroup({ GroupName: "crew", Path: "/people/" });
  await admin.createInstanceProfile({ InstanceProfileName: "box", Path: "/jobs/" });
  await admin.createPolicy({ PolicyName: "read", Path: "/jobs/", PolicyDocument: document });
});

const worker = { RoleName: "worker" };
const ben = { UserName: "ben" };
const crew = { GroupName: "crew" };
const box = { InstanceProfileName: "box" };
const read = { PolicyArn: "arn:aws:iam::000000000000:policy/jobs/read" };
const inline = { PolicyName: "p", PolicyDocument: document };

describe("a call of IAM needs permission for", () => {
  it.each<[string, () => Promise<unknown>, string[]]>([
    ["a role by its path", () => iam.getRole(worker), ["iam:GetRole role/jobs/worker"]],
    ["a role that is not there", () => iam.getRole({ RoleName: "nobody" }), ["iam:GetRole role/nobody"]],
    ["a new role", () => iam.createRole({ RoleName: "a", AssumeRolePolicyDocument: trust }), ["iam:CreateRole role/a"]],
    [
      "a new role and its tags",
      () => iam.createRole({ RoleName: "b", Path: "/jobs/", AssumeRolePolicyDocument: trust, Tags: tags }),
      ["iam:CreateRole role/jobs/b", "iam:TagRole role/jobs/b"],
    ],
    ["the policy of a role", () => iam.putRolePolicy({ ...worker, ...inline }), ["iam:PutRolePolicy role/jobs/worker"]],
    [
      "a role's attachment",
      () => iam.attachRolePolicy({ ...worker, ...read }),
      ["iam:AttachRolePolicy role/jobs/worker"],
    ],
    ["all roles of a path", () => iam.listRoles({ PathPrefix: "/jobs/" }), ["iam:ListRoles role/jobs/"]],
    ["a user by its path", () => iam.getUser(ben), ["iam:GetUser user/people/ben"]],
    [
      "a new user and its tags",
      () => iam.createUser({ UserName: "c", Tags: tags }),
      ["iam:CreateUser user/c", "iam:TagUser user/c"],
    ],
    ["oneself, where no user is named", () => iam.getUser({}), ["iam:GetUser user/ann"]],
    ["one's own new key", () => iam.createAccessKey({}), ["iam:CreateAccessKey user/ann"]],
    ["one's own keys", () => iam.listAccessKeys({}), ["iam:ListAccessKeys user/ann"]],
    [
      "the owner of a key",
      () => iam.getAccessKeyLastUsed({ AccessKeyId: ann.credentials.accessKeyId }),
      ["iam:GetAccessKeyLastUsed user/ann"],
    ],
    [
      "a group, not its new member",
      () => iam.addUserToGroup({ ...crew, ...ben }),
      ["iam:AddUserToGroup group/people/crew"],
    ],
    ["a group's policy", () => iam.putGroupPolicy({ ...crew, ...inline }), ["iam:PutGroupPolicy group/people/crew"]],
    ["a policy by its ARN", () => iam.getPolicy(read), ["iam:GetPolicy policy/jobs/read"]],
    [
      "a policy's version",
      () => iam.createPolicyVersion({ ...read, PolicyDocument: document }),
      ["iam:CreatePolicyVersion policy/jobs/read"],
    ],
    ["a new policy", () => iam.createPolicy({ ...inline, Path: "/x/" }), ["iam:CreatePolicy policy/x/p"]],
    [
      "an instance profile, and the role that it is given",
      () => iam.addRoleToInstanceProfile({ ...box, ...worker }),
      ["iam:AddRoleToInstanceProfile instance-profile/jobs/box", "iam:PassRole role/jobs/worker"],
    ],
    [
      "the role of a service by the service",
      () => iam.createServiceLinkedRole({ AWSServiceName: "lambda.amazonaws.com" }),
      ["iam:CreateServiceLinkedRole role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda"],
    ],
  ])("%s", async (_, call, expected) => {
    const found = await needs(emulator.current, ann, call);
    expect(found).toEqual(expected.map((one) => one.replace(" ", " arn:aws:iam::000000000000:")));
  });

  it("the account where there is nothing smaller", async () => {
    expect(await needs(emulator.current, ann, () => iam.getAccountSummary({}))).toEqual(["iam:GetAccountSummary *"]);
  });
});

describe("a denial names what it is about as IAM does", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["iam:GetRole", () => iam.getRole({ RoleName: "nobody" }), "role nobody"],
    ["iam:GetUser", () => iam.getUser(ben), "user ben"],
    ["iam:GetGroup", () => iam.getGroup(crew), "group crew"],
    ["iam:GetInstanceProfile", () => iam.getInstanceProfile(box), "instance profile box"],
    ["iam:GetPolicy", () => iam.getPolicy(read), `policy ${read.PolicyArn}`],
    ["iam:CreatePolicy", () => iam.createPolicy(inline), "policy p"],
    ["iam:CreateRole", () => iam.createRole({ RoleName: "x", AssumeRolePolicyDocument: trust }), of("role/x")],
    ["iam:ListRoles", () => iam.listRoles({}), of("role/")],
    ["iam:ListPolicies", () => iam.listPolicies({}), "policy path /"],
    ["iam:ListAccountAliases", () => iam.listAccountAliases({}), "*"],
  ])("%s", async (action, call, shown) => {
    await ann.clear();
    expect(await refusal(call())).toEqual(["AccessDenied", missing(ann.arn, action, shown), 403]);
  });
});

describe("a condition sees", () => {
  const may = async (call: () => Promise<unknown>, Action: string, Condition: object) => {
    await ann.clear();
    await ann.allow({ Action, Condition });
    return (await outcome(call())) === "allowed";
  };
  const boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
  const create = (PermissionsBoundary?: string) => () =>
    iam.createRole({ RoleName: "bounded", AssumeRolePolicyDocument: trust, PermissionsBoundary });

  it("the policy that is attached", async () => {
    const attach = (name: string) => () =>
      iam.attachUserPolicy({ ...ben, PolicyArn: `arn:aws:iam::aws:policy/${name}` });
    const only = { ArnLike: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3*" } };
    expect(await may(attach("AmazonS3FullAccess"), "iam:AttachUserPolicy", only)).toBe(true);
    expect(await may(attach("AdministratorAccess"), "iam:AttachUserPolicy", only)).toBe(false);
  });

  it("the boundary of what is made, and of what is there", async () => {
    const bounded = { StringEquals: { "iam:PermissionsBoundary": boundary } };
    expect(await may(create(), "iam:CreateRole", bounded)).toBe(false);
    expect(await may(create(boundary), "iam:CreateRole", bounded)).toBe(true);
    const put = () => iam.putRolePolicy({ RoleName: "bounded", ...inline });
    expect(await may(put, "iam:PutRolePolicy", bounded)).toBe(true);
    expect(await may(() => iam.putRolePolicy({ ...worker, ...inline }), "iam:PutRolePolicy", bounded)).toBe(false);
  });

  it("the service that a role is made for", async () => {
    const call = () => iam.createServiceLinkedRole({ AWSServiceName: "ops.apigateway.amazonaws.com" });
    const of = (name: string) => ({ StringLike: { "iam:AWSServiceName": name } });
    expect(await may(call, "iam:CreateServiceLinkedRole", of("lambda.amazonaws.com"))).toBe(false);
    expect(await may(call, "iam:CreateServiceLinkedRole", of("ops.*"))).toBe(true);
  });

  it("the service that a role is handed to", async () => {
    const add = () => iam.addRoleToInstanceProfile({ ...box, ...worker });
    const to = (name: string) => ({ StringEqualsIfExists: { "iam:PassedToService": name } });
    expect(await may(add, "iam:*", to("lambda.amazonaws.com"))).toBe(false);
    expect(await may(add, "iam:*", to("ec2.amazonaws.com"))).toBe(true);
  });

  it("the one region that IAM has", async () => {
    const region = (name: string) => ({ StringEquals: { "aws:RequestedRegion": name } });
    expect(await may(() => iam.getUser(ben), "iam:GetUser", region("us-east-1"))).toBe(true);
    expect(await may(() => iam.getUser(ben), "iam:GetUser", region("eu-west-1"))).toBe(false);
  });

  it("tags of a request, and those that a user or role has, by both names", async () => {
    const tag = (Value: string) => () => iam.tagUser({ ...ben, Tags: [{ Key: "team", Value }] });
    const blue = {
      StringEquals: { "aws:RequestTag/team": "blue" },
      "ForAllValues:StringEquals": { "aws:TagKeys": "team" },
    };
    expect(await may(tag("red"), "iam:TagUser", blue)).toBe(false);
    expect(await may(tag("blue"), "iam:TagUser", blue)).toBe(true);
    const get = () => iam.getUser(ben);
    for (const key of ["aws:ResourceTag/team", "iam:ResourceTag/Team"]) {
      expect(await may(get, "iam:GetUser", { StringEquals: { [key]: "blue" } })).toBe(true);
      expect(await may(get, "iam:GetUser", { StringEquals: { [key]: "red" } })).toBe(false);
    }
  });
});

describe("STS", () => {
  it("tells everybody who they are, and gives users a session, whatever policies say", async () => {
    await ann.clear();
    await ann.allow({ Effect: "Deny", Action: "*" });
    const sts = new STSClient(ann.settings);
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: ann.arn });
    expect((await sts.send(new GetSessionTokenCommand({}))).Credentials?.AccessKeyId).toMatch(/^ASIA/);
  });

  it("gives nobody a session who does not sign", async () => {
    const body = new URLSearchParams({ Action: "GetSessionToken", Version: "2011-06-15" });
    const answer = await fetch(emulator.current.endpoint, { method: "POST", body });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("<Code>MissingAuthenticationToken</Code>");
  });

  it("lets a user assume a role that trusts the account only where the user's policies allow it", async () => {
    await ann.clear();
    const role = await subjects.role("helper", [], { trust: trustOf({ AWS: "000000000000" }) });
    const sts = new STSClient(ann.settings);
    const assume = () => sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "ann" }));
    expect(await refusal(assume())).toEqual([
      "AccessDenied",
      `User: ${ann.arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
      403,
    ]);
    expect(await needs(emulator.current, ann, assume)).toEqual([`sts:AssumeRole ${role}`]);
  });

  it("refuses to begin a session with a policy that is not there, as it would have all that the role may", async () => {
    const role = await subjects.role("open", [{ Action: "*" }]);
    const PolicyArns = [{ arn: "arn:aws:iam::000000000000:policy/none" }];
    await expect(subjects.session(role, { PolicyArns })).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
    });
  });

  it("knows no user behind a role's session", async () => {
    const session = await subjects.session(await subjects.role("reader", [{ Action: "iam:*" }]));
    const sessions = new IAM.IAM(session.settings);
    expect(await refusal(sessions.getUser({}))).toEqual([
      "ValidationError",
      "Must specify userName when calling with non-User credentials",
      400,
    ]);
  });
});
