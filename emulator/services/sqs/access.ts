import { type Access, type AccessTable, requestTags, resourceTags } from "../../core/access/access";
import { formatArn } from "../../core/arn";
import type { Context } from "../../core/service";
import { sourceOfTask } from "./moves";
import type { Store } from "./store";

type Sdk = typeof import("@aws-sdk/client-sqs");

/** What no policy can give to other accounts (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-customer-managed-policy-limitations.html). */
const ownOnly = new Set([
  ..."AddPermission CancelMessageMoveTask CreateQueue DeleteQueue ListMessageMoveTasks ListQueues".split(" "),
  ..."ListQueueTags RemovePermission SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue".split(" "),
]);

/** What SQS wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html). */
export function access(store: Store): AccessTable<Sdk> {
  const queue = (
    action: string,
    arn: string,
    { identity }: Pick<Context, "identity">,
    { Tags, TagKeys }: { Tags?: Record<string, string>; TagKeys?: string[] } = {},
  ): Access => {
    const found = store.byArn(arn);
    const counts = !ownOnly.has(action) || arn.split(":")[4] === identity.account;
    return {
      action: `sqs:${action}`,
      resource: found?.arn ?? arn,
      policy: counts ? found?.attributes.Policy : undefined,
      get conditions() {
        return { ...resourceTags(found && Object.entries(found.tags)), ...requestTags(Tags, TagKeys) };
      },
    };
  };
  type AtUrl = { QueueUrl: string | undefined; Tags?: Record<string, string>; TagKeys?: string[] };
  const atUrl = (action: string) => (input: AtUrl, context: Context) =>
    queue(action, store.arnOf(input.QueueUrl, context) ?? "*", context, input);
  const nameArn = (name: string | undefined, { region }: Context, account: string) =>
    formatArn("sqs", region, account, name ?? "*");
  /** Moving messages takes what reading them takes (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html). */
  const moving = (action: string, source: string, context: Context): Access[] =>
    [action, "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map((one) => queue(one, source, context));

  return {
    AddPermission: atUrl("AddPermission"),
    CancelMessageMoveTask: ({ TaskHandle }, context) =>
      moving("CancelMessageMoveTask", sourceOfTask(TaskHandle) ?? "*", context),
    ChangeMessageVisibility: atUrl("ChangeMessageVisibility"),
    // Batches need the permission of the single operation.
    ChangeMessageVisibilityBatch: atUrl("ChangeMessageVisibility"),
    CreateQueue(input, context) {
      const arn = nameArn(input.QueueName, context, context.account);
      const Tags = input.tags;
      const created = queue("CreateQueue", arn, context, { Tags });
      // To create one with tags takes both (API reference, CreateQueue).
      return Tags && Object.keys(Tags).length > 0 ? [created, queue("TagQueue", arn, context, { Tags })] : created;
    },
    DeleteMessage: atUrl("DeleteMessage"),
    DeleteMessageBatch: atUrl("DeleteMessage"),
    DeleteQueue: atUrl("DeleteQueue"),
    GetQueueAttributes: atUrl("GetQueueAttributes"),
    GetQueueUrl: (input, context) =>
      queue("GetQueueUrl", nameArn(input.QueueName, context, input.QueueOwnerAWSAccountId || context.account), context),
    ListDeadLetterSourceQueues: atUrl("ListDeadLetterSourceQueues"),
    ListMessageMoveTasks: ({ SourceArn }, context) =>
      ["ListMessageMoveTasks", "GetQueueAttributes"].map((one) => queue(one, SourceArn ?? "*", context)),
    ListQueues: (_, context) => queue("ListQueues", nameArn(undefined, context, context.account), context),
    ListQueueTags: atUrl("ListQueueTags"),
    PurgeQueue: atUrl("PurgeQueue"),
    ReceiveMessage: atUrl("ReceiveMessage"),
    RemovePermission: atUrl("RemovePermission"),
    SendMessage: atUrl("SendMessage"),
    SendMessageBatch: atUrl("SendMessage"),
    SetQueueAttributes: atUrl("SetQueueAttributes"),
    StartMessageMoveTask({ SourceArn = "*", DestinationArn }, context) {
      const source = store.byArn(SourceArn);
      const back = source ? store.sourcesOf(source).map(({ arn }) => arn) : [];
      const destinations = DestinationArn === undefined ? back : [DestinationArn];
      return [
        ...moving("StartMessageMoveTask", SourceArn, context),
        ...destinations.map((arn) => queue("SendMessage", arn, context)),
      ];
    },
    TagQueue: atUrl("TagQueue"),
    UntagQueue: atUrl("UntagQueue"),
  };
}
