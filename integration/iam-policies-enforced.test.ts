import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import * as IAM from "@aws-sdk/client-iam";
import * as SQS from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { beforeAll, describe, expect, it } from "vitest";
import { missing, outcome, policyOf, type Statement, type Subject, Subjects, type User } from "./harness/access";
import { variable } from "./harness/devices";
import { settings, startEmulator, useEmulator } from "./harness/emulator";
import { trustOf } from "./harness/policies";

const emulator = useEmulator();
type Tag = { Key: string; Value: string };
const account = "000000000000";
const foreignAccount = "111111111111";
let subjects: Subjects;
let admin: SQS.SQS;
let count = 0;
const next = (name: string) => `${name}-${++count}`;
const arn = (queue: string, of = account) => `arn:aws:sqs:eu-west-1:${of}:${queue}`;

beforeAll(async () => {
  subjects = new Subjects(emulator.current);
  admin = new SQS.SQS(subjects.admin);
  await admin.createQueue({ QueueName: "jobs", tags: { team: "blue" } });
  await admin.createQueue({ QueueName: "other" });
});

/** Whether somebody may purge a queue; the message of the denial where not. */
const purge = async ({ settings: own }: Pick<Subject, "settings">, queue = "jobs", of = account) => {
  await emulator.current.clock.advance("61 seconds");
  return outcome(new SQS.SQS(own).purgeQueue({ QueueUrl: `${own.endpoint}/${of}/${queue}` }));
};
const refused = (by: string, explicit = false, who = "[^ ]+") =>
  new RegExp(
    `^User: ${who} is not authorized to perform: sqs:purgequeue on resource: \\S+ ${explicit ? `with an explicit deny in an? ${by}$` : `because no ${by} allows the sqs:purgequeue action$`}`,
  );
const user = (...statements: Statement[]) => subjects.user(next("user"), statements);
const managed = async (...statements: Statement[]) => {
  const { Policy } = await subjects.iam.send(
    new IAM.CreatePolicyCommand({ PolicyName: next("policy"), PolicyDocument: policyOf(...statements) }),
  );
  return Policy!.Arn!;
};
const everything = { Action: "*" };
const purging = { Action: "sqs:PurgeQueue", Resource: arn("jobs") };

