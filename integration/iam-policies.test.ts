import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  SetDefaultPolicyVersionCommand,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { allowed, refusal, trustOf } from "./harness/policies";

const emulator = useEmulator();
let iam: IAMClient;
beforeAll(() => {
  iam = new IAMClient(settings(emulator.current));
});

const create = async (PolicyName: string, PolicyDocument = allowed("s3:GetObject")) =>
  (await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))).Policy!.Arn!;
const role = (RoleName: string) =>
  iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustOf({ Service: "lambda.amazonaws.com" }) }));

describe("a managed policy", () => {
  it("counts its attachments, and tells who has it attached", async () => {
    const PolicyArn = await create("counted");
    await role("has-it");
    await iam.send(new AttachRolePolicyCommand({ RoleName: "has-it", PolicyArn }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: "has-it", PolicyArn }));
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    const { PolicyRoles } = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }));
    const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: "has-it" }));
    expect(Policy).toMatchObject({ AttachmentCount: 1, DefaultVersionId: "v1", IsAttachable: true });
    expect(PolicyRoles?.map(({ RoleName }) => RoleName)).toEqual(["has-it"]);
    expect(AttachedPolicies).toEqual([{ PolicyName: "counted", PolicyArn }]);

    expect(await refusal(iam.send(new DeletePolicyCommand({ PolicyArn })))).toEqual([
      "DeleteConflictException",
      "Cannot delete a policy attached to entities.",
      409,
    ]);
    await iam.send(new DetachRolePolicyCommand({ RoleName: "has-it", PolicyArn }));
    await iam.send(new DeletePolicyCommand({ PolicyArn }));
    expect(await refusal(iam.send(new GetPolicyCommand({ PolicyArn })))).toEqual([
      "NoSuchEntityException",
      `Policy ${PolicyArn} was not found.`,
      404,
    ]);
  });

  it("has up to five versions, never gives a version number twice and keeps its default one", async () => {
    const PolicyArn = await create("versioned");
    const next = (SetAsDefault = false) =>
      iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allowed("s3:PutObject"), SetAsDefault }));
    for (let i = 2; i <= 5; i++) await next(i === 3);
    expect((await refusal(next()))[0]).toBe("LimitExceededException");
    expect((await refusal(iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v3" }))))[1]).toBe(
      "Cannot delete the default version of a policy.",
    );
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v5" }));
    const { PolicyVersion } = await next();
    expect(PolicyVersion?.VersionId).toBe("v6");
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion])).toEqual([
      ["v6", false],
      ["v4", false],
      ["v3", false],
      ["v2", false],
      ["v1", true],
    ]);
    const shown = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v4" }));
    expect(decodeURIComponent(shown.PolicyVersion?.Document ?? "")).toBe(allowed("s3:PutObject"));
    expect((await refusal(iam.send(new DeletePolicyCommand({ PolicyArn }))))[1]).toContain("more than one version");
  });

  it("that is not there cannot be attached", async () => {
    await role("lonely");
    const PolicyArn = "arn:aws:iam::aws:policy/NobodyHasHeardOfThis";
    expect(await refusal(iam.send(new AttachRolePolicyCommand({ RoleName: "lonely", PolicyArn })))).toEqual([
      "NoSuchEntityException",
      `Policy ${PolicyArn} does not exist or is not attachable.`,
      404,
    ]);
  });

  it("of AWS itself is there with its real statements, in every account", async () => {
    const other = new IAMClient(settings(emulator.current, { accessKeyId: "444455556666" }));
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
    const { Policy } = await other.send(new GetPolicyCommand({ PolicyArn }));
    const { PolicyVersion } = await other.send(
      new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }),
    );
    const { Statement } = JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? ""));
    expect(Statement[0].Action).toContain("sqs:ReceiveMessage");
    expect((await refusal(iam.send(new DeletePolicyCommand({ PolicyArn }))))[0]).toBe("NoSuchEntityException");
  });

  it("is listed by whose it is and under its path", async () => {
    await create("local-one");
    const local = await iam.send(new ListPoliciesCommand({ Scope: "Local" }));
    const aws = await iam.send(new ListPoliciesCommand({ Scope: "AWS", PathPrefix: "/service-role/" }));
    expect(local.Policies?.every(({ Arn }) => Arn?.startsWith("arn:aws:iam::000000000000:policy/"))).toBe(true);
    expect(local.Policies?.map(({ PolicyName }) => PolicyName)).toContain("local-one");
    expect(aws.Policies?.every(({ Arn }) => Arn?.startsWith("arn:aws:iam::aws:policy/service-role/"))).toBe(true);
    expect(aws.Policies?.map(({ PolicyName }) => PolicyName)).toContain("AWSLambdaBasicExecutionRole");
  });
});

