import { type Access, type AccessTable, passRole, requestTags, resourceTags } from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import { AwsError } from "../../core/errors";
import type { Context } from "../../core/service";
import { parseReference } from "./names";
import type { Parts, Sdk } from "./parts";
import { policyOf } from "./permissions";
import type { FunctionRecord } from "./state";

type Conditions = Record<string, readonly string[] | undefined>;
type Reference = { readonly FunctionName?: string | undefined; readonly Qualifier?: string | null };

const one = (value: string | undefined) => (value === undefined ? undefined : [value]);

/**
 * What Lambda wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html).
 * Who calls with a qualifier needs the permission for the function's ARN with it.
 *
 * Not emulated: the key `lambda:SourceFunctionArn`, which calls of functions have with every service.
 */
export function access({ states }: Pick<Parts, "states">): AccessTable<Sdk> {
  const find = ({ FunctionName, Qualifier }: Reference, context: Context): Found => {
    const { region, account, name, qualifier } = read(FunctionName, Qualifier, context);
    const fn = states.of({ region, account }).functions.get(name);
    return { arn: formatArn("lambda", region, account, `function:${name}`), fn, qualifier };
  };
  const read = (name: string | undefined, qualifier: string | null | undefined, context: Context) => {
    try {
      return parseReference(states.of(context), name, qualifier);
    } catch (error) {
      if (error instanceof AwsError) return { ...context, name: "*", qualifier: undefined };
      throw error;
    }
  };
  const on = (action: string, { arn, fn, qualifier }: Found, conditions?: () => Conditions): Access => {
    return {
      action: `lambda:${action}`,
      resource: qualifier === undefined ? arn : `${arn}:${qualifier}`,
      policy: fn && policyOf({ fn, qualifier }),
      get conditions() {
        return { ...resourceTags(fn && Object.entries(fn.tags)), ...conditions?.() };
      },
    };
  };

  const fn = (action: string) => (input: Reference, context: Context) => on(action, find(input, context));
  /** For what belongs to the function and not to one of its versions. */
  const whole = (action: string) => (input: Reference, context: Context) =>
    on(action, { ...find(input, context), qualifier: undefined });
  const url = (action: string) => (input: Reference & { AuthType?: string }, context: Context) => {
    const found = find(input, context);
    return on(action, found, () => ({
      "lambda:FunctionArn": [found.arn],
      "lambda:FunctionUrlAuthType": one(input.AuthType ?? found.fn?.urls.get(found.qualifier ?? "")?.AuthType),
    }));
  };
  const settings = ({ VpcConfig, Layers }: SettingsInput): Conditions => ({
    "lambda:SubnetIds": VpcConfig?.SubnetIds,
    "lambda:SecurityGroupIds": VpcConfig?.SecurityGroupIds,
    "lambda:Layer": Layers,
  });
  const mapping =
    (action: string) =>
    ({ UUID = "*", FunctionName }: { UUID: string | undefined; FunctionName?: string }, context: Context): Access => {
      const state = states.of(context);
      return {
        action: `lambda:${action}`,
        resource: state.arn(`event-source-mapping:${UUID}`),
        get conditions() {
          const known = state.mappings.get(UUID);
          const arn = FunctionName === undefined ? known?.config.FunctionArn : find({ FunctionName }, context).arn;
          return { ...resourceTags(known && Object.entries(known.tags)), "lambda:FunctionArn": one(arn) };
        },
      };
    };
  const tagged =
    (action: string) =>
    (input: { Resource: string | undefined; Tags?: Record<string, string>; TagKeys?: string[] }, context: Context) => {
      const { Resource = "", Tags, TagKeys } = input;
      const conditions = () => requestTags(Tags, TagKeys);
      const uuid = /:event-source-mapping:([^:]+)$/.exec(Resource)?.[1];
      if (uuid === undefined) return on(action, findByArn(Resource, context), conditions);
      const needed = mapping(action)({ UUID: uuid }, context);
      return {
        ...needed,
        get conditions() {
          return { ...needed.conditions, ...conditions() };
        },
      };
    };
  const findByArn = (arn: string, context: Context) =>
    parseArn(arn)?.service === "lambda" ? find({ FunctionName: arn }, context) : { arn: "*" };
  const everywhere = (action: string, conditions?: Conditions): Access => ({
    action: `lambda:${action}`,
    resource: "*",
    conditions,
  });
  const all = (action: string) => () => everywhere(action);

  return {
    CreateFunction(input, context) {
      const found = find(input, context);
      const tags = () => requestTags(input.Tags);
      return [
        on("CreateFunction", found, () => ({
          ...tags(),
          ...settings(input),
          "lambda:CodeSigningConfigArn": one(input.CodeSigningConfigArn),
        })),
        // https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html#fxn-tags-required-permissions
        ...(Object.keys(input.Tags ?? {}).length > 0 ? [on("TagResource", found, tags)] : []),
        ...passRole(input.Role, "lambda.amazonaws.com"),
      ];
    },
    UpdateFunctionConfiguration: (input, context) => [
      on("UpdateFunctionConfiguration", find(input, context), () => settings(input)),
      ...passRole(input.Role, "lambda.amazonaws.com"),
    ],
    UpdateFunctionCode: fn("UpdateFunctionCode"),
    GetFunction: fn("GetFunction"),
    GetFunctionConfiguration: fn("GetFunctionConfiguration"),
    DeleteFunction: fn("DeleteFunction"),
    ListFunctions: all("ListFunctions"),
    PublishVersion: fn("PublishVersion"),
    ListVersionsByFunction: fn("ListVersionsByFunction"),
    CreateAlias: whole("CreateAlias"),
    GetAlias: whole("GetAlias"),
    UpdateAlias: whole("UpdateAlias"),
    DeleteAlias: whole("DeleteAlias"),
    ListAliases: whole("ListAliases"),

    Invoke: fn("InvokeFunction"),
    InvokeAsync: fn("InvokeAsync"),

    AddPermission: (input, context) =>
      on("AddPermission", find(input, context), () => ({
        "lambda:Principal": one(input.Principal),
        "lambda:FunctionUrlAuthType": one(input.FunctionUrlAuthType),
      })),
    RemovePermission(input, context) {
      const found = find(input, context);
      return on("RemovePermission", found, () => ({
        "lambda:Principal": one(principalOf(found, input.StatementId)),
      }));
    },
    GetPolicy: fn("GetPolicy"),

    ListTags: tagged("ListTags"),
    TagResource: tagged("TagResource"),
    UntagResource: tagged("UntagResource"),

    PutFunctionConcurrency: fn("PutFunctionConcurrency"),
    GetFunctionConcurrency: fn("GetFunctionConcurrency"),
    DeleteFunctionConcurrency: fn("DeleteFunctionConcurrency"),
    PutProvisionedConcurrencyConfig: fn("PutProvisionedConcurrencyConfig"),
    GetProvisionedConcurrencyConfig: fn("GetProvisionedConcurrencyConfig"),
    DeleteProvisionedConcurrencyConfig: fn("DeleteProvisionedConcurrencyConfig"),
    ListProvisionedConcurrencyConfigs: fn("ListProvisionedConcurrencyConfigs"),
    GetAccountSettings: all("GetAccountSettings"),
    PutFunctionEventInvokeConfig: fn("PutFunctionEventInvokeConfig"),
    UpdateFunctionEventInvokeConfig: fn("UpdateFunctionEventInvokeConfig"),
    GetFunctionEventInvokeConfig: fn("GetFunctionEventInvokeConfig"),
    DeleteFunctionEventInvokeConfig: fn("DeleteFunctionEventInvokeConfig"),
    ListFunctionEventInvokeConfigs: fn("ListFunctionEventInvokeConfigs"),
    GetFunctionCodeSigningConfig: fn("GetFunctionCodeSigningConfig"),
    GetFunctionRecursionConfig: fn("GetFunctionRecursionConfig"),
    PutFunctionRecursionConfig: fn("PutFunctionRecursionConfig"),
    GetRuntimeManagementConfig: fn("GetRuntimeManagementConfig"),
    PutRuntimeManagementConfig: fn("PutRuntimeManagementConfig"),
    CreateFunctionUrlConfig: url("CreateFunctionUrlConfig"),
    GetFunctionUrlConfig: url("GetFunctionUrlConfig"),
    UpdateFunctionUrlConfig: url("UpdateFunctionUrlConfig"),
    DeleteFunctionUrlConfig: url("DeleteFunctionUrlConfig"),
    ListFunctionUrlConfigs: url("ListFunctionUrlConfigs"),

    CreateEventSourceMapping(input, context) {
      const FunctionArn = { "lambda:FunctionArn": [find(input, context).arn] };
      const created = everywhere("CreateEventSourceMapping", { ...FunctionArn, ...requestTags(input.Tags) });
      if (Object.keys(input.Tags ?? {}).length === 0) return created;
      return [created, { ...mapping("TagResource")({ UUID: "*" }, context), conditions: created.conditions }];
    },
    GetEventSourceMapping: mapping("GetEventSourceMapping"),
    UpdateEventSourceMapping: mapping("UpdateEventSourceMapping"),
    DeleteEventSourceMapping: mapping("DeleteEventSourceMapping"),
    ListEventSourceMappings: all("ListEventSourceMappings"),
  };
}

/** A function that a request means, whether or not there is one. */
interface Found {
  /** Without qualifier. */
  readonly arn: string;
  readonly fn?: FunctionRecord;
  readonly qualifier?: string;
}

interface SettingsInput {
  readonly VpcConfig?: { readonly SubnetIds?: string[]; readonly SecurityGroupIds?: string[] };
  readonly Layers?: string[];
}

/** Whom a statement of a function's policy lets in, as AddPermission was given it. */
function principalOf({ fn, qualifier = "" }: Found, statementId: string | undefined): string | undefined {
  const principal = fn?.policies.get(qualifier)?.statements.get(statementId ?? "")?.Principal;
  if (principal === undefined || principal === "*") return principal;
  return "Service" in principal ? principal.Service : principal.AWS;
}
