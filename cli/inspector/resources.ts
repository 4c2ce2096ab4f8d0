import type { Resource } from "../../dashboard/inspector/api";
import type { DeployedResource } from "../../deploy";
import type { Emulator, JournalEntry } from "../../emulator";
import { textOf } from "./names";

/** How often each function ran and failed, since somebody looks on. */
export class Runs {
  private readonly byArn = new Map<string, { runs: number; errors: number }>();

  count({ kind, resources, durationMs, error }: JournalEntry): void {
    const [arn] = resources;
    if (kind !== "invocation" || durationMs === undefined || arn === undefined) return;
    // Without a qualifier.
    const name = arn.split(":").slice(0, 7).join(":");
    const counts = this.byArn.get(name) ?? { runs: 0, errors: 0 };
    this.byArn.set(name, counts);
    counts.runs++;
    if (error !== undefined) counts.errors++;
  }

  of(arn: string): { runs: number; errors: number } | undefined {
    return this.byArn.get(arn);
  }
}

/** The resources of the stack with what is in them now, parents before their children. */
export function resourcesOf(
  deployed: readonly DeployedResource[],
  { inspection }: Pick<Emulator, "inspection">,
  runs: Runs,
): Resource[] {
  const shown = deployed.filter(({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("pulumi:providers:"));
  return shown.map((resource) => {
    const { urn, type, name, parent, id, recorded } = resource;
    const arn = textOf(resource, "arn");
    // Event targets and the like show the ARN of what they lead to.
    const counts = arn !== undefined && isCounted(type) ? { ...inspection.counts(arn), ...runs.of(arn) } : {};
    return {
      ...{ urn, type, name, recorded },
      ...(parent !== undefined && { parent }),
      ...((arn ?? id) !== undefined && { id: arn ?? id }),
      ...(Object.keys(counts).length > 0 && { counts }),
    };
  });
}

const counted = new Set([
  "aws:sqs/queue:Queue",
  "aws:dynamodb/table:Table",
  "aws:kinesis/stream:Stream",
  "aws:lambda/function:Function",
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketV2:BucketV2",
  "aws:apigatewayv2/api:Api",
]);
const isCounted = (type: string) => counted.has(type);
