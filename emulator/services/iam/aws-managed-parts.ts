/** One policy of AWS: its current version as AWS published it, see the AWS managed policy reference guide. */
export interface AwsManagedDocument {
  /** Number of the default version. */
  readonly version: number;
  /** When that version was published. */
  readonly date: string;
  readonly statement: unknown;
}

/** A statement that allows actions. */
export const allow = (
  actions: string | readonly string[],
  resource: string | readonly string[] = "*",
  rest: object = {},
) => ({
  Effect: "Allow",
  Action: actions,
  Resource: resource,
  ...rest,
});

/** Actions by service: `sqs: SendMessage Get*` and so on, over any number of lines. */
export function actionsOf(text: string): readonly string[] {
  let service = "";
  return text
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      if (!word.endsWith(":")) return `${service}${word}`;
      service = word;
      return [];
    });
}

/** Only to hand a role to these services. */
export const passTo = (services: string | readonly string[]) => ({
  Condition: { StringEquals: { "iam:PassedToService": services } },
});
/** Only the service-linked roles of these services. */
export const linkedRoleOf = (services: string | readonly string[], operator = "StringEquals") => ({
  Condition: { [operator]: { "iam:AWSServiceName": services } },
});