describe("the policies of a user", () => {
  it("allow what a statement says, and nothing besides", async () => {
    const ann = await user(purging);
    expect(await purge(ann)).toBe("allowed");
    expect(await purge(ann, "other")).toBe(missing(ann.arn, "sqs:purgequeue", arn("other")));
  });

  it("refuse what one of them denies, whatever the others allow, and suggest nothing then", async () => {
    const ann = await user(everything, { Effect: "Deny", ...purging });
    expect(await purge(ann, "other")).toBe("allowed");
    expect(await purge(ann)).toMatch(refused("identity-based policy", true));
    expect(emulator.current.denials.at(-1)).not.toHaveProperty("statement");
  });

  it("are those of the user's groups, too, as long as the user is in them", async () => {
    const ann = await user();
    const [GroupName, UserName] = [next("group"), ann.name];
    await subjects.iam.send(new IAM.CreateGroupCommand({ GroupName }));
    await subjects.iam.send(
      new IAM.PutGroupPolicyCommand({ GroupName, PolicyName: "p", PolicyDocument: policyOf(purging) }),
    );
    expect(await purge(ann)).toMatch(refused("identity-based policy"));
    await subjects.iam.send(new IAM.AddUserToGroupCommand({ GroupName, UserName }));
    expect(await purge(ann)).toBe("allowed");
    await subjects.iam.send(new IAM.RemoveUserFromGroupCommand({ GroupName, UserName }));
    expect(await purge(ann)).toMatch(refused("identity-based policy"));
  });

  it("are the default versions of the managed ones", async () => {
    const ann = await user();
    const PolicyArn = await managed({ Action: "sqs:ListQueues" });
    await subjects.iam.send(new IAM.AttachUserPolicyCommand({ UserName: ann.name, PolicyArn }));
    expect(await purge(ann)).toMatch(refused("identity-based policy"));
    const version = { PolicyArn, PolicyDocument: policyOf(purging) };
    await subjects.iam.send(new IAM.CreatePolicyVersionCommand(version));
    expect(await purge(ann)).toMatch(refused("identity-based policy"));
    await subjects.iam.send(new IAM.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
    expect(await purge(ann)).toBe("allowed");
  });

  it("may be AWS's own", async () => {
    const ann = await user();
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess";
    await subjects.iam.send(new IAM.AttachUserPolicyCommand({ UserName: ann.name, PolicyArn }));
    expect(await purge(ann)).toBe("allowed");
  });

  it("know wildcards, and stars and question marks that are none", async () => {
    expect(await purge(await user({ Action: "SQS:Purge*", Resource: arn("j?b*") }))).toBe("allowed");
    expect(await purge(await user({ Action: "sqs:Purge?", Resource: arn("jobs") }))).toMatch(
      refused("identity-based policy"),
    );
    expect(await purge(await user({ Action: "sqs:*", Resource: arn(`job${variable("?")}`) }))).toMatch(
      refused("identity-based policy"),
    );
  });

  it("turn around with NotAction and NotResource", async () => {
    expect(await purge(await user({ NotAction: "iam:*" }))).toBe("allowed");
    expect(await purge(await user({ NotAction: "sqs:P*" }))).toMatch(refused("identity-based policy"));
    const except = await user(everything, { Effect: "Deny", Action: "sqs:*", NotResource: arn("jobs") });
    expect(await purge(except)).toBe("allowed");
    expect(await purge(except, "other")).toMatch(refused("identity-based policy", true));
  });

  it("are gone with the user, whose keys are none any more", async () => {
    const ann = await user(purging);
    await ann.clear();
    const { accessKeyId: AccessKeyId } = ann.credentials;
    await subjects.iam.send(new IAM.DeleteAccessKeyCommand({ UserName: ann.name, AccessKeyId }));
    await subjects.iam.send(new IAM.DeleteUserCommand({ UserName: ann.name }));
    await expect(new SQS.SQS(ann.settings).listQueues({})).rejects.toThrow("security token");
  });
});

describe("a permissions boundary", () => {
  const bound = (UserName: string, PermissionsBoundary: string) =>
    subjects.iam.send(new IAM.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary }));

  it("takes away what it does not allow, and gives nothing", async () => {
    const ann = await user(everything);
    await bound(ann.name, await managed({ Action: "sqs:*", Resource: arn("other") }));
    expect(await purge(ann, "other")).toBe("allowed");
    expect(await purge(ann)).toMatch(refused("permissions boundary"));
    expect(emulator.current.denials.at(-1)!.place).toBe(`the permissions boundary of ${ann.arn}`);
    await ann.clear();
    expect(await purge(ann, "other")).toMatch(refused("identity-based policy"));
  });

  it("denies what it denies", async () => {
    const ann = await user(everything);
    await bound(ann.name, await managed(everything, { Effect: "Deny", ...purging }));
    expect(await purge(ann)).toMatch(refused("permissions boundary", true));
  });

  it("is named when it is missing only where the user's own policies would allow the call", async () => {
    const ann = await user();
    await bound(ann.name, await managed({ Action: "s3:*" }));
    expect(await purge(ann)).toMatch(refused("identity-based policy"));
  });
});

describe("a session of a role", () => {
  it("may do what the role may, and is named by its own ARN", async () => {
    const role = next("role");
    const session = await subjects.session(await subjects.role(role, [purging]));
    expect(await purge(session)).toBe("allowed");
    const who = `arn:aws:sts::${account}:assumed-role/${role}/test`;
    expect(await purge(session, "other")).toBe(missing(who, "sqs:purgequeue", arn("other")));
  });

  it("may do no more than the policy that it was begun with", async () => {
    const role = await subjects.role(next("role"), [everything]);
    const session = await subjects.session(role, { Policy: policyOf(purging) });
    expect(await purge(session)).toBe("allowed");
    expect(await purge(session, "other")).toMatch(refused("session policy"));
    expect(emulator.current.denials.at(-1)!.place).toBe(`the session policy of ${session.arn}`);
    const weak = await subjects.session(await subjects.role(next("role")), { Policy: policyOf(everything) });
    expect(await purge(weak)).toMatch(refused("identity-based policy"));
  });

  it("may do what any of several session policies allows and none denies", async () => {
    const role = await subjects.role(next("role"), [everything]);
    const Policy = policyOf(purging);
    const [more, less] = [
      await managed({ Action: "sqs:*", Resource: arn("other") }),
      await managed({ Effect: "Deny", ...purging }),
    ];
    const wide = await subjects.session(role, { Policy, PolicyArns: [{ arn: more }] });
    expect([await purge(wide), await purge(wide, "other")]).toEqual(["allowed", "allowed"]);
    const narrow = await subjects.session(role, { Policy, PolicyArns: [{ arn: more }, { arn: less }] });
    expect(await purge(narrow)).toMatch(refused("session policy", true));
  });
});

