import { TimestreamQuery } from "@aws-sdk/client-timestream-query";
import { TimestreamWrite } from "@aws-sdk/client-timestream-write";
import { beforeAll, expect, it } from "vitest";
import { missing, needs, Subjects, type User } from "./harness/access";
import { useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let ann: User;
let write: TimestreamWrite;
let query: TimestreamQuery;
const arn = (rest: string) => `arn:aws:timestream:eu-west-1:000000000000:database/${rest}`;
const names = { DatabaseName: "home", TableName: "rooms" };
const records = () => [
  {
    MeasureName: "t",
    MeasureValue: "1",
    MeasureValueType: "DOUBLE" as const,
    Dimensions: [{ Name: "d", Value: "1" }],
    Time: String(emulator.current.clock.now()),
  },
];

beforeAll(async () => {
  const subjects = new Subjects(emulator.current);
  ann = await subjects.user("ann");
  write = new TimestreamWrite(ann.settings);
  query = new TimestreamQuery(ann.settings);
  const admin = new TimestreamWrite(subjects.admin);
  await admin.createDatabase({ DatabaseName: "home" });
  await admin.createTable(names);
});

it.each<[string, () => Promise<unknown>, string[]]>([
  ["the endpoints", () => write.describeEndpoints({}), ["timestream:DescribeEndpoints *"]],
  ["a new database", () => write.createDatabase({ DatabaseName: "new" }), [`timestream:CreateDatabase ${arn("new")}`]],
  [
    "a new table",
    () => write.createTable({ ...names, TableName: "new" }),
    [`timestream:CreateTable ${arn("home/table/new")}`],
  ],
  [
    "a table",
    () => write.writeRecords({ ...names, Records: records() }),
    [`timestream:WriteRecords ${arn("home/table/rooms")}`],
  ],
  [
    "the tables of a database",
    () => write.listTables({ DatabaseName: "home" }),
    [`timestream:ListTables ${arn("home")}`],
  ],
  ["the tables of all databases", () => write.listTables({}), [`timestream:ListTables ${arn("*")}`]],
  [
    "the tags of a table",
    () => write.listTagsForResource({ ResourceARN: arn("home/table/rooms") }),
    [`timestream:ListTagsForResource ${arn("home/table/rooms")}`],
  ],
  [
    "the table that a query reads",
    () => query.query({ QueryString: 'SELECT * FROM "home"."rooms"' }),
    [`timestream:Select ${arn("home/table/rooms")}`],
  ],
])("a call of Timestream needs permission for %s", async (_, call, expected) => {
  expect(await needs(emulator.current, ann, call)).toEqual(expected);
});

it("refuses in AWS's words", async () => {
  await ann.clear();
  expect(await refusal(write.writeRecords({ ...names, Records: records() }))).toEqual([
    "AccessDeniedException",
    missing(ann.arn, "timestream:WriteRecords", arn("home/table/rooms")),
    400,
  ]);
});

it("finds the table of a query by its syntax, not by what looks like it", async () => {
  await ann.clear();
  const QueryString = `SELECT * FROM "home"."rooms" WHERE 'FROM "free"."table"' = "d"`;
  await ann.allow({ Action: "timestream:Select", Resource: arn("free/table/*") });
  expect((await refusal(query.query({ QueryString })))[1]).toBe(
    missing(ann.arn, "timestream:Select", arn("home/table/rooms")),
  );
});
