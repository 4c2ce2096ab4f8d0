import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeletePolicyVersionCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  TestAuthorizationCommand,
} from "@aws-sdk/client-iot";
import type { IClientOptions, MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  closed,
  Devices,
  type Identity,
  inbox,
  iotArn,
  iotPolicy,
  type Statement,
  suback,
  variable,
} from "./harness/devices";
import { useEmulator } from "./harness/emulator";

const emulator = useEmulator();
let devices: Devices;
let admin: MqttClient;
/** One certificate for all: keys take long to make, so each test gives it other policies. */
let identity: Identity;
let policyName: string;
beforeAll(async () => {
  devices = new Devices(emulator.current);
  admin = await devices.connect(await devices.certificate(), { clientId: "admin" });
  identity = await devices.certificate("none");
  policyName = await devices.allow(identity);
});
afterAll(() => devices.close());

let lastVersion = 1;

/** Gives the certificate's policy other statements. */
async function setPolicy(...statements: Statement[]) {
  const { iot } = devices;
  const policyDocument = iotPolicy(statements);
  const { policyVersionId } = await iot.send(
    new CreatePolicyVersionCommand({ policyName, policyDocument, setAsDefault: true }),
  );
  await iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: String(lastVersion) }));
  lastVersion = Number(policyVersionId);
}

const anyone: Statement = { Action: "iot:Connect", Resource: "*" };
const connect = (clientId: string, options: IClientOptions = {}) => devices.connect(identity, { clientId, ...options });

/** Publishes; resolves with whether the broker took it, as its acknowledgement or the end of the connection tells. */
async function takes(client: MqttClient, topic: string, options: { retain?: boolean } = {}): Promise<boolean> {
  const ended = closed(client).then(() => false);
  return Promise.race([ended, client.publishAsync(topic, "x", { qos: 1, ...options }).then(() => true)]);
}

describe("iot:Connect", () => {
  test("lets in only client ids that a policy allows", async () => {
    await setPolicy({ Action: "iot:Connect", Resource: iotArn("client/line-1-*") });
    await connect("line-1-oven");
    await expect(connect("line-2-oven")).rejects.toThrow(/Not authorized/);
  });

  test("lets nobody in whom a policy denies what another allows", async () => {
    await setPolicy(anyone, { Effect: "Deny", Action: "iot:Connect", Resource: iotArn("client/stolen") });
    await connect("bought");
    await expect(connect("stolen")).rejects.toThrow(/Not authorized/);
  });

  test.each(["stolen", "stolen+", "stolen$1"])("denies by a condition on the client id %s", async (clientId) => {
    const Condition = { StringLike: { "iot:ClientId": "stolen*" } };
    await setPolicy(anyone, { Effect: "Deny", Action: "iot:Connect", Resource: "*", Condition });
    await connect(`bought-${clientId}`);
    await expect(connect(clientId)).rejects.toThrow(/Not authorized/);
  });

  test("lets nobody in without a policy", async () => {
    const target = identity.arn;
    await devices.iot.send(new DetachPolicyCommand({ policyName, target }));
    await expect(connect("bare")).rejects.toThrow(/Not authorized/);
    await devices.iot.send(new AttachPolicyCommand({ policyName, target }));
  });
});

