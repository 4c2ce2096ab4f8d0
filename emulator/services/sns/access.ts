import type * as Sdk from "@aws-sdk/client-sns";
import { type Access, type AccessTable, passRole, requestTags, resourceTags } from "../../core/access/access";
import { formatArn, parseArn } from "../../core/arn";
import type { Context } from "../../core/service";
import type { Store, Topic } from "./state";

interface TagInput {
  readonly Tags?: readonly Sdk.Tag[];
  readonly TagKeys?: readonly string[];
}

/**
 * What SNS wants allowed (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html); in its
 * messages it writes itself in capitals. The default policy of topics, which gives all to those of `aws:SourceOwner`,
 * lets nobody in here: only services have that key.
 */
export function access(store: Store): AccessTable<typeof Sdk> {
  const find = (arn: string | undefined): { topic?: Topic; resource: string; subscriptionArn?: string } => {
    const parsed = arn === undefined ? undefined : parseArn(arn);
    if (arn === undefined || parsed?.service !== "sns") return { resource: arn || "*" };
    const [name = "", subscription] = parsed.resource.split(":");
    const topic = store.topicsOf(parsed).get(name);
    const resource = topic?.arn ?? formatArn("sns", parsed.region, parsed.account, name);
    return { topic, resource, ...(subscription !== undefined && { subscriptionArn: arn }) };
  };
  const on = (
    action: string,
    { topic, resource }: ReturnType<typeof find>,
    conditions?: () => Record<string, readonly string[] | undefined>,
  ): Access => ({
    action: `SNS:${action}`,
    resource,
    policy: topic?.attributes.Policy,
    get conditions() {
      return { ...resourceTags(topic?.tags), ...conditions?.() };
    },
  });

  const topic = (action: string) => (input: { TopicArn?: string }) => on(action, find(input.TopicArn));
  const tagged = (action: string) => (input: TagInput & { ResourceArn: string | undefined }) =>
    on(action, find(input.ResourceArn), () => requestTags(tagsOf(input), input.TagKeys));
  /** Who has subscribed may do what they want with the subscription; others need the topic. */
  const subscription =
    (action: string) =>
    (input: { SubscriptionArn: string | undefined }, { account }: Context): Access => {
      const found = find(input.SubscriptionArn);
      const owner = found.topic?.subscriptions.get(found.subscriptionArn ?? "")?.owner;
      const needed = on(action, found);
      return owner === account ? { ...needed, owner } : needed;
    };
  const list = (action: string) => (_: object, context: Context) =>
    on(action, { resource: formatArn("sns", context.region, context.account, "*") });

  return {
    CreateTopic(input, { region, account }) {
      const named = find(formatArn("sns", region, account, input.Name ?? "*"));
      const tags = () => requestTags(tagsOf(input));
      // To create one with tags takes both (API reference, CreateTopic).
      return input.Tags?.length
        ? [on("CreateTopic", named, tags), on("TagResource", named, tags)]
        : on("CreateTopic", named);
    },
    DeleteTopic: topic("DeleteTopic"),
    ListTopics: list("ListTopics"),
    GetTopicAttributes: topic("GetTopicAttributes"),
    SetTopicAttributes: (input) => [
      on("SetTopicAttributes", find(input.TopicArn)),
      ...(input.AttributeName?.endsWith("FeedbackRoleArn") ? passRole(input.AttributeValue, "sns.amazonaws.com") : []),
    ],
    AddPermission: topic("AddPermission"),
    RemovePermission: topic("RemovePermission"),
    TagResource: tagged("TagResource"),
    UntagResource: tagged("UntagResource"),
    ListTagsForResource: tagged("ListTagsForResource"),

    Subscribe: ({ TopicArn, Protocol, Endpoint }) =>
      on("Subscribe", find(TopicArn), () => ({
        "sns:Protocol": Protocol === undefined ? undefined : [Protocol],
        "sns:Endpoint": Endpoint === undefined ? undefined : [Endpoint],
      })),
    // A token confirms whoever has it.
    ConfirmSubscription: () => "public",
    Unsubscribe: subscription("Unsubscribe"),
    GetSubscriptionAttributes: subscription("GetSubscriptionAttributes"),
    SetSubscriptionAttributes: subscription("SetSubscriptionAttributes"),
    ListSubscriptions: list("ListSubscriptions"),
    ListSubscriptionsByTopic: topic("ListSubscriptionsByTopic"),

    Publish: ({ TopicArn, TargetArn, PhoneNumber }) => on("Publish", find(TopicArn ?? TargetArn ?? PhoneNumber)),
    PublishBatch: topic("Publish"),
  };
}

const tagsOf = ({ Tags }: TagInput) => Tags && Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
