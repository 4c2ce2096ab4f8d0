import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Checks } from "./checks";
import type { InlineFunction } from "./inline-function";

/** Notes a mistake in an option that is a schedule. */
export function checkSchedule(checks: Checks, option: string, schedule: unknown, use: string): void {
  // EventBridge wants one of a kind in the singular, and several in the plural.
  const form = /^(none|rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)|cron\([^()]+\))$/;
  checks.text(option, schedule, form, 'be rate(...), cron(...) or "none"', use);
}

/**
 * Runs a function on a schedule, `rate(...)` or `cron(...)`, with the event `{}`; undefined for "none".
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function runOnSchedule(
  name: string,
  handler: InlineFunction,
  schedule: string,
  opts: pulumi.CustomResourceOptions,
): aws.cloudwatch.EventRule | undefined {
  if (schedule === "none") return undefined;
  const rule = new aws.cloudwatch.EventRule(
    `${name}-schedule`,
    { description: `Runs ${name}`, scheduleExpression: schedule },
    opts,
  );
  new aws.lambda.Permission(
    `${name}-permission`,
    {
      ...{ action: "lambda:InvokeFunction", function: handler.function.name },
      ...{ principal: "events.amazonaws.com", sourceArn: rule.arn },
    },
    opts,
  );
  // Not the event of the rule, which says nothing of what is to be done.
  new aws.cloudwatch.EventTarget(`${name}-target`, { rule: rule.name, arn: handler.function.arn, input: "{}" }, opts);
  return rule;
}