describe("iot:Publish and iot:RetainPublish", () => {
  test("ends the connection that publishes where its policies do not allow", async () => {
    await setPolicy(anyone, { Action: "iot:Publish", Resource: iotArn("topic/oven/*") });
    const client = await connect("publisher");
    const messages = inbox(admin);
    await admin.subscribeAsync("fridge/#");
    expect(await takes(client, "oven/door")).toBe(true);
    expect(await takes(client, "fridge/door")).toBe(false);
    await admin.publishAsync("fridge/end", "", { qos: 1 });
    await vi.waitFor(() => expect(messages).toEqual([["fridge/end", ""]]));
  });

  test("wants iot:RetainPublish besides for a message to be retained", async () => {
    const publish: Statement = { Action: "iot:Publish", Resource: "*" };
    await setPolicy(anyone, publish);
    expect(await takes(await connect("retainer"), "kept/no", { retain: true })).toBe(false);
    await setPolicy(anyone, publish, { Action: "iot:RetainPublish", Resource: iotArn("topic/kept/*") });
    expect(await takes(await connect("retainer"), "kept/yes", { retain: true })).toBe(true);
  });

  test("lets nobody in with a will that it may not publish, and tells of it", async () => {
    await setPolicy(anyone, { Action: "iot:Publish", Resource: iotArn("topic/wills/mine") });
    const messages = inbox(admin);
    await admin.subscribeAsync(["wills/#", "$aws/events/presence/connect_failed/+"]);
    const testator = (name: string) =>
      connect(`testator-${name}`, {
        will: { topic: `wills/${name}`, payload: Buffer.from("gone"), qos: 1, retain: false },
      });
    await expect(testator("others")).rejects.toThrow(/Not authorized/);
    (await testator("mine")).stream.destroy();
    await vi.waitFor(() => expect(messages).toHaveLength(2));
    expect([messages[0]![0], JSON.parse(messages[0]![1]), messages[1]]).toEqual([
      "$aws/events/presence/connect_failed/testator-others",
      {
        clientId: "testator-others",
        timestamp: expect.any(Number),
        eventType: "connect_failed",
        connectFailureReason: "AUTHORIZATION_FAILED",
        principalIdentifier: identity.id,
        sessionIdentifier: expect.any(String),
        ipAddress: "127.0.0.1",
      },
      ["wills/mine", "gone"],
    ]);
    await admin.unsubscribeAsync("$aws/events/presence/connect_failed/+");
  });

  test("takes a change of the policy up in the connections that are open", async () => {
    await setPolicy(anyone, { Action: "iot:Publish", Resource: iotArn("topic/before") });
    const client = await connect("lasting");
    expect(await takes(client, "before")).toBe(true);
    await setPolicy(anyone, { Action: "iot:Publish", Resource: iotArn("topic/after") });
    expect(await takes(client, "after")).toBe(true);
    expect(await takes(client, "before")).toBe(false);
  });
});

describe("iot:Subscribe and iot:Receive", () => {
  test("refuses a filter that is not allowed with SUBACK 128, and grants those beside it", async () => {
    await setPolicy(anyone, { Action: "iot:Subscribe", Resource: iotArn("topicfilter/rooms/+/light") });
    const client = await connect("subscriber");
    expect(await suback(client, ["rooms/+/light", "rooms/#", "rooms/1/light"])).toEqual([0, 128, 128]);
    expect(client.connected).toBe(true);
  });

  test("keeps messages back that a client may subscribe to but not receive", async () => {
    await setPolicy(
      anyone,
      { Action: "iot:Subscribe", Resource: "*" },
      { Action: "iot:Receive", Resource: iotArn("topic/news/open/*") },
    );
    const client = await connect("reader");
    const messages = inbox(client);
    expect(await suback(client, ["news/#"])).toEqual([0]);
    await admin.publishAsync("news/secret/1", "no", { qos: 1 });
    await admin.publishAsync("news/open/1", "yes", { qos: 1 });
    await vi.waitFor(() => expect(messages).toEqual([["news/open/1", "yes"]]));
  });
});

