import type { Target } from "@aws-sdk/client-eventbridge";
import { parseArn } from "../../core/arn";
import { notEmulated } from "../../core/errors";
import { endsOf, limits } from "../../core/limits";
import type { Scope } from "../../core/service";
import { busReference, check, page, roleArn, ruleName } from "./checks";
import { inReach, kindOf } from "./destinations";
import { invalid, invalidParameter, tooMany } from "./errors";
import type { EventsOperations, Store } from "./store";

/** Targets of a rule (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const mostTargets = limits.events.targets.value;

const targetId = { required: true, length: [1, 64], pattern: /^[.\-_A-Za-z0-9]+$/ } as const;

/** Parameters of targets that are not emulated. */
const foreignParameters = [
  ...(["RunCommandParameters", "EcsParameters", "BatchParameters", "HttpParameters"] as const),
  ...(["RedshiftDataParameters", "SageMakerPipelineParameters", "AppSyncParameters"] as const),
];

function checkConstraintsOf(target: Target, at: string): void {
  const { RetryPolicy, InputTransformer, SqsParameters, KinesisParameters, DeadLetterConfig } = target;
  check({
    [`${at}.id`]: [target.Id, targetId],
    [`${at}.arn`]: [target.Arn, { required: true, length: [1, 1600] }],
    [`${at}.roleArn`]: [target.RoleArn, roleArn],
    [`${at}.input`]: [target.Input, { length: [0, limits.events.input.value] }],
    [`${at}.inputPath`]: [target.InputPath, { length: [0, 256] }],
    [`${at}.retryPolicy.maximumRetryAttempts`]: [
      RetryPolicy?.MaximumRetryAttempts,
      { range: endsOf(limits.events.retries) },
    ],
    [`${at}.retryPolicy.maximumEventAgeInSeconds`]: [
      RetryPolicy?.MaximumEventAgeInSeconds,
      { range: endsOf(limits.events.eventAge) },
    ],
    [`${at}.sqsParameters.messageGroupId`]: [SqsParameters?.MessageGroupId, { length: [1, 128] }],
    [`${at}.deadLetterConfig.arn`]: [DeadLetterConfig?.Arn, { length: [1, 1600] }],
    ...(KinesisParameters && {
      [`${at}.kinesisParameters.partitionKeyPath`]: [
        KinesisParameters.PartitionKeyPath,
        { required: true, length: [0, 256] },
      ],
    }),
    ...(InputTransformer && {
      [`${at}.inputTransformer.inputTemplate`]: [
        InputTransformer.InputTemplate,
        { required: true, length: [1, limits.events.input.value] },
      ],
    }),
  });
}

