import { describe, expect, test } from "vitest";
import { Postbox, type PostboxArgs } from "../components";

const mistakes = (args: unknown, name = "postbox"): string => {
  try {
    new Postbox(name, args as PostboxArgs);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("there was no mistake");
};

describe("wrong arguments", () => {
  test("are told all at once, each with the option, what it must be, and what to use", () => {
    const message = mistakes({ auth: { authorize: "yes", ttlSeconds: -1 }, maxReceiveCount: 101, delaySeconds: 901 });
    expect(message).toBe(
      'Postbox "postbox": auth.authorize must be a function, not "yes"; use a function of the token. ' +
        "Also: auth.ttlSeconds must be a whole number from 0 to 3600 (seconds), not -1; use 10. " +
        "Also: delaySeconds must be a whole number from 0 to 900 (seconds), not 901; use 3. " +
        "Also: maxReceiveCount must be a whole number from 1 to 100 (deliveries), not 101; use 5",
    );
  });

  const auth = "none";
  test.each<[args: unknown, message: string]>([
    [{}, 'auth must be an object with authorize or secret, or "none"'],
    [{ auth: "apiKey" }, 'auth must be an object with authorize or secret, or "none"'],
    [{ auth: { header: "X-Token" } }, 'auth must be an object with authorize or secret, or "none"'],
    [
      { auth: { authorize: () => null, secret: "a-secret-of-the-senders" } },
      "auth must be an object with authorize or",
    ],
    [
      { auth: { authorize: () => null, header: "" } },
      'auth.header must be the name of a header, or auth must be "none"',
    ],
    [{ auth: { authorize: () => null, header: "content-type" } }, "auth.header must not be a header that HTTP or API"],
    [{ auth: { authorize: () => null, header: "X-Forwarded-For" } }, "auth.header must not be a header that HTTP or"],
    [{ auth: { authorize: () => null, ttlSeconds: 3601 } }, "auth.ttlSeconds must be"],
    [{ auth: { authorize: () => null, environment: { POSTBOX_X: "" } } }, "auth.environment.POSTBOX_X must not begin"],
    [{ auth: { authorize: () => null, ttl: 1 } }, "auth.ttl must not be given: there is no such option"],
    [{ auth, stageName: "a b" }, "stageName must be"],
    [{ auth, mode: "sqs" }, 'mode must be one of s3, lambda, not "sqs"'],
    [{ auth, onPublish: () => undefined }, 'onPublish must not be given with mode "s3", where no function sees'],
    [{ auth, mode: "lambda", onPublish: 1 }, "onPublish must be a function"],
    [{ auth, mode: "lambda", binaryMediaTypes: ["image"] }, "binaryMediaTypes[0] must be a content type"],
    [{ auth, expiryDays: 13 }, "expiryDays must be at least retentionDays, 14: a message must not outlive its object"],
    [{ auth, retentionDays: 15 }, "retentionDays must be a whole number from 1 to 14"],
    [{ auth, waitSeconds: 21 }, "waitSeconds must be a whole number from 0 to 20"],
    [{ auth, maxReceiveCount: 0 }, "maxReceiveCount must be a whole number from 1 to 100"],
    [{ auth, visibilityTimeoutSeconds: 0 }, "visibilityTimeoutSeconds must be"],
    [{ auth, reconcile: { schedule: "hourly" } }, 'reconcile.schedule must be rate(...), cron(...) or "none"'],
    [{ auth, reconcile: { graceMinutes: 0 } }, "reconcile.graceMinutes must be"],
    [{ auth, logRetentionDays: 8 }, "logRetentionDays must be one of"],
    [{ auth, vpc: "yes" }, "vpc must be"],
    [{ auth, alarms: {} }, "alarms.topicArn must be an SNS topic's ARN"],
    [{ auth, S3EndpointPrefixList: "pl-1" }, "S3EndpointPrefixList must not be given: there is no such option"],
  ])("such as %j are refused", (args, message) => {
    expect(mistakes(args)).toContain(message);
  });

  test("never repeat the value of a secret", () => {
    expect(mistakes({ auth: { secret: "too-short" } })).toContain("auth.secret must be 16 characters or more");
    expect(mistakes({ auth: { secret: "too-short" } })).not.toContain("too-short");
  });

  test("such as a name that no bucket could have are refused", () => {
    expect(mistakes({ auth }, "Post_Box")).toContain("the name must be at most 30 lower-case letters");
  });
});
