import { CognitoIdentityProvider } from "@aws-sdk/client-cognito-identity-provider";
import { beforeAll, expect, it } from "vitest";
import { missing, needs, outcome, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let ann: User;
let cognito: CognitoIdentityProvider;
let admin: CognitoIdentityProvider;
let pool: { UserPoolId: string };
let arn: string;

beforeAll(async () => {
  const subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  cognito = new CognitoIdentityProvider(ann.settings);
  admin = new CognitoIdentityProvider(subjects.admin);
  const made = await admin.createUserPool({ PoolName: "people", UserPoolTags: { team: "blue" } });
  pool = { UserPoolId: made.UserPool!.Id! };
  arn = made.UserPool!.Arn!;
});

it.each<[string, () => Promise<unknown>, (arn: string) => string[]]>([
  ["a user pool", () => cognito.describeUserPool(pool), (arn) => [`cognito-idp:DescribeUserPool ${arn}`]],
  [
    "a pool's user",
    () => cognito.adminGetUser({ ...pool, Username: "x" }),
    (arn) => [`cognito-idp:AdminGetUser ${arn}`],
  ],
  [
    "a pool's client",
    () => cognito.createUserPoolClient({ ...pool, ClientName: "web" }),
    (arn) => [`cognito-idp:CreateUserPoolClient ${arn}`],
  ],
  [
    "its tags",
    () => cognito.listTagsForResource({ ResourceArn: arn }),
    (arn) => [`cognito-idp:ListTagsForResource ${arn}`],
  ],
  ["all pools", () => cognito.listUserPools({ MaxResults: 1 }), () => ["cognito-idp:ListUserPools *"]],
  [
    "a new pool, and the role that sends its messages",
    () =>
      cognito.createUserPool({
        PoolName: "sms",
        SmsConfiguration: { SnsCallerArn: "arn:aws:iam::000000000000:role/sms" },
      }),
    () => ["cognito-idp:CreateUserPool *", "iam:PassRole arn:aws:iam::000000000000:role/sms"],
  ],
])("a call of Cognito needs permission for %s", async (_, call, expected) => {
  expect(await needs(emulator.current, ann, call)).toEqual(expected(arn));
});

it("refuses in AWS's words", async () => {
  await ann.clear();
  const denied = (action: string, resource: string) => [
    "AccessDeniedException",
    missing(ann.arn, action, resource),
    400,
  ];
  expect(await refusal(cognito.describeUserPool(pool))).toEqual(denied("cognito-idp:DescribeUserPool", arn));
  expect(await refusal(cognito.listUserPools({ MaxResults: 1 }))).toEqual(denied("cognito-idp:ListUserPools", "*"));
});

it("lets users sign in and see themselves without any credentials of AWS, and nobody administer so", async () => {
  const { UserPoolClient } = await admin.createUserPoolClient({
    ...pool,
    ClientName: "app",
    ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
  });
  const who = { ...pool, Username: "eve" };
  await admin.adminCreateUser(who);
  await admin.adminSetUserPassword({ ...who, Password: "Secret-123", Permanent: true });
  const unsigned = async (operation: string, input: object) => {
    const answer = await fetch(emulator.current.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(input),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const { body } = await unsigned("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH",
    ClientId: UserPoolClient!.ClientId,
    AuthParameters: { USERNAME: "eve", PASSWORD: "Secret-123" },
  });
  const { AccessToken } = body.AuthenticationResult as { AccessToken: string };
  expect(await unsigned("GetUser", { AccessToken })).toMatchObject({ status: 200, body: { Username: "eve" } });
  expect(await unsigned("AdminGetUser", who)).toMatchObject({
    status: 400,
    body: { __type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" },
  });
});

it("shows the tags of a pool to conditions", async () => {
  for (const [team, expected] of [
    ["blue", true],
    ["red", false],
  ] as const) {
    await ann.clear();
    await ann.allow({ Action: "cognito-idp:*", Condition: { StringEquals: { "aws:ResourceTag/team": team } } });
    expect((await outcome(cognito.describeUserPool(pool))) === "allowed").toBe(expected);
  }
});