const checkPath = (path: string, what: string) => {
  if (!/^\$($|[.[])/.test(path)) throw invalidParameter(what, `"${path}" is no JSON path; a path begins with $.`);
};

function checkInput({ Id, Input, InputPath, InputTransformer }: Target): void {
  if ([Input, InputPath, InputTransformer].filter((given) => given !== undefined).length > 1) {
    throw invalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  }
  if (InputPath !== undefined) checkPath(InputPath, "InputPath");
  const paths = Object.entries(InputTransformer?.InputPathsMap ?? {});
  const { value: mostPaths } = limits.events.inputPaths;
  if (paths.length > mostPaths) throw invalidParameter("InputPathsMap", `it can have ${mostPaths} paths.`);
  for (const [name, path] of paths) {
    if (!/^[\w-]{1,256}$/.test(name) || /^aws/i.test(name)) {
      throw invalidParameter(
        "InputPathsMap",
        `"${name}" is no name; one has letters, digits, - and _, and does not begin with AWS.`,
      );
    }
    checkPath(path, "InputPathsMap");
  }
  if (Input === undefined) return;
  try {
    JSON.parse(Input);
  } catch {
    throw invalid(`JSON syntax error in input for target ${Id}: the input has to be JSON.`);
  }
}

function checkTarget(target: Target, at: string, scope: Scope): void {
  checkConstraintsOf(target, at);
  const { Id, Arn = "", RoleArn, SqsParameters, DeadLetterConfig } = target;
  const arn = parseArn(Arn);
  if (!arn) throw invalidParameter(Arn, "Provided Arn is not in correct format.");
  const foreign = foreignParameters.find((name) => target[name] !== undefined);
  const kind = kindOf(arn);
  if (!kind || foreign) {
    throw notEmulated(
      "events",
      "PutTargets",
      `${foreign ?? `the target ${Arn}`}: functions, queues, topics, data streams, log groups and event buses are`,
    );
  }
  if ((arn.service === "kinesis" || arn.service === "logs") && arn.account !== scope.account) {
    throw notEmulated("events", "PutTargets", `the target ${Arn}: data streams and log groups of other accounts`);
  }
  if (!inReach(arn, scope)) throw invalidParameter(Arn, "The target has to be in the Region of the rule.");
  if (kind.needsRole && RoleArn === undefined) throw invalid(`RoleArn is required for target ${Arn}.`);
  if (arn.service === "sqs" && Arn.endsWith(".fifo") && SqsParameters?.MessageGroupId === undefined) {
    throw invalid(`Parameter(s) SqsParameters must be specified for target: ${Id}.`);
  }
  checkInput(target);
  if (DeadLetterConfig?.Arn === undefined) return;
  const queue = parseArn(DeadLetterConfig.Arn);
  if (queue?.service !== "sqs" || queue.region !== scope.region || DeadLetterConfig.Arn.endsWith(".fifo")) {
    throw invalidParameter("DeadLetterConfig", "Arn has to be that of a standard queue in the Region of the rule.");
  }
}

/** What rules send to. */
export const targetOperations = (store: Store): EventsOperations => ({
  PutTargets(input, context) {
    check({
      rule: [input.Rule, ruleName],
      eventBusName: [input.EventBusName, busReference],
      targets: [input.Targets, { required: true, length: [1, 100] }],
    });
    const { targets, bus } = store.rule(input.Rule, input.EventBusName, context);
    input.Targets!.forEach((target, index) => {
      checkTarget(target, `targets.${index + 1}.member`, bus);
    });
    if (new Set([...targets.keys(), ...input.Targets!.map(({ Id }) => Id)]).size > mostTargets) throw tooMany();
    for (const target of input.Targets!) targets.set(target.Id!, target);
    return { FailedEntryCount: 0, FailedEntries: [] };
  },

  RemoveTargets(input, context) {
    check({
      rule: [input.Rule, ruleName],
      eventBusName: [input.EventBusName, busReference],
      ids: [input.Ids, { required: true, length: [1, 100] }],
    });
    const { targets, name } = store.rule(input.Rule, input.EventBusName, context);
    const FailedEntries = input.Ids!.flatMap((TargetId) =>
      targets.delete(TargetId)
        ? []
        : {
            TargetId,
            ErrorCode: "ResourceNotFoundException",
            ErrorMessage: `Rule '${name}' does not have a target with the Id '${TargetId}'.`,
          },
    );
    return { FailedEntryCount: FailedEntries.length, FailedEntries };
  },

  ListTargetsByRule(input, context) {
    check({ rule: [input.Rule, ruleName], eventBusName: [input.EventBusName, busReference] });
    const { targets } = store.rule(input.Rule, input.EventBusName, context);
    const { items, NextToken } = page(targets.values(), ({ Id = "" }) => Id, input);
    return { Targets: items, NextToken };
  },

  ListRuleNamesByTarget(input, context) {
    check({
      targetArn: [input.TargetArn, { required: true, length: [1, 1600] }],
      eventBusName: [input.EventBusName, busReference],
    });
    const rules = [...store.bus(input.EventBusName, context).rules.values()].filter(({ targets }) =>
      [...targets.values()].some(({ Arn }) => Arn === input.TargetArn),
    );
    const { items, NextToken } = page(rules, ({ name }) => name, input);
    return { RuleNames: items.map(({ name }) => name), NextToken };
  },
});
