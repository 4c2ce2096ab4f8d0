import { limit, range } from "./limit";

const quotas = "https://docs.aws.amazon.com/general/latest/gr/iot-core.html";
const broker = `${quotas}#message-broker-limits`;
const rules = `${quotas}#rules_limits`;
const shadows = `${quotas}#device-shadow-limits`;
const things = `${quotas}#thing-limits`;
const security = `${quotas}#security-limits`;
const closed = "the connection ends (`CLIENT_ERROR`)";
const invalid = "`InvalidRequestException`";
const tooMany = "`LimitExceededException`";

/** Limits of AWS IoT Core. */
export const iot = {
  payload: limit(
    128 * 1024,
    "bytes",
    "payload of a message",
    `${closed}; \`RequestEntityTooLargeException\` over HTTPS`,
    broker,
  ),
  topic: limit(256, "bytes", "a topic, and a topic filter", `${closed}; ${invalid}; SUBACK 0x80`, broker),
  slashes: limit(
    7,
    "",
    "forward slashes of a topic, beside those of Basic Ingest",
    `${closed}; ${invalid}; SUBACK 0x80`,
    broker,
  ),
  clientId: limit(128, "bytes", "a client id", "CONNACK 2", broker),
  subscriptionsPerRequest: limit(8, "", "subscriptions of a SUBSCRIBE", closed, broker),
  subscriptions: limit(50, "", "subscriptions of a connection", closed, broker),
  keepAlive: range(
    30,
    1_200,
    "s",
    "keep-alive, of which 1.5 may pass without a packet",
    "it counts as this much; then the connection ends",
    broker,
  ),
  session: limit(3_600_000, "ms", "time that a persistent session waits for its client", "it is gone", broker),
  rules: limit(1_000, "", "rules of an account in a region", tooMany, rules),
  actions: limit(10, "", "actions of a rule", invalid, rules),
  policyVersions: limit(5, "", "versions of a policy", "`VersionsLimitExceededException`", security),
  policy: limit(
    2_048,
    "characters",
    "document of a policy, without white space",
    "`MalformedPolicyException`",
    security,
  ),
  groupLevels: limit(7, "levels", "groups of things below each other", tooMany, things),
  groupsOfThing: limit(10, "", "groups that a thing is in", tooMany, things),
  attributes: limit(3, "", "attributes of a thing without a type", invalid, things),
  typedAttributes: limit(50, "", "attributes of a thing with a type", invalid, things),
  attributeName: limit(128, "characters", "name of a thing's attribute", invalid, things),
  attributeValue: limit(800, "characters", "value of a thing's attribute", invalid, things),
  name: limit(128, "characters", "name of a thing, a type, a group, a policy or a rule", invalid, things),
  shadow: limit(
    8 * 1024,
    "bytes",
    "`desired`, and `reported`, of a shadow",
    "`RequestEntityTooLargeException`",
    shadows,
  ),
  shadowLevels: limit(8, "levels", "depth of `desired` and `reported`", invalid, shadows),
  shadowName: limit(64, "characters", "name of a shadow", invalid, shadows),
  clientToken: limit(64, "bytes", "client token of a shadow request", invalid, shadows),
  tags: limit(50, "", "tags of a resource", tooMany, `${quotas}#tagging-limits`),
} as const;
