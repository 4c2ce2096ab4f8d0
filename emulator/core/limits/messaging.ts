import { limit, range } from "./limit";

const sqsGuide = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide";
const sqsApi = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference";
const messages = `${sqsGuide}/quotas-messages.html`;
const queues = `${sqsGuide}/quotas-queues.html`;
const attributes = `${sqsApi}/API_SetQueueAttributes.html`;
const invalidValue = "`InvalidParameterValue`";
const invalidAttribute = "`InvalidAttributeValue`";

/** Limits of Amazon SQS. */
export const sqs = {
  message: limit(
    1024 * 1024,
    "bytes",
    "a message with its attributes, and all messages of a batch",
    "`InvalidParameterValue`; `BatchRequestTooLong`",
    messages,
  ),
  maximumMessageSize: range(
    1_024,
    1024 * 1024,
    "bytes",
    "`MaximumMessageSize` of a queue",
    invalidAttribute,
    attributes,
  ),
  batch: limit(10, "", "entries of a batch, and messages received at once", "`TooManyEntriesInBatchRequest`", messages),
  batchEntryId: limit(80, "characters", "id of a batch's entry", "`InvalidBatchEntryId`", messages),
  attributes: limit(10, "", "attributes of a message", invalidValue, messages),
  attributeName: limit(
    256,
    "characters",
    "name, and type, of a message's attribute",
    invalidValue,
    `${sqsGuide}/sqs-message-metadata.html`,
  ),
  delay: range(0, 900, "s", "delay of a queue or a message", `${invalidAttribute}; ${invalidValue}`, messages),
  retention: range(
    60,
    1_209_600,
    "s",
    "time that messages are kept",
    `${invalidAttribute}; then the message is gone`,
    messages,
  ),
  wait: range(0, 20, "s", "long poll", `${invalidAttribute}; ${invalidValue}`, queues),
  visibility: range(
    0,
    43_200,
    "s",
    "visibility timeout, in all from a message's receive on",
    `${invalidAttribute}; ${invalidValue}`,
    messages,
  ),
  inFlight: limit(
    120_000,
    "",
    "messages of a queue that were received and not deleted",
    "`OverLimit`; nothing, from a FIFO queue and in a long poll",
    queues,
  ),
  maxReceiveCount: range(1, 1_000, "", "`maxReceiveCount` of a redrive policy", invalidValue, attributes),
  redriveSources: limit(10, "", "`sourceQueueArns` of a redrive allow policy", invalidValue, attributes),
  moveRate: range(
    1,
    500,
    "a second",
    "`MaxNumberOfMessagesPerSecond` of a message move task",
    invalidValue,
    `${sqsApi}/API_StartMessageMoveTask.html`,
  ),
  deduplication: limit(
    300_000,
    "ms",
    "time in which a FIFO queue knows a message again",
    "the message is taken, and delivered once more",
    `${sqsGuide}/using-messagededuplicationid-property.html`,
  ),
  purge: limit(
    60_000,
    "ms",
    "time between two purges of a queue, at least",
    "`PurgeQueueInProgress`",
    `${sqsApi}/API_PurgeQueue.html`,
  ),
  keyReuse: range(60, 86_400, "s", "`KmsDataKeyReusePeriodSeconds` of a queue", invalidAttribute, attributes),
  name: limit(80, "characters", "name of a queue, with `.fifo`", invalidValue, queues),
  tags: limit(50, "", "tags of a queue", invalidValue, queues),
} as const;

const snsGuide = "https://docs.aws.amazon.com/sns/latest/dg";
const snsApi = "https://docs.aws.amazon.com/sns/latest/api";
const invalidParameter = "`InvalidParameterException`";

