import {
  AddThingToBillingGroupCommand,
  AddThingToThingGroupCommand,
  CreateBillingGroupCommand,
  CreateThingCommand,
  type CreateThingCommandInput,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteBillingGroupCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DeleteThingTypeCommand,
  DeprecateThingTypeCommand,
  DescribeBillingGroupCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  DescribeThingTypeCommand,
  IoTClient,
  ListBillingGroupsCommand,
  ListTagsForResourceCommand,
  ListThingGroupsCommand,
  ListThingGroupsForThingCommand,
  ListThingsCommand,
  type ListThingsCommandInput,
  ListThingsInBillingGroupCommand,
  ListThingsInThingGroupCommand,
  ListThingTypesCommand,
  RemoveThingFromThingGroupCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateThingCommand,
  UpdateThingGroupCommand,
  UpdateThingGroupsForThingCommand,
} from "@aws-sdk/client-iot";
import { beforeAll, describe, expect, test } from "vitest";
import { iotArn } from "./harness/devices";
import { settings, useEmulator } from "./harness/emulator";
import { refusal } from "./harness/policies";

const emulator = useEmulator();
let iot: IoTClient;
beforeAll(() => {
  iot = new IoTClient(settings(emulator.current));
});

const create = (thingName: string, attributes: Record<string, string> = {}, thingTypeName?: string) =>
  iot.send(new CreateThingCommand({ thingName, thingTypeName, attributePayload: { attributes } }));
const describeThing = (thingName: string) => iot.send(new DescribeThingCommand({ thingName }));

describe("things", () => {
  test("have a name, an ARN, attributes and a version that counts changes", async () => {
    const made = await create("lathe", { site: "north", line: "1" });
    expect(made).toMatchObject({ thingName: "lathe", thingArn: iotArn("thing/lathe") });
    await iot.send(
      new UpdateThingCommand({
        thingName: "lathe",
        expectedVersion: 1,
        attributePayload: { attributes: { line: "", hall: "7" }, merge: true },
      }),
    );
    expect(await describeThing("lathe")).toMatchObject({
      thingId: made.thingId,
      defaultClientId: "lathe",
      attributes: { site: "north", hall: "7" },
      version: 2,
    });
    await iot.send(new UpdateThingCommand({ thingName: "lathe", attributePayload: { attributes: { only: "this" } } }));
    expect((await describeThing("lathe")).attributes).toEqual({ only: "this" });
  });

  test("are created again without harm, but not with other attributes", async () => {
    const first = await create("twice", { a: "1" });
    expect((await create("twice", { a: "1" })).thingId).toBe(first.thingId);
    expect((await refusal(create("twice", { a: "2" }))).filter((_, index) => index !== 1)).toEqual([
      "ResourceAlreadyExistsException",
      409,
    ]);
    expect((await describeThing("twice")).attributes).toEqual({ a: "1" });
  });

  test("are changed and deleted only in the version that the caller knows", async () => {
    await create("versioned");
    const stale = { thingName: "versioned", expectedVersion: 7 };
    expect((await refusal(iot.send(new UpdateThingCommand(stale))))[0]).toBe("VersionConflictException");
    expect((await refusal(iot.send(new DeleteThingCommand(stale))))[0]).toBe("VersionConflictException");
    await iot.send(new DeleteThingCommand({ thingName: "versioned", expectedVersion: 1 }));
    expect(await refusal(describeThing("versioned"))).toEqual([
      "ResourceNotFoundException",
      "Thing versioned cannot be found.",
      404,
    ]);
    await iot.send(new DeleteThingCommand({ thingName: "versioned" }));
  });

  test("are listed by name, attribute and type, page by page", async () => {
    const client = new IoTClient(settings(emulator.current, { region: "us-east-1" }));
    await client.send(new CreateThingTypeCommand({ thingTypeName: "pump" }));
    for (const [thingName, site, thingTypeName] of [
      ["c", "north-1", undefined],
      ["a", "north-2", "pump"],
      ["b", "south", "pump"],
    ] as const)
      await client.send(
        new CreateThingCommand({ thingName, thingTypeName, attributePayload: { attributes: { site } } }),
      );
    const names = async (input: ListThingsCommandInput) =>
      (await client.send(new ListThingsCommand(input))).things!.map(({ thingName }) => thingName);
    const first = await client.send(new ListThingsCommand({ maxResults: 2 }));
    expect(first.things!.map(({ thingName }) => thingName)).toEqual(["a", "b"]);
    expect(await names({ nextToken: first.nextToken })).toEqual(["c"]);
    expect(await names({ thingTypeName: "pump" })).toEqual(["a", "b"]);
    expect(await names({ attributeName: "site", attributeValue: "north-1" })).toEqual(["c"]);
    const prefix = { attributeName: "site", attributeValue: "north", usePrefixAttributeValue: true };
    expect(await names(prefix)).toEqual(["a", "c"]);
    expect(await names({ ...prefix, attributeName: "constructor" })).toEqual([]);
    expect(await names({ attributeName: "toString" })).toEqual([]);
  });

  const wrong: [what: string, input: CreateThingCommandInput, message: RegExp][] = [
    ["a name with a space", { thingName: "two words" }, /'thingName'.*pattern: \[a-zA-Z0-9:_-\]\+/],
    ["a name of 129 characters", { thingName: "x".repeat(129) }, /less than or equal to 128/],
    [
      "four attributes without a type",
      { thingName: "x", attributePayload: { attributes: { a: "1", b: "1", c: "1", d: "1" } } },
      /at most 3 attributes/,
    ],
    ["an attribute value with a space", { thingName: "x", attributePayload: { attributes: { a: "b c" } } }, /pattern/],
  ];
  test.each(wrong)("are refused with %s", async (_what, input, message) => {
    const [name, text] = await refusal(iot.send(new CreateThingCommand(input)));
    expect(name).toBe("InvalidRequestException");
    expect(text).toMatch(message);
  });

  test("of accounts and regions do not see each other", async () => {
    await create("here");
    for (const other of [{ region: "eu-north-1" }, { accessKeyId: "111122223333" }]) {
      const call = new IoTClient(settings(emulator.current, other)).send(
        new DescribeThingCommand({ thingName: "here" }),
      );
      expect((await refusal(call))[0]).toBe("ResourceNotFoundException");
    }
  });
});

