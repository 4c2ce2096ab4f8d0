import { limits } from "../../core/limits";
import { change } from "./bucket-config";
import { bucketOf, type S3, type S3Operations } from "./common";
import { invalidArgument, invalidBucketState, invalidRequest, malformedXml, notFound } from "./errors";
import type { Bucket } from "./model";

const methods = new Set(["GET", "PUT", "HEAD", "POST", "DELETE"]);

/** Lists of configurations by id: analytics, inventory, metrics, intelligent tiering. Stored and given back, without effect. */
const named = <Value extends { Id?: string }>(values: Map<string, Value>) => ({
  get(id: string | undefined, bucket: Bucket): Value {
    const value = values.get(id ?? "");
    if (!value) throw notFound("listed", bucket.name);
    return value;
  },
  put(id: string | undefined, value: Value | undefined): Record<never, never> {
    if (!value || !id || value.Id !== id) throw malformedXml();
    values.set(id, value);
    return {};
  },
  delete(id: string | undefined, bucket: Bucket): Record<never, never> {
    if (!values.delete(id ?? "")) throw notFound("listed", bucket.name);
    return {};
  },
  list: () => [...values.values()].sort((a, b) => ((a.Id ?? "") < (b.Id ?? "") ? -1 : 1)),
});

/** Sub-resources of a bucket that infrastructure tools set and read. */
export const bucketExtras = (s3: S3): S3Operations => ({
  GetBucketCors(input, context) {
    const bucket = bucketOf(s3, input, context);
    if (!bucket.config.cors) throw notFound("cors", bucket.name);
    return { CORSRules: bucket.config.cors };
  },
  PutBucketCors: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const rules = input.CORSConfiguration?.CORSRules ?? [];
      if (rules.length === 0 || rules.length > limits.s3.corsRules.value) throw malformedXml();
      for (const { AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [] } of rules) {
        if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformedXml();
        const unknown = AllowedMethods.find((method) => !methods.has(method));
        if (unknown !== undefined) {
          throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`);
        }
        const wild = [...AllowedOrigins, ...AllowedHeaders].find((text) => text.split("*").length > 2);
        if (wild !== undefined) {
          throw invalidRequest(`AllowedOrigin "${wild}" can not have more than one wildcard.`);
        }
      }
      config.cors = rules;
      return {};
    }),
  DeleteBucketCors(input, context) {
    delete bucketOf(s3, input, context).config.cors;
    return {};
  },

  GetBucketWebsite(input, context) {
    const bucket = bucketOf(s3, input, context);
    if (!bucket.config.website) throw notFound("website", bucket.name);
    return bucket.config.website;
  },
  PutBucketWebsite: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const { IndexDocument, RedirectAllRequestsTo, ErrorDocument, RoutingRules } = input.WebsiteConfiguration ?? {};
      if (RedirectAllRequestsTo) {
        if (IndexDocument || ErrorDocument || RoutingRules?.length) {
          throw invalidArgument(
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
            "RedirectAllRequestsTo",
          );
        }
      } else if (!IndexDocument?.Suffix || IndexDocument.Suffix.includes("/")) {
        throw invalidArgument("The IndexDocument Suffix is not well formed", "IndexDocument", IndexDocument?.Suffix);
      }
      config.website = input.WebsiteConfiguration;
      return {};
    }),
  DeleteBucketWebsite(input, context) {
    delete bucketOf(s3, input, context).config.website;
    return {};
  },

  GetBucketLogging(input, context) {
    const { logging } = bucketOf(s3, input, context).config;
    return logging ? { LoggingEnabled: logging } : {};
  },
  PutBucketLogging: (input, context) =>
    change(s3, input, context, ({ config, region }) => {
      const wanted = input.BucketLoggingStatus?.LoggingEnabled;
      if (wanted) {
        const target = s3.store.find(wanted.TargetBucket ?? "");
        if (!target || target.region !== region) {
          throw invalidArgument(
            "The target bucket for logging does not exist or is in another region",
            "TargetBucket",
            wanted.TargetBucket,
          );
        }
      }
      // Not emulated: access logs are not written, on AWS they come hours later and incomplete.
      config.logging = wanted;
      return {};
    }),

  GetBucketReplication(input, context) {
    const bucket = bucketOf(s3, input, context);
    if (!bucket.config.replication) throw notFound("replication", bucket.name);
    return { ReplicationConfiguration: bucket.config.replication };
  },
  DeleteBucketReplication(input, context) {
    delete bucketOf(s3, input, context).config.replication;
    return {};
  },

  GetBucketAccelerateConfiguration(input, context) {
    const { accelerate } = bucketOf(s3, input, context).config;
    return accelerate ? { Status: accelerate } : {};
  },
  PutBucketAccelerateConfiguration: (input, context) =>
    change(s3, input, context, ({ config, name }) => {
      const status = input.AccelerateConfiguration?.Status;
      if (status !== "Enabled" && status !== "Suspended") throw malformedXml();
      if (name.includes("."))
        throw invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names");
      config.accelerate = status;
      return {};
    }),

  GetBucketRequestPayment: (input, context) => ({ Payer: bucketOf(s3, input, context).config.payer }),
  PutBucketRequestPayment: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const payer = input.RequestPaymentConfiguration?.Payer;
      if (payer !== "BucketOwner" && payer !== "Requester") throw malformedXml();
      config.payer = payer;
      return {};
    }),

  GetBucketAbac: (input, context) => ({
    AbacStatus: { Status: bucketOf(s3, input, context).config.abac ?? "Disabled" },
  }),
  PutBucketAbac: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const status = input.AbacStatus?.Status;
      if (status !== "Enabled" && status !== "Disabled") throw malformedXml();
      config.abac = status;
      return {};
    }),

  GetObjectLockConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    if (!bucket.config.objectLock) throw notFound("objectLock", bucket.name);
    return { ObjectLockConfiguration: bucket.config.objectLock };
  },
  PutObjectLockConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) => {
      const wanted = input.ObjectLockConfiguration;
      if (wanted?.ObjectLockEnabled !== "Enabled") throw malformedXml();
      if (config.versioning !== "Enabled") {
        throw invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
      }
      const retention = wanted.Rule?.DefaultRetention;
      if (wanted.Rule) {
        const { Mode, Days, Years } = retention ?? {};
        if (!Mode || (Days === undefined) === (Years === undefined)) throw malformedXml();
        if ((Days ?? Years ?? 0) <= 0) {
          throw invalidArgument("Default retention period must be a positive integer value.", "DefaultRetention");
        }
      }
      config.objectLock = wanted;
      return {};
    }),

  GetBucketAnalyticsConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { AnalyticsConfiguration: named(bucket.config.analytics).get(input.Id, bucket) };
  },
  PutBucketAnalyticsConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) => named(config.analytics).put(input.Id, input.AnalyticsConfiguration)),
  DeleteBucketAnalyticsConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return named(bucket.config.analytics).delete(input.Id, bucket);
  },
  ListBucketAnalyticsConfigurations: (input, context) => ({
    IsTruncated: false,
    AnalyticsConfigurationList: named(bucketOf(s3, input, context).config.analytics).list(),
  }),

  GetBucketInventoryConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { InventoryConfiguration: named(bucket.config.inventory).get(input.Id, bucket) };
  },
  PutBucketInventoryConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) => named(config.inventory).put(input.Id, input.InventoryConfiguration)),
  DeleteBucketInventoryConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return named(bucket.config.inventory).delete(input.Id, bucket);
  },
  ListBucketInventoryConfigurations: (input, context) => ({
    IsTruncated: false,
    InventoryConfigurationList: named(bucketOf(s3, input, context).config.inventory).list(),
  }),

  GetBucketMetricsConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { MetricsConfiguration: named(bucket.config.metrics).get(input.Id, bucket) };
  },
  PutBucketMetricsConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) => named(config.metrics).put(input.Id, input.MetricsConfiguration)),
  DeleteBucketMetricsConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return named(bucket.config.metrics).delete(input.Id, bucket);
  },
  ListBucketMetricsConfigurations: (input, context) => ({
    IsTruncated: false,
    MetricsConfigurationList: named(bucketOf(s3, input, context).config.metrics).list(),
  }),

  GetBucketIntelligentTieringConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return { IntelligentTieringConfiguration: named(bucket.config.intelligentTiering).get(input.Id, bucket) };
  },
  PutBucketIntelligentTieringConfiguration: (input, context) =>
    change(s3, input, context, ({ config }) =>
      named(config.intelligentTiering).put(input.Id, input.IntelligentTieringConfiguration),
    ),
  DeleteBucketIntelligentTieringConfiguration(input, context) {
    const bucket = bucketOf(s3, input, context);
    return named(bucket.config.intelligentTiering).delete(input.Id, bucket);
  },
  ListBucketIntelligentTieringConfigurations: (input, context) => ({
    IsTruncated: false,
    IntelligentTieringConfigurationList: named(bucketOf(s3, input, context).config.intelligentTiering).list(),
  }),
});
