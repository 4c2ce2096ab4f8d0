import type { Tag } from "@aws-sdk/client-sns";
import { parseArn } from "../../core/arn";
import { Scoped } from "../../core/service";
import { invalidFor, topicNotFound } from "./errors";
import type { FilterPolicy } from "./filter";

/** Where SNS can send to here. */
export type Protocol = "sqs" | "lambda" | "http" | "https";

export interface Subscription {
  readonly arn: string;
  readonly topic: Topic;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly owner: string;
  /** What confirms it. Undefined once it is confirmed. */
  token?: string;
  /** RawMessageDelivery, FilterPolicy, FilterPolicyScope, RedrivePolicy, as they were given. */
  attributes: Readonly<Record<string, string>>;
  filter?: FilterPolicy;
  deadLetterQueue?: string;
}

export interface Topic {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  attributes: Readonly<Record<string, string>>;
  readonly tags: Map<string, string>;
  readonly subscriptions: Map<string, Subscription>;
  deleted: number;
}

/** All topics of one emulator. */
export class Store {
  private readonly scopes = new Scoped(() => new Map<string, Topic>());

  topicsOf(scope: { account: string; region: string }): Map<string, Topic> {
    return this.scopes.of(scope);
  }

  /** @throws InvalidParameterException for what is no topic's ARN, NotFoundException. */
  topic(topicArn: string | undefined, parameter = "TopicArn"): Topic {
    const topic = this.find(topicArn, parameter);
    if (!topic) throw topicNotFound();
    return topic;
  }

  find(topicArn: string | undefined, parameter = "TopicArn"): Topic | undefined {
    const arn = readArn(topicArn, parameter);
    return this.scopes.of(arn).get(arn.resource);
  }

  subscription(subscriptionArn: string | undefined): Subscription | undefined {
    const arn = readArn(subscriptionArn, "SubscriptionArn");
    const [name = ""] = arn.resource.split(":");
    return this.scopes.of(arn).get(name)?.subscriptions.get(subscriptionArn!);
  }

  clear(): void {
    this.scopes.clear();
  }
}

function readArn(text: string | undefined, parameter: string) {
  const arn = parseArn(text ?? "");
  if (!arn) {
    const count = text ? text.split(":").length : 0;
    throw invalidFor(parameter, `An ARN must have at least 6 elements, not ${count}`);
  }
  if (arn.service !== "sns") throw invalidFor(parameter, `${text} is not an ARN of Amazon SNS`);
  return arn;
}

export const tagsOf = ({ tags }: Topic): Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }));
