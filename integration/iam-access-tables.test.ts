import * as ApiGateway from "@aws-sdk/client-api-gateway";
import * as ApiGatewayV2 from "@aws-sdk/client-apigatewayv2";
import * as Logs from "@aws-sdk/client-cloudwatch-logs";
import * as Cognito from "@aws-sdk/client-cognito-identity-provider";
import * as Events from "@aws-sdk/client-eventbridge";
import * as Iam from "@aws-sdk/client-iam";
import * as Iot from "@aws-sdk/client-iot";
import * as IotData from "@aws-sdk/client-iot-data-plane";
import * as TimestreamQuery from "@aws-sdk/client-timestream-query";
import * as Timestream from "@aws-sdk/client-timestream-write";
import { beforeAll, expect, it } from "vitest";
import { readModel } from "../emulator/core/protocols/model";
import { Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";

const faults: unknown[] = [];
const emulator = useEmulator({ onFault: (error) => faults.push(error) });
let nobody: User;
beforeAll(async () => {
  nobody = await new Subjects(emulator.current).user("nobody");
});

interface Client {
  send(command: never): Promise<unknown>;
}
type Sdk = Record<string, unknown>;

/** Calls everything that a service has, with nothing but what its address needs; gives what was asked of IAM. */
async function asked(sdk: object, clientName: string): Promise<Map<string, string[]>> {
  const members = sdk as Sdk;
  const Client = members[clientName] as new (settings: object) => Client;
  const client = new Client(nobody.settings);
  const found = new Map<string, string[]>();
  for (const { name, http } of readModel(members, clientName).operations.values()) {
    const Command = members[`${name}Command`] as new (input: object) => never;
    const labels = (http?.segments ?? []).flatMap((segment) => ("label" in segment ? [[segment.label, "x"]] : []));
    const permissions: string[] = [];
    const stop = emulator.current.watchAccess(({ action, resource }) => permissions.push(`${action} ${resource}`));
    const error = await client.send(new Command(Object.fromEntries(labels))).then(
      () => undefined,
      (error: { name: string }) => error,
    );
    stop();
    if (error?.name !== "NotImplemented") found.set(name, permissions);
  }
  return found;
}

/** Where the resource is an ARN of the request, which these requests have none of, it is everything, too. */
const onAll = (found: Map<string, string[]>) =>
  [...found].filter(([, [first]]) => first?.endsWith(" *")).map(([name]) => name);

it.each<[string, object, string, string[]]>([
  ["logs", Logs, "CloudWatchLogsClient", ["DeleteResourcePolicy", "DescribeResourcePolicies", "PutResourcePolicy"]],
  [
    "cognito-idp",
    Cognito,
    "CognitoIdentityProviderClient",
    [
      ...["CreateUserPool", "DescribeUserPoolDomain", "ListTagsForResource", "ListUserPools"],
      ...["TagResource", "UntagResource"],
    ],
  ],
  [
    "timestream",
    Timestream,
    "TimestreamWriteClient",
    ["DescribeEndpoints", "ListDatabases", "ListTagsForResource", "TagResource", "UntagResource"],
  ],
  // Both clients of Timestream share its name and targets.
  [
    "timestream",
    TimestreamQuery,
    "TimestreamQueryClient",
    ["DescribeEndpoints", "ListTagsForResource", "TagResource", "UntagResource"],
  ],
  [
    "events",
    Events,
    "EventBridgeClient",
    [
      ...["ListTagsForResource", "PutPermission", "RemovePermission", "TagResource", "TestEventPattern"],
      "UntagResource",
    ],
  ],
  ["apigateway", ApiGateway, "APIGatewayClient", []],
  ["apigateway", ApiGatewayV2, "ApiGatewayV2Client", []],
  ["iot", IotData, "IoTDataPlaneClient", ["ListRetainedMessages"]],
  [
    "iot",
    Iot,
    "IoTClient",
    [
      ...["AttachPolicy", "AttachPrincipalPolicy", "AttachThingPrincipal", "CreateCertificateFromCsr"],
      ...["CreateKeysAndCertificate", "DeleteRegistrationCode", "DescribeEndpoint", "DetachPolicy"],
      ...["DetachPrincipalPolicy", "DetachThingPrincipal", "GetEffectivePolicies", "GetRegistrationCode"],
      ...["GetV2LoggingOptions", "ListAttachedPolicies", "ListBillingGroups", "ListCACertificates"],
      ...["ListCertificates", "ListCertificatesByCA", "ListPolicies", "ListPolicyPrincipals"],
      ...["ListPrincipalPolicies", "ListPrincipalThings", "ListPrincipalThingsV2", "ListTagsForResource"],
      ...["ListThingGroups", "ListThingTypes", "ListThings", "ListTopicRules", "RegisterCACertificate"],
      ...["RegisterCertificate", "RegisterCertificateWithoutCA", "SetV2LoggingOptions", "TagResource"],
      ...["TestAuthorization", "UntagResource"],
    ],
  ],
  [
    "iam",
    Iam,
    "IAMClient",
    [
      ...["CreateAccountAlias", "CreatePolicyVersion", "DeleteAccountAlias", "DeletePolicy", "DeletePolicyVersion"],
      ...["GetAccessKeyLastUsed", "GetAccountSummary", "GetPolicy", "GetPolicyVersion", "ListAccountAliases"],
      ...["ListEntitiesForPolicy", "ListPolicyTags", "ListPolicyVersions", "SetDefaultPolicyVersion"],
      ...["TagPolicy", "UntagPolicy"],
    ],
  ],
])(
  "asks for each operation of %s (%#) what the service authorization reference says, for all resources only where there are none",
  async (prefix, sdk, client, wide) => {
    const found = await asked(sdk, client);
    for (const permissions of found.values())
      for (const one of permissions) expect(one).toMatch(new RegExp(`^${prefix}:\\w+ (\\*|arn:aws:\\S+)$`));
    expect(onAll(found)).toEqual(wide);
    expect(faults).toEqual([]);
  },
);