/** Limits of Amazon SNS. */
export const sns = {
  message: limit(
    256 * 1024,
    "bytes",
    "a message with its attributes, and all messages of a batch",
    `${invalidParameter}; \`BatchRequestTooLongException\``,
    `${snsApi}/API_Publish.html`,
  ),
  batch: limit(
    10,
    "",
    "entries of a batch",
    "`TooManyEntriesInBatchRequestException`",
    `${snsApi}/API_PublishBatch.html`,
  ),
  batchEntryId: limit(
    80,
    "characters",
    "id of a batch's entry",
    "`InvalidBatchEntryIdException`",
    `${snsApi}/API_PublishBatchRequestEntry.html`,
  ),
  subject: limit(100, "characters", "subject of a message", invalidParameter, `${snsApi}/API_Publish.html`),
  rawAttributes: limit(
    10,
    "",
    "attributes of a raw message to a queue",
    "not delivered: the dead-letter queue",
    `${snsGuide}/sns-large-payload-raw-message-delivery.html`,
  ),
  endpointAnswer: limit(
    15_000,
    "ms",
    "time that an HTTP endpoint has to answer, in real time",
    "delivered again; then the dead-letter queue",
    `${snsGuide}/SendMessageToHttp.prepare.html`,
  ),
  displayName: limit(
    100,
    "characters",
    "`DisplayName` of a topic",
    invalidParameter,
    `${snsApi}/API_SetTopicAttributes.html`,
  ),
  name: limit(256, "characters", "name of a topic", invalidParameter, `${snsApi}/API_CreateTopic.html`),
  tags: limit(50, "", "tags of a topic", "`TagLimitExceededException`", `${snsGuide}/sns-tags.html`),
  tagKey: limit(128, "characters", "key of a tag", invalidParameter, `${snsApi}/API_Tag.html`),
  tagValue: limit(256, "characters", "value of a tag", invalidParameter, `${snsApi}/API_Tag.html`),
} as const;

const events_ = "https://docs.aws.amazon.com/eventbridge/latest";
const eventQuotas = `${events_}/userguide/eb-quota.html`;
const putRule = `${events_}/APIReference/API_PutRule.html`;
const putTargets = `${events_}/APIReference/API_Target.html`;
const putEvents = `${events_}/APIReference/API_PutEvents.html`;
const invalid = "`ValidationException`";
const tooMany = "`LimitExceededException`";

/** Limits of Amazon EventBridge. */
export const events = {
  entries: limit(10, "", "entries of `PutEvents`", invalid, putEvents),
  entrySize: limit(
    256 * 1024,
    "bytes",
    "all entries of `PutEvents`",
    invalid,
    `${events_}/userguide/eb-putevent-size.html`,
  ),
  nesting: limit(1_000, "levels", "depth of an event's detail", "`MalformedDetail` for the entry", putEvents),
  buses: limit(100, "", "event buses of an account in a region", tooMany, eventQuotas),
  rules: limit(300, "", "rules of an event bus", tooMany, eventQuotas),
  targets: limit(5, "", "targets of a rule", tooMany, eventQuotas),
  pattern: limit(4_096, "characters", "pattern of a rule", invalid, putRule),
  schedule: limit(256, "characters", "schedule of a rule", invalid, putRule),
  ruleName: limit(64, "characters", "name of a rule", invalid, putRule),
  busName: limit(256, "characters", "name of an event bus", invalid, `${events_}/APIReference/API_CreateEventBus.html`),
  busPolicy: limit(10_240, "characters", "policy of an event bus", "`PolicyLengthExceededException`", eventQuotas),
  input: limit(8_192, "characters", "input, and input template, of a target", invalid, putTargets),
  inputPaths: limit(
    100,
    "",
    "paths of an input transformer",
    invalid,
    `${events_}/APIReference/API_InputTransformer.html`,
  ),
  retries: range(
    0,
    185,
    "",
    "retries of a target",
    `${invalid}; then the dead-letter queue`,
    `${events_}/APIReference/API_RetryPolicy.html`,
  ),
  eventAge: range(
    60,
    86_400,
    "s",
    "age of an event for a target",
    `${invalid}; then the dead-letter queue`,
    `${events_}/APIReference/API_RetryPolicy.html`,
  ),
  tags: limit(50, "", "tags of a resource", invalid, `${events_}/userguide/eb-tagging.html`),
} as const;