describe("an identity policy document", () => {
  const good = { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::bucket" };
  const wrap = (statement: object | object[]) => ({ Version: "2012-10-17", Statement: statement });
  const syntax = "Syntax errors in policy.";
  const bad: [string, unknown, string][] = [
    ["no JSON", "This is not JSON", syntax],
    ["an unknown member", { ...wrap(good), Extra: 1 }, syntax],
    ["no version", { Statement: good }, "Policy document must be version 2012-10-17 or greater."],
    [
      "an old version",
      { ...wrap(good), Version: "2008-10-17" },
      "Policy document must be version 2012-10-17 or greater.",
    ],
    ["no statement", { Version: "2012-10-17" }, syntax],
    ["an unknown effect", wrap({ ...good, Effect: "Maybe" }), syntax],
    ["no effect", wrap({ ...good, Effect: undefined }), syntax],
    ["a principal", wrap({ ...good, Principal: "*" }), "Policy document should not specify a principal."],
    ["no action", wrap({ ...good, Action: undefined }), "Policy statement must contain actions."],
    ["an empty list of actions", wrap({ ...good, Action: [] }), "Policy statement must contain actions."],
    ["no resource", wrap({ ...good, Resource: undefined }), "Policy statement must contain resources."],
    [
      "an action without service",
      wrap({ ...good, Action: "ListBucket" }),
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ],
    [
      "an action with two colons",
      wrap({ ...good, Action: "s3:List:Bucket" }),
      "Actions/Condition can contain only one colon.",
    ],
    ["a service with a space", wrap({ ...good, Action: "a a:List" }), "Vendor a a is not valid"],
    [
      "a resource that is no ARN",
      wrap({ ...good, Resource: "bucket" }),
      'Resource bucket must be in ARN format or "*".',
    ],
    [
      "an unknown partition",
      wrap({ ...good, Resource: "arn:error:s3:::b" }),
      'Partition "error" is not valid for resource "arn:error:s3:::b".',
    ],
    ["an ARN that is too short", wrap({ ...good, Resource: "arn:aws:s3::b" }), "The policy failed legacy parsing"],
    ["both Action and NotAction", wrap({ ...good, NotAction: "s3:*" }), syntax],
    ["an unknown condition operator", wrap({ ...good, Condition: { Equalish: { "aws:x": "y" } } }), syntax],
    ["a condition that is a list", wrap({ ...good, Condition: [] }), syntax],
    [
      "one Sid for two statements",
      wrap([
        { ...good, Sid: "a" },
        { ...good, Sid: "a" },
      ]),
      "Statement IDs (SID) in a single policy must be unique.",
    ],
  ];
  it.each(bad)("with %s is refused with IAM's reason", async (what, document, reason) => {
    const PolicyDocument = typeof document === "string" ? document : JSON.stringify(document);
    const call = iam.send(new CreatePolicyCommand({ PolicyName: "bad", PolicyDocument }));
    expect(await refusal(call), what).toEqual(["MalformedPolicyDocumentException", reason, 400]);
  });

  it("may write one value or a list, conditions of every kind, and NotAction and NotResource", async () => {
    const document = wrap([
      { ...good, Condition: { Bool: { "aws:SecureTransport": true }, NumericLessThan: { "s3:max-keys": 10 } } },
      { Effect: "Deny", NotAction: ["s3:*", "sqs:Send*"], NotResource: ["*"] },
      { ...good, Action: "*", Condition: { "ForAnyValue:StringLikeIfExists": { "aws:TagKeys": ["a*", "b"] } } },
    ]);
    await expect(create("rich", JSON.stringify(document))).resolves.toContain(":policy/rich");
  });

  it("is refused above 6,144 characters, white space not counted", async () => {
    const fill = (length: number) => {
      const empty = allowed("s3:GetObject", "arn:aws:s3:::").length;
      return allowed("s3:GetObject", `arn:aws:s3:::${"b".repeat(length - empty)}`);
    };
    expect(await refusal(create("too-long", fill(6145)))).toEqual([
      "LimitExceededException",
      "Cannot exceed quota for PolicySize: 6144",
      409,
    ]);
    await create("just-fits", `${fill(6144)}\n\n`);
  });

  it("never brings the emulator down, whatever JSON it is", async () => {
    const values = fc.jsonValue({ maxDepth: 4 });
    const statement = fc.dictionary(
      fc.constantFrom("Effect", "Action", "Resource", "Condition", "Principal", "Sid", "NotAction"),
      fc.oneof(values, fc.constantFrom("Allow", "*", "s3:*")),
    );
    const document = fc.record({
      Version: fc.constantFrom("2012-10-17", 1, null),
      Statement: fc.oneof(values, statement),
    });
    await fc.assert(
      fc.asyncProperty(document, async (one) => {
        const call = iam.send(new CreatePolicyCommand({ PolicyName: "fuzz", PolicyDocument: JSON.stringify(one) }));
        const outcome = await call.then(
          ({ Policy }) => iam.send(new DeletePolicyCommand({ PolicyArn: Policy?.Arn })).then(() => "created"),
          ({ name }: Error) => name,
        );
        expect(["created", "MalformedPolicyDocumentException"]).toContain(outcome);
      }),
      { numRuns: 60 },
    );
  });
});

it("an operation of IAM that is not emulated says so by name", async () => {
  const call = iam.send(
    new SimulatePrincipalPolicyCommand({ PolicySourceArn: "arn:aws:iam::000000000000:role/x", ActionNames: ["s3:*"] }),
  );
  const [, message, status] = await refusal(call);
  expect(status).toBe(501);
  expect(message).toContain("SimulatePrincipalPolicy");
});