describe("thing types", () => {
  test("let a thing have fifty attributes, and go after they were deprecated", async () => {
    const thingTypeName = "oven";
    await iot.send(
      new CreateThingTypeCommand({
        thingTypeName,
        thingTypeProperties: { thingTypeDescription: "hot", searchableAttributes: ["site"] },
        tags: [{ Key: "team", Value: "bakery" }],
      }),
    );
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`a${index}`, "1"]));
    await create("oven-1", attributes, thingTypeName);
    expect((await describeThing("oven-1")).thingTypeName).toBe("oven");
    const remove = () => iot.send(new DeleteThingTypeCommand({ thingTypeName }));
    expect((await refusal(remove()))[0]).toBe("InvalidRequestException");
    await iot.send(new DeprecateThingTypeCommand({ thingTypeName }));
    expect((await refusal(create("oven-2", {}, thingTypeName)))[0]).toBe("InvalidRequestException");
    expect(await iot.send(new DescribeThingTypeCommand({ thingTypeName }))).toMatchObject({
      thingTypeProperties: { thingTypeDescription: "hot", searchableAttributes: ["site"] },
      thingTypeMetadata: { deprecated: true },
    });
    expect((await refusal(remove()))[1]).toMatch(/associated with one or more things/);
    await iot.send(new DeleteThingCommand({ thingName: "oven-1" }));
    await remove();
    expect((await iot.send(new ListThingTypesCommand({}))).thingTypes).toEqual([]);
  });

  test("that are not there are refused", async () => {
    expect((await refusal(create("x", {}, "unknown")))[0]).toBe("ResourceNotFoundException");
  });
});

