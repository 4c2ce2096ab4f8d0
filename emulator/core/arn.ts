/** The parts of `arn:partition:service:region:account:resource`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Everything after the fifth colon, for example `function:ingest:live` or `table/readings/index/by-time`. */
  readonly resource: string;
}

/** Reads an ARN, or gives undefined where the text is none. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(":");
  if (parts.length < 6 || parts[0] !== "arn") return undefined;
  const [, partition, service, region, account, ...resource] = parts as [string, string, string, string, string];
  return { partition, service, region, account, resource: resource.join(":") };
}

/** Builds an ARN in the partition `aws`. */
export const formatArn = (service: string, region: string, account: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
