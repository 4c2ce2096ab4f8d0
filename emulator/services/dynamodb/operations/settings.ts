import { randomUUID } from "node:crypto";
import type { ContinuousBackupsDescription } from "@aws-sdk/client-dynamodb";
import { AwsError, notEmulated } from "../../../core/errors";
import { policyNotFound, tableNotFound, validation } from "../errors";
import type { DynamoOperations } from "../requests";
import type { Database } from "../state";
import type { Table } from "../table";
import { TimeToLive } from "../ttl";
import { atLeast, atMost, constrain, length, required } from "../validation";

const day = 24 * 3_600_000;
const tableNotThere = (name: string) => new AwsError("TableNotFoundException", `Table not found: ${name}`);

/** What is set on a table beside its definition, and what is asked about the account. */
export const settingOperations = (database: Database): DynamoOperations => ({
  UpdateTimeToLive: (input, context) => {
    const { TimeToLiveSpecification: specification } = input;
    constrain(["timeToLiveSpecification", specification, required]);
    constrain(
      ["timeToLiveSpecification.attributeName", specification!.AttributeName, required, length(1, 255)],
      ["timeToLiveSpecification.enabled", specification!.Enabled, required],
    );
    const table = database.table(input.TableName, context, tableNotFound);
    setTimeToLive(database, table, specification!.AttributeName!, specification!.Enabled!);
    return { TimeToLiveSpecification: specification };
  },

  DescribeTimeToLive: (input, context) => {
    const { timeToLive } = database.table(input.TableName, context, tableNotFound);
    return {
      TimeToLiveDescription: timeToLive
        ? { TimeToLiveStatus: "ENABLED", AttributeName: timeToLive.attribute }
        : { TimeToLiveStatus: "DISABLED" },
    };
  },

  UpdateContinuousBackups: (input, context) => {
    const { PointInTimeRecoverySpecification: specification } = input;
    constrain(["pointInTimeRecoverySpecification", specification, required]);
    const { PointInTimeRecoveryEnabled: enabled, RecoveryPeriodInDays: days = 35 } = specification!;
    constrain(
      ["pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled", enabled, required],
      ["pointInTimeRecoverySpecification.recoveryPeriodInDays", days, atLeast(1), atMost(35)],
    );
    const table = database.table(input.TableName, context, tableNotThere);
    table.recovery = enabled ? { since: table.recovery?.since ?? new Date(database.now()), days } : undefined;
    return { ContinuousBackupsDescription: backupsOf(table, database.now()) };
  },

  DescribeContinuousBackups: (input, context) => ({
    ContinuousBackupsDescription: backupsOf(database.table(input.TableName, context, tableNotThere), database.now()),
  }),

  PutResourcePolicy: (input) => {
    constrain(["resourceArn", input.ResourceArn, required], ["policy", input.Policy, required, length(1)]);
    const table = policyOwner(database, input.ResourceArn!);
    checkRevision(table, input.ExpectedRevisionId);
    checkPolicy(input.Policy!);
    table.policy = { text: input.Policy!, revision: randomUUID() };
    return { RevisionId: table.policy.revision };
  },

  GetResourcePolicy: (input) => {
    constrain(["resourceArn", input.ResourceArn, required]);
    const { policy } = policyOwner(database, input.ResourceArn!);
    if (!policy) throw policyNotFound(input.ResourceArn!);
    return { Policy: policy.text, RevisionId: policy.revision };
  },

  DeleteResourcePolicy: (input) => {
    constrain(["resourceArn", input.ResourceArn, required]);
    const table = policyOwner(database, input.ResourceArn!);
    checkRevision(table, input.ExpectedRevisionId);
    const revision = table.policy?.revision;
    table.policy = undefined;
    return { RevisionId: revision };
  },

  DescribeKinesisStreamingDestination: (input, context) => ({
    TableName: database.table(input.TableName, context).name,
    KinesisDataStreamDestinations: [],
  }),

  DescribeContributorInsights: (input, context) => ({
    TableName: database.table(input.TableName, context).name,
    IndexName: input.IndexName,
    ContributorInsightsStatus: "DISABLED",
  }),

  DescribeLimits: () => ({
    AccountMaxReadCapacityUnits: 80_000,
    AccountMaxWriteCapacityUnits: 80_000,
    TableMaxReadCapacityUnits: 40_000,
    TableMaxWriteCapacityUnits: 40_000,
  }),

  DescribeEndpoints: () => ({
    Endpoints: [{ Address: database.host.publicHost(), CachePeriodInMinutes: 1440 }],
  }),
});

function setTimeToLive(database: Database, table: Table, attribute: string, enabled: boolean): void {
  const { timeToLive: current } = table;
  if (enabled) {
    if (current?.attribute === attribute) throw validation("TimeToLive is already enabled");
    if (current)
      throw validation(
        `TimeToLive is active on a different AttributeName: current AttributeName is ${current.attribute}`,
      );
    const timeToLive = new TimeToLive(attribute, database.host.clock, (key) => table.delete(key, undefined, true));
    table.timeToLive = timeToLive;
    table.rows.each((row) => timeToLive.follow(undefined, row));
    return;
  }
  if (!current) throw validation("TimeToLive is already disabled");
  if (current.attribute !== attribute) {
    throw validation(
      `TimeToLive is active on a different AttributeName: current AttributeName is ${current.attribute}`,
    );
  }
  current.stop();
  table.timeToLive = undefined;
}

function backupsOf({ recovery }: Table, now: number): ContinuousBackupsDescription {
  return {
    ContinuousBackupsStatus: "ENABLED",
    PointInTimeRecoveryDescription: recovery
      ? {
          PointInTimeRecoveryStatus: "ENABLED",
          RecoveryPeriodInDays: recovery.days,
          EarliestRestorableDateTime: new Date(Math.max(recovery.since.getTime(), now - recovery.days * day)),
          LatestRestorableDateTime: new Date(now),
        }
      : { PointInTimeRecoveryStatus: "DISABLED" },
  };
}

function policyOwner(database: Database, arn: string): Table {
  if (arn.includes("/stream/")) throw notEmulated("dynamodb", "ResourcePolicy", "policies of streams");
  return database.resource(arn);
}

function checkRevision({ arn, policy }: Table, expected: string | undefined): void {
  if (expected === undefined) return;
  if (expected === "NO_POLICY" ? policy === undefined : policy?.revision === expected) return;
  throw policyNotFound(arn);
}

function checkPolicy(text: string): void {
  try {
    if (typeof JSON.parse(text) === "object") return;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw validation("Policy document is malformed: it is not a JSON object");
}