describe("thing groups", () => {
  test("hold things, and the groups below them", async () => {
    const group = (thingGroupName: string, parentGroupName?: string) =>
      iot.send(new CreateThingGroupCommand({ thingGroupName, parentGroupName }));
    const root = await group("factory");
    await group("hall", "factory");
    await group("line", "hall");
    await create("robot");
    const member = { thingGroupName: "line", thingName: "robot" };
    await iot.send(new AddThingToThingGroupCommand(member));
    expect(await iot.send(new DescribeThingGroupCommand({ thingGroupName: "line" }))).toMatchObject({
      thingGroupMetadata: {
        parentGroupName: "hall",
        rootToParentThingGroups: [{ groupName: "factory", groupArn: root.thingGroupArn }, { groupName: "hall" }],
      },
    });
    const things = async (recursive: boolean) =>
      (await iot.send(new ListThingsInThingGroupCommand({ thingGroupName: "factory", recursive }))).things;
    expect([await things(false), await things(true)]).toEqual([[], ["robot"]]);
    const { thingGroups } = await iot.send(new ListThingGroupsForThingCommand({ thingName: "robot" }));
    expect(thingGroups!.map(({ groupName }) => groupName)).toEqual(["line"]);
    const below = await iot.send(new ListThingGroupsCommand({ parentGroup: "factory" }));
    expect(below.thingGroups!.map(({ groupName }) => groupName)).toEqual(["hall", "line"]);
    const twice = iot.send(new AddThingToThingGroupCommand({ thingGroupName: "hall", thingName: "robot" }));
    expect((await refusal(twice))[0]).toBe("InvalidRequestException");
    const hasChildren = iot.send(new DeleteThingGroupCommand({ thingGroupName: "hall" }));
    expect((await refusal(hasChildren))[0]).toBe("InvalidRequestException");
    await iot.send(new RemoveThingFromThingGroupCommand(member));
    expect(await things(true)).toEqual([]);
    await iot.send(new DeleteThingGroupCommand({ thingGroupName: "line" }));
  });

  test("take a thing that is moved between them, unless it would be in two of one hierarchy or in eleven", async () => {
    for (const [thingGroupName, parentGroupName] of [["site"], ["east", "site"], ["west", "site"]] as const)
      await iot.send(new CreateThingGroupCommand({ thingGroupName, parentGroupName }));
    const many = Array.from({ length: 11 }, (_, index) => `many-${index}`);
    for (const thingGroupName of many) await iot.send(new CreateThingGroupCommand({ thingGroupName }));
    await create("van");
    const move = (thingGroupsToAdd: string[], thingGroupsToRemove: string[] = []) =>
      iot.send(new UpdateThingGroupsForThingCommand({ thingName: "van", thingGroupsToAdd, thingGroupsToRemove }));
    const groups = async () =>
      (await iot.send(new ListThingGroupsForThingCommand({ thingName: "van" }))).thingGroups!.map(
        (one) => one.groupName,
      );
    await move(["east"]);
    await move(["west"], ["east"]);
    expect(await groups()).toEqual(["west"]);
    expect((await refusal(move(["east"])))[0]).toBe("InvalidRequestException");
    expect((await refusal(move(many, ["west"])))[0]).toBe("LimitExceededException");
    expect(await groups()).toEqual(["west"]);
  });

  test("have a description, attributes and a version", async () => {
    const thingGroupName = "described";
    const properties = (thingGroupDescription: string) => ({
      thingGroupDescription,
      attributePayload: { attributes: { a: "1" } },
    });
    await iot.send(new CreateThingGroupCommand({ thingGroupName, thingGroupProperties: properties("old") }));
    const updated = await iot.send(
      new UpdateThingGroupCommand({ thingGroupName, thingGroupProperties: properties("new"), expectedVersion: 1 }),
    );
    expect(updated.version).toBe(2);
    expect(await iot.send(new DescribeThingGroupCommand({ thingGroupName }))).toMatchObject({
      version: 2,
      thingGroupProperties: { thingGroupDescription: "new", attributePayload: { attributes: { a: "1" } } },
    });
  });
});

test("keeps each thing in one billing group at most", async () => {
  for (const billingGroupName of ["cost-a", "cost-b"])
    await iot.send(new CreateBillingGroupCommand({ billingGroupName }));
  await create("paid");
  await iot.send(new AddThingToBillingGroupCommand({ billingGroupName: "cost-a", thingName: "paid" }));
  const second = iot.send(new AddThingToBillingGroupCommand({ billingGroupName: "cost-b", thingName: "paid" }));
  expect((await refusal(second))[0]).toBe("InvalidRequestException");
  expect((await describeThing("paid")).billingGroupName).toBe("cost-a");
  const { things } = await iot.send(new ListThingsInBillingGroupCommand({ billingGroupName: "cost-a" }));
  expect(things).toEqual(["paid"]);
  expect(await iot.send(new DescribeBillingGroupCommand({ billingGroupName: "cost-a" }))).toMatchObject({ version: 1 });
  await iot.send(new DeleteBillingGroupCommand({ billingGroupName: "cost-a" }));
  expect((await describeThing("paid")).billingGroupName).toBeUndefined();
  const { billingGroups } = await iot.send(new ListBillingGroupsCommand({}));
  expect(billingGroups!.map(({ groupName }) => groupName)).toEqual(["cost-b"]);
});

test("tags types, groups and policies", async () => {
  const { thingGroupArn: resourceArn } = await iot.send(
    new CreateThingGroupCommand({ thingGroupName: "tagged", tags: [{ Key: "a", Value: "1" }] }),
  );
  await iot.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "b", Value: "2" }] }));
  await iot.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
  const { tags } = await iot.send(new ListTagsForResourceCommand({ resourceArn }));
  expect(tags).toEqual([{ Key: "b", Value: "2" }]);
  const unknown = iot.send(new ListTagsForResourceCommand({ resourceArn: iotArn("thinggroup/none") }));
  expect((await refusal(unknown))[0]).toBe("ResourceNotFoundException");
});

test("names the addresses of the endpoints that there are, and refuses the others", async () => {
  const address = async (endpointType?: string) =>
    (await iot.send(new DescribeEndpointCommand({ endpointType }))).endpointAddress;
  expect(await address("iot:Data-ATS")).toMatch(/^localhost:\d+$/);
  expect(await address()).toBe(await address("iot:Data-ATS"));
  expect(await address("iot:CredentialProvider")).toBe(`localhost:${emulator.current.port}`);
  expect((await refusal(address("iot:Nothing")))[0]).toBe("InvalidRequestException");
});