describe("policy variables", () => {
  test("stand for the client id", async () => {
    await setPolicy(anyone, {
      Action: "iot:Publish",
      Resource: iotArn(`topic/clients/${variable("iot:ClientId")}/up`),
    });
    const client = await connect("c-1");
    expect(await takes(client, "clients/c-1/up")).toBe(true);
    expect(await takes(client, "clients/c-2/up")).toBe(false);
  });

  test("give no rights to a client id that reads as a wildcard", async () => {
    await setPolicy(anyone, {
      Action: "iot:Publish",
      Resource: iotArn(`topic/clients/${variable("iot:ClientId")}/up`),
    });
    expect(await takes(await connect("*"), "clients/c-2/up")).toBe(false);
    expect(await takes(await connect("c-?"), "clients/c-2/up")).toBe(false);
  });

  test("stand for the thing that the certificate is attached to, its type and attributes", async () => {
    const { iot } = devices;
    const thingName = "thermometer";
    const attributes = { site: "north" };
    await iot.send(new CreateThingCommand({ thingName, attributePayload: { attributes } }));
    await setPolicy(
      { Action: "iot:Connect", Resource: iotArn(`client/${variable("iot:Connection.Thing.ThingName")}`) },
      {
        Action: "iot:Publish",
        Resource: iotArn(
          `topic/${variable("iot:Connection.Thing.Attributes[site]")}/${variable("iot:Connection.Thing.ThingName")}`,
        ),
        Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
      },
    );
    await expect(connect(thingName)).rejects.toThrow(/Not authorized/);
    await iot.send(new AttachThingPrincipalCommand({ thingName, principal: identity.arn }));
    const client = await connect(thingName);
    await expect(connect("another")).rejects.toThrow(/Not authorized/);
    expect(await takes(client, "north/thermometer")).toBe(true);
    await iot.send(new DetachThingPrincipalCommand({ thingName, principal: identity.arn }));
    expect(await takes(client, "north/thermometer")).toBe(false);
  });

  test("stand for the names in the certificate", async () => {
    await setPolicy(anyone, {
      Action: "iot:Publish",
      Resource: iotArn(
        `topic/${variable("iot:Certificate.Subject.CommonName")}/${variable("iot:Certificate.Issuer.Organization")}`,
      ),
    });
    const client = await connect("named");
    expect(await takes(client, "AWS IoT Certificate/Sensorcast")).toBe(true);
    expect(await takes(client, "Somebody/Sensorcast")).toBe(false);
  });
});

test("gives a device the policies of the groups that its thing is in, and of those above them", async () => {
  const { iot } = devices;
  const thingName = "member";
  await setPolicy(anyone);
  await iot.send(new CreateThingCommand({ thingName }));
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal: identity.arn }));
  const { thingGroupArn } = await iot.send(new CreateThingGroupCommand({ thingGroupName: "all" }));
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "some", parentGroupName: "all" }));
  await devices.allow({ ...identity, arn: thingGroupArn! }, [
    { Action: "iot:Publish", Resource: iotArn("topic/groups/*") },
  ]);
  expect(await takes(await connect(thingName), "groups/1")).toBe(false);
  await iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: "some" }));
  expect(await takes(await connect(thingName), "groups/1")).toBe(true);
  expect(await takes(await connect("not-a-member"), "groups/1")).toBe(false);
  await iot.send(new DetachThingPrincipalCommand({ thingName, principal: identity.arn }));
});

test("tells beforehand what a certificate may do, as its policies are and as they would be", async () => {
  const { iot } = devices;
  const mine = iotArn(`topic/c/${variable("iot:ClientId")}`);
  await setPolicy(
    { Action: "iot:Publish", Resource: mine },
    { Effect: "Deny", Action: "iot:*", Resource: iotArn("topic/c/no") },
  );
  const more = `more-${lastVersion}`;
  const policyDocument = iotPolicy([{ Action: "iot:Connect", Resource: "*" }]);
  await iot.send(new CreatePolicyCommand({ policyName: more, policyDocument }));
  const decisions = async (policyNamesToAdd: string[] = []) => {
    const { authResults } = await iot.send(
      new TestAuthorizationCommand({
        principal: identity.arn,
        clientId: "me",
        policyNamesToAdd,
        authInfos: [
          { actionType: "PUBLISH", resources: [iotArn("topic/c/me"), iotArn("topic/c/you"), iotArn("topic/c/no")] },
          { actionType: "CONNECT", resources: [iotArn("client/me")] },
        ],
      }),
    );
    return authResults!.map(({ authDecision }) => authDecision);
  };
  expect(await decisions()).toEqual(["ALLOWED", "IMPLICIT_DENY", "EXPLICIT_DENY", "IMPLICIT_DENY"]);
  expect(await decisions([more])).toEqual(["ALLOWED", "IMPLICIT_DENY", "EXPLICIT_DENY", "ALLOWED"]);
});