describe("the policy of a resource", () => {
  const queue = async (...statements: Statement[]) => {
    const QueueName = next("queue");
    const Policy = policyOf(
      ...statements.map((one) => ({ ...one, Action: "sqs:PurgeQueue", Resource: arn(QueueName) })),
    );
    await admin.createQueue({ QueueName, Attributes: { Policy } });
    return QueueName;
  };

  it("is enough for a user, role or session of its account that it names", async () => {
    const ann = await user();
    expect(await purge(ann, await queue({ Principal: { AWS: ann.arn } }))).toBe("allowed");
    const role = await subjects.role(next("role"));
    const session = await subjects.session(role);
    expect(await purge(session, await queue({ Principal: { AWS: role } }))).toBe("allowed");
    expect(await purge(session, await queue({ Principal: { AWS: session.arn } }))).toBe("allowed");
  });

  it("leaves it to the account's own policies where it names the account", async () => {
    const ann = await user();
    const open = await queue({ Principal: { AWS: account } });
    expect(await purge(ann, open)).toMatch(refused("identity-based policy"));
    await ann.allow({ Action: "sqs:PurgeQueue" });
    expect(await purge(ann, open)).toBe("allowed");
  });

  it("denies whatever else allows", async () => {
    const ann = await user(everything);
    expect(await purge(ann, await queue({ Effect: "Deny", Principal: "*" }))).toMatch(
      refused("resource-based policy", true),
    );
  });

  it("is not held by a boundary where it names the user, and held by a session policy where it names the role", async () => {
    const ann = await user();
    await subjects.iam.send(
      new IAM.PutUserPermissionsBoundaryCommand({
        UserName: ann.name,
        PermissionsBoundary: await managed({ Action: "s3:*" }),
      }),
    );
    expect(await purge(ann, await queue({ Principal: { AWS: ann.arn } }))).toBe("allowed");
    const role = await subjects.role(next("role"));
    const session = await subjects.session(role, { Policy: policyOf({ Action: "s3:*" }) });
    expect(await purge(session, await queue({ Principal: { AWS: role } }))).toMatch(refused("session policy"));
    expect(await purge(session, await queue({ Principal: { AWS: session.arn } }))).toBe("allowed");
  });

  it("spares with NotPrincipal only whom it lists with the account, and nobody who has a boundary", async () => {
    const [ann, ben] = [await user(everything), await user(everything)];
    const listed = (...names: string[]) => queue({ Effect: "Deny", NotPrincipal: { AWS: names } });
    const root = `arn:aws:iam::${account}:root`;
    expect(await purge(ann, await listed(ann.arn, root))).toBe("allowed");
    expect(await purge(ben, await listed(ann.arn, root))).toMatch(refused("resource-based policy", true));
    expect(await purge(ann, await listed(ann.arn))).toMatch(refused("resource-based policy", true));
    const boundary = { UserName: ann.name, PermissionsBoundary: await managed(everything) };
    await subjects.iam.send(new IAM.PutUserPermissionsBoundaryCommand(boundary));
    expect(await purge(ann, await listed(ann.arn, root))).toMatch(refused("resource-based policy", true));
  });

  it("has to allow a caller of another account, whose own policies have to allow it, too", async () => {
    const there = new Subjects(emulator.current, { accessKeyId: foreignAccount });
    const eve = await there.user(next("user"));
    const [closed, open] = [await queue({ Principal: { AWS: account } }), await queue({ Principal: { AWS: eve.arn } })];
    expect(await purge(eve, open)).toMatch(refused("identity-based policy"));
    await eve.allow({ Action: "sqs:PurgeQueue" });
    expect(await purge(eve, open)).toBe("allowed");
    expect(await purge(eve, closed)).toMatch(refused("resource-based policy"));
    const root = { settings: settings(emulator.current, { accessKeyId: foreignAccount }) };
    expect(await purge(root, closed)).toMatch(
      refused("resource-based policy", false, `arn:aws:iam::${foreignAccount}:root`),
    );
    expect(await purge(root, await queue({ Principal: { AWS: foreignAccount } }))).toBe("allowed");
  });
});

describe("a condition", () => {
  const holds = async (Condition: object, who: (statement: Statement) => Promise<Pick<Subject, "settings">> = user) =>
    (await purge(await who({ ...purging, Condition }))) === "allowed";
  const tagged = (Tags: Tag[]) => (statement: Statement) => subjects.user(next("user"), [statement], { Tags });

  it.each<[object, object]>([
    [{ StringLike: { "aws:username": "user-*" } }, { StringLike: { "aws:username": "admin-*" } }],
    [
      { StringNotEquals: { "aws:PrincipalType": "AssumedRole" } },
      { StringEquals: { "aws:PrincipalType": "AssumedRole" } },
    ],
    [
      { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:user/user-*" } },
      { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/*" } },
    ],
    [{ IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }, { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
    [{ NotIpAddress: { "aws:SourceIp": ["10.0.0.0/8", "::/0"] } }, { NotIpAddress: { "aws:SourceIp": "127.0.0.1" } }],
    [{ Bool: { "aws:SecureTransport": "true" } }, { Bool: { "aws:SecureTransport": "false" } }],
    [{ Bool: { "aws:ViaAWSService": "false" } }, { Bool: { "aws:ViaAWSService": "true" } }],
    [
      { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
      { StringEquals: { "aws:RequestedRegion": "us-east-1" } },
    ],
    [{ StringEquals: { "aws:ResourceAccount": account } }, { StringNotEquals: { "aws:ResourceAccount": account } }],
    [{ NumericGreaterThan: { "aws:EpochTime": 1 } }, { NumericLessThanEquals: { "aws:EpochTime": 1 } }],
    [{ Null: { "aws:TokenIssueTime": "true" } }, { Null: { "aws:TokenIssueTime": "false" } }],
    [{ Null: { "aws:username": "false" } }, { Null: { "aws:username": "true" } }],
    [{ BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } }, { Bool: { "aws:MultiFactorAuthPresent": "true" } }],
    [
      { StringEquals: { "aws:RequestedRegion": ["us-east-1", "eu-west-1"] }, Bool: { "aws:SecureTransport": true } },
      { StringEquals: { "aws:RequestedRegion": "eu-west-1" }, Bool: { "aws:SecureTransport": false } },
    ],
  ])("%j holds, and %j does not", async (good, bad) => {
    expect([await holds(good), await holds(bad)]).toEqual([true, false]);
  });

  it("on dates goes by the emulator's clock", async () => {
    const noon = new Date(emulator.current.clock.now() + 3_600_000).toISOString();
    const before = await user({ ...purging, Condition: { DateLessThan: { "aws:CurrentTime": noon } } });
    const after = await user({ ...purging, Condition: { DateGreaterThanEquals: { "aws:CurrentTime": noon } } });
    const may = async () => [(await purge(before)) === "allowed", (await purge(after)) === "allowed"];
    expect(await may()).toEqual([true, false]);
    await emulator.current.clock.advance("1 hour");
    expect(await may()).toEqual([false, true]);
  });

  it("knows of a session when it began, and that it began without MFA", async () => {
    const began = new Date(emulator.current.clock.now() - 1_000).toISOString();
    const Condition = {
      DateGreaterThan: { "aws:TokenIssueTime": began },
      Bool: { "aws:MultiFactorAuthPresent": "false" },
      StringEquals: { "aws:PrincipalType": "AssumedRole" },
      StringLike: { "aws:userid": "AROA*:test" },
    };
    const role = await subjects.role(next("role"), [{ ...purging, Condition }]);
    expect(await purge(await subjects.session(role))).toBe("allowed");
  });

  it("sees the tags of the user, of the role, and those that a session was begun with", async () => {
    const blue = { StringEquals: { "aws:PrincipalTag/team": "blue" } };
    expect(await holds(blue, tagged([{ Key: "team", Value: "blue" }]))).toBe(true);
    expect(await holds(blue, tagged([{ Key: "team", Value: "red" }]))).toBe(false);
    expect(await holds(blue)).toBe(false);
    const red = await subjects.role(next("role"), [{ ...purging, Condition: blue }], {
      trust: trustOf({ AWS: "*" }, { Action: ["sts:AssumeRole", "sts:TagSession"] }),
      Tags: [{ Key: "team", Value: "red" }],
    });
    expect(await purge(await subjects.session(red))).toMatch(refused("identity-based policy"));
    expect(await purge(await subjects.session(red, { Tags: [{ Key: "team", Value: "blue" }] }))).toBe("allowed");
  });

  it("compares the tags of caller and resource through a variable, and has a default where there is none", async () => {
    const group = { logGroupName: next("group") };
    await new CloudWatchLogs(subjects.admin).createLogGroup({ ...group, tags: { team: "blue" } });
    const may = async (name: string, Tags: Tag[] = []) => {
      const Condition = { StringEquals: { "aws:ResourceTag/team": variable(name) } };
      const ann = await subjects.user(next("user"), [{ Action: "logs:FilterLogEvents", Condition }], { Tags });
      return (await outcome(new CloudWatchLogs(ann.settings).filterLogEvents(group))) === "allowed";
    };
    expect(await may("aws:PrincipalTag/team", [{ Key: "team", Value: "blue" }])).toBe(true);
    expect(await may("aws:PrincipalTag/team", [{ Key: "team", Value: "red" }])).toBe(false);
    expect(await may("aws:PrincipalTag/team")).toBe(false);
    expect(await may("aws:PrincipalTag/team, 'blue'")).toBe(true);
  });

  it("sees the tags of a request, all of them or any", async () => {
    const create = async (Condition: object, tags: Record<string, string>) => {
      const ann = await user({ Action: ["sqs:CreateQueue", "sqs:TagQueue"], Condition });
      const call = new SQS.SQS(ann.settings).createQueue({ QueueName: next("tagged"), tags });
      return (await outcome(call)) === "allowed";
    };
    const only = { "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "cost"] } };
    expect(await create(only, { team: "blue", cost: "1" })).toBe(true);
    expect(await create(only, { team: "blue", owner: "me" })).toBe(false);
    expect(await create(only, {})).toBe(true);
    const any = { "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } };
    expect(await create(any, { team: "blue", owner: "me" })).toBe(true);
    expect(await create(any, {})).toBe(false);
    expect(await create({ StringEquals: { "aws:RequestTag/team": ["blue", "green"] } }, { team: "green" })).toBe(true);
    expect(await create({ StringEquals: { "aws:RequestTag/team": ["blue", "green"] } }, { team: "red" })).toBe(false);
  });
});

it("puts the user's name into a resource, and nobody's where there is none", async () => {
  const own = { Action: "sqs:PurgeQueue", Resource: arn(`${variable("aws:username")}-queue`) };
  const ann = await user(own);
  await admin.createQueue({ QueueName: `${ann.name}-queue` });
  expect(await purge(ann, `${ann.name}-queue`)).toBe("allowed");
  expect(await purge(ann)).toMatch(refused("identity-based policy"));
  const session = await subjects.session(await subjects.role(next("role"), [own]));
  expect(await purge(session, `${ann.name}-queue`)).toMatch(refused("identity-based policy"));
});

it("lets a role be assumed from another account where both sides allow it, if its conditions are met", async () => {
  const there = new Subjects(emulator.current, { accessKeyId: foreignAccount });
  const eve: User = await there.user(next("user"));
  const trust = trustOf({ AWS: foreignAccount }, { Condition: { StringEquals: { "sts:ExternalId": "4711" } } });
  const role = await subjects.role(next("role"), [purging], { trust });
  const assume = (ExternalId?: string) =>
    outcome(
      new STSClient(eve.settings).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "eve", ExternalId })),
    );
  const denied = `User: ${eve.arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`;
  expect(await assume("4711")).toBe(denied);
  await eve.allow({ Action: "sts:AssumeRole", Resource: role });
  expect(await assume("4711")).toBe("allowed");
  expect(await assume()).toBe(denied);
});

it("allows everything where the emulator was told not to ask IAM", async () => {
  await using open = await startEmulator({ port: 0, enforceIam: false });
  const ann = await new Subjects(open).user("ann");
  const sqs = new SQS.SQS(ann.settings);
  await sqs.createQueue({ QueueName: "free" });
  expect(open.denials).toEqual([]);
});
